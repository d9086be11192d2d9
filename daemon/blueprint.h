/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program as it is kept to make copies of (template.h): its instructions, relocated, with numbers in the place of maps, and
 * where its functions begin. It is taken from libbpf just before that would load it, and is never verified itself: that would
 * take a third of a daemon's start, and each copy is verified anyway.
 */
#ifndef BLUEPRINT_H
#define BLUEPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "daemon/splice.h"

#define BLUEPRINT_FUNCTIONS SPLICE_FUNCTIONS

/* Which of the session's maps an instruction wants. */
enum blueprint_map {
	BLUEPRINT_CONFIG,
	BLUEPRINT_CONTROL,
	BLUEPRINT_COUNTERS,
	BLUEPRINT_RING,
	BLUEPRINT_MADE,
	BLUEPRINT_SITES,
	BLUEPRINT_CALLS,
	BLUEPRINT_TRACK,
	BLUEPRINT_TICKETS,
	BLUEPRINT_LIVES,
	BLUEPRINT_JOURNEYS,
	BLUEPRINT_BLANK,
	BLUEPRINT_EDGES,
	BLUEPRINT_ENTERED,
	BLUEPRINT_MAPS,
};

struct blueprint {
	struct bpf_insn *insns; /* owned; map descriptors replaced by enum blueprint_map */
	size_t count;
	size_t stub;            /* first instruction of netcap_filter(), the last subprogram; or count */
	size_t user_filter;     /* first instruction of netcap_user_filter(), SIZE_MAX: there is none; */
	size_t user_action;     /* and of netcap_user_action() */
	size_t load;            /* first instruction of netcap_load(); 0: there is no filter */
	struct bpf_func_info functions[BLUEPRINT_FUNCTIONS];
	uint32_t function_count;
};

/* Does the instruction load the address of a map or of its value? Then its imm is an enum blueprint_map. */
bool blueprint_wants_map(const struct bpf_insn *i);
/*
 * Before the first blueprint_take(), and while no other thread opens BPF objects. For good: libbpf 1.1 uses its list of handlers
 * after it was freed if the last one is taken back. 0 or negative errno.
 */
int blueprint_init(void);
/*
 * Opens an object and takes its programs of these names (count of them) into t, which are zeroes. btf gets a descriptor of the
 * programs' own types, which is the caller's. 0, or negative errno with all that was taken cleared: -ENOENT: there is no such
 * program; -EPROTO: one is not as the object's author promised.
 */
int blueprint_take(const void *elf, size_t size, const char *const names[], size_t count, struct blueprint t[], int *btf);
/* Takes zeroes. */
void blueprint_clear(struct blueprint *t);

#endif
