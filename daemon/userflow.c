/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/userflow.h"

#define STACK_BYTES 512
#define ORDERED     0x100 /* in BPF_LOAD_ACQ and BPF_STORE_REL, which older headers do not have */
#define CALLER_REGS 0x3f /* r0 to r5, which a call does not keep */

static const struct userflow_value number = { USERFLOW_NUMBER, 0 }, data = { USERFLOW_DATA, 0 };

static bool is_wide(const struct bpf_insn *i)
{
	return i->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool is_call(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_CALL);
}

static bool is_exit(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_EXIT);
}

static bool is_jump(const struct bpf_insn *i)
{
	uint8_t class = BPF_CLASS(i->code);

	return (class == BPF_JMP || class == BPF_JMP32) && !is_call(i) && !is_exit(i);
}

static bool is_always(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_JA);
}

bool userflow_is_second(const struct userflow *f, uint32_t insn)
{
	return insn && is_wide(&f->insns[insn - 1]) && f->insns[insn].code == 0;
}

uint32_t userflow_function(const struct userflow *f, uint32_t insn)
{
	uint32_t i = f->functions - 1;

	while (f->starts[i] > insn)
		i--;
	return i;
}

static uint32_t end_of(const struct userflow *f, uint32_t function)
{
	return function + 1 < f->functions ? f->starts[function + 1] : f->count;
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int userflow_starts(const struct bpf_insn *insns, uint32_t count, uint32_t *starts, uint32_t most, uint32_t *functions)
{
	uint32_t n = 1;

	starts[0] = 0;
	for (uint32_t i = 0; i < count; i++) {
		int64_t start = (int64_t)i + 1 + insns[i].imm;
		uint32_t k = 0;

		if (!is_call(&insns[i]) || insns[i].src_reg != BPF_PSEUDO_CALL)
			continue;
		if (start <= 0 || start >= count)
			return -EINVAL;
		while (k < n && starts[k] != start)
			k++;
		if (k == most)
			return -E2BIG;
		starts[k] = start;
		n += k == n;
	}
	qsort(starts, n, sizeof(*starts), compare);
	*functions = n;
	return 0;
}

/* ---- is it code at all? ---- */

static int64_t called(const struct userflow *f, uint32_t at)
{
	int64_t target = (int64_t)at + 1 + f->insns[at].imm;

	for (uint32_t i = 0; i < f->functions; i++)
		if (f->starts[i] == target)
			return i;
	return -EINVAL;
}

/* Load-acquire and store-release, which Linux has since 6.15 in the place of atomic operations. */
static bool is_ordered(const struct bpf_insn *i)
{
	return BPF_CLASS(i->code) == BPF_STX && BPF_MODE(i->code) == BPF_ATOMIC && i->imm & ORDERED;
}

static bool is_good(const struct userflow *f, uint32_t at, uint32_t end)
{
	const struct bpf_insn *i = &f->insns[at];
	int64_t target = (int64_t)at + 1 + i->off, begin = f->starts[userflow_function(f, at)];

	if (i->dst_reg >= USERFLOW_REGS)
		return false;
	if (is_wide(i))
		return at + 2 < end && (!i->src_reg || i->src_reg == BPF_PSEUDO_MAP_VALUE) &&
		       !f->insns[at + 1].code; /* something follows */
	if (is_call(i))
		return at + 1 < end && (i->src_reg != BPF_PSEUDO_CALL || called(f, at) > 0);
	if (i->src_reg >= USERFLOW_REGS || i->code == (BPF_JMP32 | BPF_JA) || is_ordered(i))
		return false;
	if (!is_jump(i))
		return at + 1 < end || is_exit(i);
	return target >= begin && target < end && !userflow_is_second(f, target) && (at + 1 < end || is_always(i));
}

static int check(const struct userflow *f, uint32_t *at)
{
	for (uint32_t n = 0; n < f->functions; n++) {
		for (*at = f->starts[n]; *at < end_of(f, n); ++*at) {
			if (!is_good(f, *at, end_of(f, n)))
				return -EINVAL;
			if (is_wide(&f->insns[*at]))
				++*at;
		}
	}
	return 0;
}

/* ---- forwards: what registers have ---- */

static struct userflow_value meet(struct userflow_value a, struct userflow_value b)
{
	if (a.what == USERFLOW_NOTHING || b.what == USERFLOW_NOTHING)
		return (struct userflow_value){ USERFLOW_NOTHING, 0 };
	if (a.what != b.what)
		return (struct userflow_value){ USERFLOW_MIXED, 0 };
	if (a.offset != b.offset)
		a.offset = USERFLOW_UNKNOWN;
	return a;
}

/* True: what is known there has changed. */
static bool flow_into(struct userflow *f, uint32_t at, const struct userflow_state *from)
{
	struct userflow_state *to = &f->states[at], before;

	if (!to->reached) {
		*to = *from;
		to->reached = true;
		return true;
	}
	memcpy(&before, to, sizeof(before));
	for (int r = 0; r < USERFLOW_REGS; r++)
		to->regs[r] = meet(to->regs[r], from->regs[r]);
	for (int s = 0; s < USERFLOW_SLOTS; s++)
		if (to->slots[s] != from->slots[s])
			to->slots[s] = USERFLOW_NUMBER;
	return memcmp(to, &before, offsetof(struct userflow_state, reached)) != 0;
}

static void note_depth(struct userflow *f, uint32_t at, int offset)
{
	uint32_t *depth = &f->depths[userflow_function(f, at)];

	if (offset < 0 && -offset <= STACK_BYTES && (uint32_t)-offset > *depth)
		*depth = -offset;
}

/* The slot of 8 bytes at this place, or NULL: it is none. */
static uint8_t *slot(struct userflow_state *s, struct userflow_value base, int offset, uint8_t code)
{
	int at = base.offset + offset;

	if (base.what != USERFLOW_STACK || base.offset == USERFLOW_UNKNOWN || at >= 0 || at < -STACK_BYTES)
		return NULL;
	/* what is written in part is no pointer any more */
	return at % 8 && BPF_SIZE(code) == BPF_DW ? NULL : &s->slots[(-at - 1) / 8];
}

static struct userflow_value moved(struct userflow_value v, int64_t by)
{
	int64_t to = v.offset + by;

	if (v.what == USERFLOW_STACK)
		v.offset = v.offset == USERFLOW_UNKNOWN || to > STACK_BYTES || to < -STACK_BYTES ?
				   USERFLOW_UNKNOWN : to;
	return v;
}

static bool is_pointer(struct userflow_value v)
{
	return v.what > USERFLOW_NUMBER;
}

static struct userflow_value add(const struct bpf_insn *i, struct userflow_value a, struct userflow_value b)
{
	bool minus = BPF_OP(i->code) == BPF_SUB;

	if (BPF_SRC(i->code) == BPF_K)
		return moved(a, minus ? -(int64_t)i->imm : i->imm);
	if (is_pointer(a) && is_pointer(b))
		return number;
	if (!is_pointer(a) && (minus || !is_pointer(b)))
		return number;
	a = is_pointer(a) ? a : b;
	a.offset = a.what == USERFLOW_STACK ? USERFLOW_UNKNOWN : 0;
	return a;
}

static void compute(struct userflow *f, uint32_t at, struct userflow_state *s)
{
	const struct bpf_insn *i = &f->insns[at];
	struct userflow_value *d = &s->regs[i->dst_reg], from = s->regs[i->src_reg];

	if (BPF_CLASS(i->code) == BPF_ALU64 && BPF_OP(i->code) == BPF_MOV)
		*d = BPF_SRC(i->code) == BPF_X && !i->off ? from : number;
	else if (BPF_CLASS(i->code) == BPF_ALU64 && (BPF_OP(i->code) == BPF_ADD || BPF_OP(i->code) == BPF_SUB))
		*d = add(i, *d, from);
	else
		*d = number;
	if (d->what == USERFLOW_STACK && d->offset != USERFLOW_UNKNOWN)
		note_depth(f, at, d->offset);
}

static void load(struct userflow *f, uint32_t at, struct userflow_state *s)
{
	const struct bpf_insn *i = &f->insns[at];
	const uint8_t *from = slot(s, s->regs[i->src_reg], i->off, i->code);

	if (s->regs[i->src_reg].what == USERFLOW_STACK)
		note_depth(f, at, s->regs[i->src_reg].offset + i->off);
	s->regs[i->dst_reg] = number;
	if (from && BPF_SIZE(i->code) == BPF_DW && *from > USERFLOW_NUMBER)
		s->regs[i->dst_reg] = (struct userflow_value){ *from, *from == USERFLOW_STACK ? USERFLOW_UNKNOWN : 0 };
}

static void store(struct userflow *f, uint32_t at, struct userflow_state *s)
{
	const struct bpf_insn *i = &f->insns[at];
	uint8_t *to = slot(s, s->regs[i->dst_reg], i->off, i->code);
	bool whole = BPF_CLASS(i->code) == BPF_STX && BPF_SIZE(i->code) == BPF_DW && BPF_MODE(i->code) == BPF_MEM;

	if (s->regs[i->dst_reg].what == USERFLOW_STACK)
		note_depth(f, at, s->regs[i->dst_reg].offset + i->off);
	if (to)
		*to = whole && is_pointer(s->regs[i->src_reg]) ? s->regs[i->src_reg].what : USERFLOW_NUMBER;
	/* an atomic operation that fetches, or compares and exchanges */
	if (BPF_CLASS(i->code) == BPF_STX && BPF_MODE(i->code) == BPF_ATOMIC && i->imm & BPF_FETCH)
		s->regs[i->imm == BPF_CMPXCHG ? 0 : i->src_reg] = number;
}

/* A function gets the registers of each of its callers; places on their stacks are not places on its own. */
static bool enter(struct userflow *f, uint32_t function, const struct userflow_state *s)
{
	struct userflow_state entry = {};

	for (int r = 1; r <= 5; r++) {
		entry.regs[r] = s->regs[r];
		if (entry.regs[r].what == USERFLOW_STACK)
			entry.regs[r].offset = USERFLOW_UNKNOWN;
	}
	entry.regs[10].what = USERFLOW_STACK;
	memset(entry.slots, USERFLOW_NUMBER, sizeof(entry.slots));
	return flow_into(f, f->starts[function], &entry);
}

/* True: the function that is called has to be looked at again. */
static bool call(struct userflow *f, uint32_t at, struct userflow_state *s)
{
	const struct bpf_insn *i = &f->insns[at];
	int64_t function = i->src_reg == BPF_PSEUDO_CALL ? called(f, at) : -1;
	bool again = function >= 0 && enter(f, function, s);

	s->regs[0] = function >= 0 && is_pointer(f->results[function]) ? f->results[function] : number;
	if (s->regs[0].what == USERFLOW_STACK)
		s->regs[0].offset = USERFLOW_UNKNOWN;
	for (int r = 1; r <= 5; r++)
		s->regs[r].what = USERFLOW_NOTHING;
	return again;
}

static bool leave(struct userflow *f, uint32_t at, const struct userflow_state *s)
{
	struct userflow_value *result = &f->results[userflow_function(f, at)], before = *result;

	/* what is known only ever gets less, or this would have no end */
	*result = result->what == USERFLOW_NOTHING && result->offset ? s->regs[0] : meet(*result, s->regs[0]);
	return memcmp(result, &before, sizeof(before)) != 0;
}

/* One instruction. True: something is known that was not before. */
static bool step(struct userflow *f, uint32_t at)
{
	const struct bpf_insn *i = &f->insns[at];
	struct userflow_state s = f->states[at];
	uint8_t class = BPF_CLASS(i->code);
	bool changed = false;

	if (is_exit(i))
		return leave(f, at, &s);
	if (is_jump(i))
		changed |= flow_into(f, at + 1 + i->off, &s);
	else if (is_call(i))
		changed |= call(f, at, &s);
	else if (is_wide(i))
		s.regs[i->dst_reg] = i->src_reg ? data : number;
	else if (class == BPF_ALU64 || class == BPF_ALU)
		compute(f, at, &s);
	else if (class == BPF_LDX)
		load(f, at, &s);
	else if (class == BPF_ST || class == BPF_STX)
		store(f, at, &s);
	if (!is_always(i))
		changed |= flow_into(f, at + (is_wide(i) ? 2 : 1), &s);
	return changed;
}

static void forwards(struct userflow *f)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < f->count; i++)
			if (f->states[i].reached && !userflow_is_second(f, i))
				changed |= step(f, i);
	}
}

