/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "daemon/flow.h"
#include "daemon/trim.h"

struct trim {
	struct flow flow;
	uint32_t *places; /* owned: where each instruction is in the end; one more for the end */
	bool *kept;       /* owned */
};

/* A constant that needs no two instructions. */
static bool is_small(const struct bpf_insn *i)
{
	return flow_is_wide(i) && !i->src_reg && flow_wide_value(i) == (uint64_t)(int64_t)i->imm;
}

/* Is there nothing between a jump and its target? */
static bool is_next(const struct trim *t, size_t from, size_t target)
{
	for (size_t i = from + 1; i < target; i++)
		if (t->kept[i])
			return false;
	return target > from;
}

/* A jump that always goes one way. The others that it may have had are not reached. */
static bool keeps_jump(struct trim *t, size_t at)
{
	struct bpf_insn *i = &t->flow.insns[at];
	bool meets = flow_is_goto(i) && !i->off;

	switch (t->flow.ways[at]) {
	case FLOW_NOT_TAKEN:
		return false;
	case FLOW_TAKEN:
		*i = (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = i->off };
		return meets || !is_next(t, at, flow_target(t->flow.insns, at));
	default:
		return true;
	}
}

/* The first instruction of a constant that takes the others, too (constants_put() says why). */
static bool is_reset(const struct trim *t, size_t at)
{
	const struct bpf_insn *i = &t->flow.insns[at];

	return i->code == FLOW_MOVE && flow_is_wide(&i[1]) && i[1].dst_reg == i->dst_reg && !is_small(&i[1]) &&
	       t->kept[at + 1];
}

/* From the end: a jump is needed if anything is left between it and its target. */
static void choose_kept(struct trim *t)
{
	for (size_t at = t->flow.count; at-- > 0;) {
		const struct bpf_insn *i = &t->flow.insns[at];

		if (!t->flow.ways[at])
			continue;
		t->kept[at] = flow_is_jump(i) ? keeps_jump(t, at) : !flow_is_idle(&t->flow, at) || is_reset(t, at);
		if (flow_is_wide(i))
			t->kept[at + 1] = t->kept[at];
	}
}

/* Of the three instructions that constants_put() makes of a constant one is left, if it fits there. */
static void shorten_constants(struct trim *t)
{
	for (size_t at = 0; at + 1 < t->flow.count; at++) {
		struct bpf_insn *i = &t->flow.insns[at];

		if (!t->kept[at] || !is_small(i))
			continue;
		*i = (struct bpf_insn){ .code = FLOW_MOVE, .dst_reg = i->dst_reg, .imm = i->imm };
		t->kept[at + 1] = false;
	}
}

static void place(struct trim *t)
{
	uint32_t next = 0;

	for (size_t at = 0; at < t->flow.count; at++) {
		t->places[at] = next;
		next += t->kept[at];
	}
	t->places[t->flow.count] = next;
}

static void move(struct trim *t)
{
	for (size_t at = 0; at < t->flow.count; at++) {
		struct bpf_insn i = t->flow.insns[at];
		int32_t distance;

		if (!t->kept[at])
			continue;
		if (flow_is_jump(&i) || flow_is_reference(&i)) {
			distance = t->places[flow_target(t->flow.insns, at)] - t->places[at] - 1;
			if (flow_is_reference(&i))
				i.imm = distance;
			else
				i.off = distance;
		}
		t->flow.insns[t->places[at]] = i;
	}
}

static void move_functions(struct trim *t, struct bpf_func_info *functions, uint32_t *count)
{
	uint32_t left = 0;

	for (uint32_t f = 0; f < *count; f++) {
		uint32_t start = functions[f].insn_off;

		if (!t->flow.ways[start])
			continue;
		functions[left] = functions[f];
		functions[left++].insn_off = t->places[start];
	}
	*count = left;
}

static int make_room(struct trim *t)
{
	t->places = calloc(t->flow.count + 1, sizeof(*t->places));
	t->kept = calloc(t->flow.count, sizeof(*t->kept));
	return t->places && t->kept ? 0 : -ENOMEM;
}

static void clear(struct trim *t)
{
	flow_close(&t->flow);
	free(t->places);
	free(t->kept);
}

int trim_program(struct bpf_insn *insns, size_t *count, struct bpf_func_info *functions, uint32_t *function_count)
{
	struct trim t = {};
	int r = flow_open(&t.flow, insns, *count) ?: make_room(&t);

	if (!r) {
		choose_kept(&t);
		shorten_constants(&t);
		place(&t);
		move(&t);
		move_functions(&t, functions, function_count);
		*count = t.places[t.flow.count];
	}
	clear(&t);
	return r;
}
