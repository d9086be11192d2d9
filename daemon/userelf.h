/* SPDX-License-Identifier: BSD-2-Clause */
/* What is looked at in an object with user code before libbpf reads it. */
#ifndef USERELF_H
#define USERELF_H

#include <stddef.h>

struct userelf {
	char *formats;    /* owned; the text of the section NETCAP_USER_FORMATS, NULL: there is none */
	void *ext;        /* owned; the section .BTF.ext, NULL: there is none */
	size_t ext_bytes;
};

/*
 * Is it an object as bpf/user_abi.h describes them? Fills in out, which is to be cleared in any case. 0, -ENOMEM, or
 * -EINVAL with a sentence in why.
 */
int userelf_read(const void *object, size_t bytes, struct userelf *out, char *why, size_t size);
void userelf_clear(struct userelf *u);

#endif