/* ---- backwards: what is needed later ---- */

static uint16_t bit(unsigned reg)
{
	return 1u << reg;
}

static uint16_t reads(const struct bpf_insn *i)
{
	uint8_t class = BPF_CLASS(i->code);

	if (is_exit(i))
		return bit(0);
	if (is_call(i))
		return CALLER_REGS & ~bit(0);
	if (is_wide(i) || is_always(i))
		return 0;
	if (class == BPF_LDX)
		return bit(i->src_reg);
	if (class == BPF_STX)
		return bit(i->dst_reg) | bit(i->src_reg) | bit(0); /* r0: compare and exchange */
	if (class == BPF_ST)
		return bit(i->dst_reg);
	if (BPF_OP(i->code) == BPF_MOV && class != BPF_JMP && class != BPF_JMP32)
		return BPF_SRC(i->code) == BPF_X ? bit(i->src_reg) : 0;
	return bit(i->dst_reg) | (BPF_SRC(i->code) == BPF_X ? bit(i->src_reg) : 0);
}

static uint16_t sets(const struct bpf_insn *i)
{
	uint8_t class = BPF_CLASS(i->code);

	if (is_call(i))
		return CALLER_REGS;
	return class == BPF_LDX || class == BPF_LD || class == BPF_ALU || class == BPF_ALU64 ? bit(i->dst_reg) : 0;
}

