/* SPDX-License-Identifier: BSD-2-Clause */
/* What a function returns: where a program finds it, and how it reads. */
#ifndef RETURNED_H
#define RETURNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/function.h"

#define RETURNED_TEXT_BYTES 64

struct returned {
	const struct btf *btf; /* not owned */
	uint32_t type;         /* without typedefs and qualifiers; 0: nothing is returned */
	bool tc;               /* a verdict of tc, whose names are in no types */
	uint8_t slot;          /* its index behind the arguments in fexit's context, or NETCAP_NO_ARG */
};

void returned_init(struct returned *r, const struct function *f);
/* The verdict of a program f for packets, of XDP or else of tc. kernel has the names of XDP's. */
void returned_init_verdict(struct returned *r, const struct btf *kernel, const struct function *f, bool xdp);
/*
 * The value as text, by its type: "-12", "true", "SKB_DROP_REASON_TCP_CSUM", "XDP_PASS", "0xffff888004c3a000". Returns
 * text, or NULL where nothing is returned.
 */
const char *returned_text(const struct returned *r, uint64_t value, char *text, size_t size);

#endif
