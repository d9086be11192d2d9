/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers for user code: the kernel's types as C, made of its BTF, kept in the user's cache so that it is made once for
 * each kernel.
 */
#ifndef BTFHEADER_H
#define BTFHEADER_H

#include <linux/limits.h>
#include <stddef.h>
#include "usersource.h"

#define BTFHEADER_KERNEL "/sys/kernel/btf/vmlinux"

struct btfheader {
	char directory[PATH_MAX]; /* the cache, for temporary files */
	char types[PATH_MAX];     /* the header with all types */
	char headers[PATH_MAX];   /* a directory with what stands for <linux/tcp.h> and the like */
};

/*
 * btf: a file with BTF, raw or in an ELF file. Makes what is not there yet. 0, or negative errno; the sentence is
 * printed.
 */
int btfheader_open(struct btfheader *h, const char *btf);
/* Makes the headers that the source includes. 0 or negative errno; the sentence is printed. */
int btfheader_add(const struct btfheader *h, const struct usersource *s);

#endif