static uint16_t needed_before(const struct userflow *f, uint32_t at)
{
	return reads(&f->insns[at]) | (f->needed[at] & ~sets(&f->insns[at]));
}

static uint16_t needed_behind(const struct userflow *f, uint32_t at)
{
	const struct bpf_insn *i = &f->insns[at];
	uint16_t needed = 0;

	if (is_exit(i))
		return 0;
	if (is_jump(i))
		needed |= needed_before(f, at + 1 + i->off);
	if (!is_always(i))
		needed |= needed_before(f, at + (is_wide(i) ? 2 : 1));
	return needed;
}

static void backwards(struct userflow *f)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t n = f->count; n-- > 0;) {
			uint16_t needed = f->states[n].reached ? needed_behind(f, n) : 0;

			changed |= needed != f->needed[n];
			f->needed[n] = needed;
		}
	}
}

int userflow_make(struct userflow *f, const struct userflow_value regs[USERFLOW_REGS], uint32_t *at)
{
	struct userflow_state entry = {};

	f->states = calloc(f->count + 1, sizeof(*f->states));
	f->needed = calloc(f->count + 1, sizeof(*f->needed));
	f->depths = calloc(f->functions, sizeof(*f->depths));
	f->results = calloc(f->functions, sizeof(*f->results));
	if (!f->states || !f->needed || !f->depths || !f->results)
		return -ENOMEM;
	if (check(f, at))
		return -EINVAL;
	for (uint32_t i = 0; i < f->functions; i++)
		f->results[i] = (struct userflow_value){ USERFLOW_NOTHING, USERFLOW_UNKNOWN }; /* none returned yet */
	memcpy(entry.regs, regs, sizeof(entry.regs));
	entry.regs[10] = (struct userflow_value){ USERFLOW_STACK, 0 };
	memset(entry.slots, USERFLOW_NUMBER, sizeof(entry.slots));
	flow_into(f, 0, &entry);
	forwards(f);
	backwards(f);
	return 0;
}

void userflow_clear(struct userflow *f)
{
	free(f->states);
	free(f->needed);
	free(f->depths);
	free(f->results);
	f->states = NULL;
	f->needed = NULL;
	f->depths = NULL;
	f->results = NULL;
}
