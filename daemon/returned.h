/* SPDX-License-Identifier: BSD-2-Clause */
/* What a function returns: where a program finds it, and how it reads. */
#ifndef RETURNED_H
#define RETURNED_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/function.h"

#define RETURNED_TEXT_BYTES 64

struct returned {
	const struct btf *btf; /* not owned */
	uint32_t type;         /* without typedefs and qualifiers; 0: nothing is returned */
	uint8_t slot;          /* its index behind the arguments in fexit's context, or NETCAP_NO_ARG */
};

void returned_init(struct returned *r, const struct function *f);
/*
 * The value as text, by its type: "-12", "true", "SKB_DROP_REASON_TCP_CSUM", "0xffff888004c3a000". Returns
 * text, or NULL where nothing is returned.
 */
const char *returned_text(const struct returned *r, uint64_t value, char *text, size_t size);

#endif
