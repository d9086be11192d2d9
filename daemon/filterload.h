/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loads from the packet of a filter that is being translated (filter.c): of bytes that can be read where they are
 * (filter_abi.h says which), and of others by netcap_load(), behind the program.
 */
#ifndef FILTERLOAD_H
#define FILTERLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/ebpf.h"
#include "daemon/filter.h"

/* What the registers hold. R1 to R5 are scratch and lost in every load. */
#define FILTERLOAD_PKT  BPF_REG_6
#define FILTERLOAD_A    BPF_REG_7
#define FILTERLOAD_X    BPF_REG_8
#define FILTERLOAD_BASE BPF_REG_9 /* packet byte 0, for bytes below pkt->limit */

/*
 * Packets are shorter than 2 GiB, so bpf_filter() finds no byte at or above this offset. It is also
 * the largest immediate of eBPF that is not extended to a negative number.
 */
#define FILTERLOAD_OFFSET_MAX INT32_MAX

struct filterload_deferred;

struct filterload {
	struct ebpf *code;                  /* not owned, like target */
	const struct filter_target *target;
	struct filterload_deferred *deferred; /* owned; has room for all */
	size_t deferred_count;
};

/* most: how many loads there can be. 0 or -ENOMEM. */
int filterload_begin(struct filterload *l, struct ebpf *code, const struct filter_target *target, size_t most);
/* Takes zeroes. */
void filterload_clear(struct filterload *l);
/* dst = the bytes (1, 2, 4) at this offset. */
void filterload_absolute(struct filterload *l, int dst, uint32_t offset, uint32_t bytes);
/*
 * A = the bytes at X + offset, in 64 bits, so that a sum that does not fit in 32 is seen
 * (bpf_filter() rejects it) instead of coming out small.
 */
void filterload_computed(struct filterload *l, uint32_t offset, uint32_t bytes);
/* Once, where the program does not get by itself. reject: where it goes if the packet has no such bytes. */
void filterload_finish(struct filterload *l, size_t reject);

#endif
