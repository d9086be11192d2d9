/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/flow.h"

#define CALLER_SAVED 0x3f /* r0 to r5, which a call leaves unknown, as bits */
#define ARGUMENTS    0x3e /* r1 to r5, all of which it may read */

/*
 * What is known where ways meet. Between such places it follows from there, and is not kept: programs have thousands of
 * instructions.
 */
struct flow_state {
	uint64_t values[FLOW_REGISTERS];
	uint32_t at;       /* the instruction */
	uint16_t mask;     /* registers whose value is known, as bits */
	bool reached;
	bool waits;        /* is in flow.todo */
};

bool flow_is_jump(const struct bpf_insn *i)
{
	uint8_t class = BPF_CLASS(i->code), op = BPF_OP(i->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

bool flow_is_goto(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_JA);
}

static bool is_exit(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_EXIT);
}

bool flow_is_wide(const struct bpf_insn *i)
{
	return i->code == (BPF_LD | BPF_IMM | BPF_DW);
}

bool flow_is_reference(const struct bpf_insn *i)
{
	return (i->code == (BPF_JMP | BPF_CALL) && i->src_reg == BPF_PSEUDO_CALL) ||
	       (flow_is_wide(i) && i->src_reg == BPF_PSEUDO_FUNC);
}

uint64_t flow_wide_value(const struct bpf_insn *i)
{
	return (uint32_t)i[0].imm | (uint64_t)(uint32_t)i[1].imm << 32;
}

/* ---- what is reached, and with which values ---- */

/* This state comes to the instruction, too. What two ways do not agree on is unknown. */
static void meet(struct flow *f, size_t at, const struct flow_state *from)
{
	struct flow_state *k = &f->states[f->entries[at]];
	uint16_t mask = from->mask;

	if (k->reached) {
		mask &= k->mask;
		for (int r = 0; r < FLOW_REGISTERS; r++)
			if (k->values[r] != from->values[r])
				mask &= ~(1U << r);
		if (mask == k->mask)
			return;
	} else {
		memcpy(k->values, from->values, sizeof(k->values));
		k->reached = true;
	}
	k->mask = mask;
	if (!k->waits)
		f->todo[f->todo_count++] = f->entries[at];
	k->waits = true;
}

static bool get(const struct flow_state *k, int reg, uint64_t *value)
{
	*value = k->values[reg];
	return k->mask & 1U << reg;
}

static void set(struct flow_state *k, int reg, bool is_known, uint64_t value)
{
	k->mask = is_known ? k->mask | 1U << reg : k->mask & ~(1U << reg);
	k->values[reg] = value;
}

/* The second operand of an operation or comparison. */
static bool operand(const struct flow_state *k, const struct bpf_insn *i, uint64_t *value)
{
	if (BPF_SRC(i->code) == BPF_X)
		return get(k, i->src_reg, value);
	*value = (int64_t)i->imm;
	return true;
}

/* In 64 bits. False: an operation that need not be known. */
static bool compute(uint8_t op, uint64_t a, uint64_t b, uint64_t *result)
{
	switch (op) {
	case BPF_MOV:
		*result = b;
		return true;
	case BPF_ADD:
		*result = a + b;
		return true;
	case BPF_SUB:
		*result = a - b;
		return true;
	case BPF_AND:
		*result = a & b;
		return true;
	case BPF_OR:
		*result = a | b;
		return true;
	case BPF_XOR:
		*result = a ^ b;
		return true;
	case BPF_LSH:
		*result = a << (b & 63);
		return true;
	case BPF_RSH:
		*result = a >> (b & 63);
		return true;
	default:
		return false;
	}
}

static void calculate(struct flow_state *k, const struct bpf_insn *i)
{
	uint64_t a, b, result = 0;
	bool known = operand(k, i, &b) && !i->off; /* off: signed division, moves with sign extension */

	known &= BPF_OP(i->code) == BPF_MOV || get(k, i->dst_reg, &a);
	known = known && compute(BPF_OP(i->code), a, b, &result);
	if (BPF_CLASS(i->code) == BPF_ALU) {
		known &= BPF_OP(i->code) == BPF_MOV;
		result = (uint32_t)result;
	}
	set(k, i->dst_reg, known, result);
}

/* What the instruction makes of the registers. */
static void apply(struct flow_state *k, const struct bpf_insn *i)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		calculate(k, i);
		return;
	case BPF_LD:
		if (flow_is_wide(i))
			set(k, i->dst_reg, !i->src_reg, flow_wide_value(i));
		else
			k->mask = 0; /* the old loads from packets, which there are none of */
		return;
	case BPF_LDX:
		set(k, i->dst_reg, false, 0);
		return;
	case BPF_STX:
		if (BPF_MODE(i->code) == BPF_ATOMIC) { /* may fetch, or (load-acquire, Linux 6.15) load */
			set(k, i->src_reg, false, 0);
			set(k, i->dst_reg, false, 0);
			set(k, 0, false, 0);
		}
		return;
	case BPF_JMP:
		if (BPF_OP(i->code) == BPF_CALL)
			k->mask &= ~CALLER_SAVED;
		return;
	}
}

static bool compare(uint8_t op, uint64_t a, uint64_t b, enum flow_way *way)
{
	switch (op) {
	case BPF_JEQ:
		*way = a == b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	case BPF_JNE:
		*way = a != b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	case BPF_JGT:
		*way = a > b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	case BPF_JGE:
		*way = a >= b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	case BPF_JLT:
		*way = a < b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	case BPF_JLE:
		*way = a <= b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	case BPF_JSET:
		*way = a & b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	case BPF_JSGT:
		*way = (int64_t)a > (int64_t)b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	case BPF_JSGE:
		*way = (int64_t)a >= (int64_t)b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	case BPF_JSLT:
		*way = (int64_t)a < (int64_t)b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	case BPF_JSLE:
		*way = (int64_t)a <= (int64_t)b ? FLOW_TAKEN : FLOW_NOT_TAKEN;
		return true;
	default:
		return false;
	}
}

/* Where the instruction goes. */
static enum flow_way decide(const struct flow_state *k, const struct bpf_insn *i)
{
	enum flow_way way = FLOW_BOTH;
	uint64_t a, b;

	if (!flow_is_jump(i))
		return FLOW_NOT_TAKEN;
	if (flow_is_goto(i))
		return FLOW_TAKEN;
	if (!get(k, i->dst_reg, &a) || !operand(k, i, &b))
		return FLOW_BOTH;
	if (BPF_CLASS(i->code) == BPF_JMP32) { /* right for signed numbers and for others */
		a = (int64_t)(int32_t)a;
		b = (int64_t)(int32_t)b;
	}
	return compare(BPF_OP(i->code), a, b, &way) ? way : FLOW_BOTH;
}

size_t flow_target(const struct bpf_insn *insns, size_t at)
{
	return at + 1 + (flow_is_reference(&insns[at]) ? insns[at].imm : insns[at].off);
}

static size_t next_of(const struct flow *f, size_t at)
{
	return at + (flow_is_wide(&f->insns[at]) ? 2 : 1);
}

/* Goes on from where ways meet to where they meet next. */
static void walk(struct flow *f, struct flow_state *from)
{
	const struct flow_state nothing = { .reached = true };
	struct flow_state k = *from;
	size_t at = from->at;

	from->waits = false;
	do {
		const struct bpf_insn *i = &f->insns[at];
		enum flow_way way = decide(&k, i);

		if (is_exit(i))
			return;
		if (flow_is_reference(i))
			meet(f, flow_target(f->insns, at), &nothing);
		apply(&k, i);
		if (way != FLOW_NOT_TAKEN)
			meet(f, flow_target(f->insns, at), &k);
		if (way == FLOW_TAKEN)
			return;
		at = next_of(f, at);
	} while (!f->entries[at]);
	meet(f, at, &k);
}

static void find_reached(struct flow *f)
{
	const struct flow_state nothing = { .reached = true };

	meet(f, 0, &nothing);
	while (f->todo_count)
		walk(f, &f->states[f->todo[--f->todo_count]]);
}

/* What is the same whenever it is computed need not be computed. */
static void fold(struct bpf_insn *i, const struct flow_state *behind)
{
	uint8_t class = BPF_CLASS(i->code);
	uint64_t value;

	if ((class == BPF_ALU64 || class == BPF_ALU) && get(behind, i->dst_reg, &value) &&
	    (int64_t)value == (int32_t)value)
		*i = (struct bpf_insn){ .code = FLOW_MOVE, .dst_reg = i->dst_reg, .imm = value };
}

/* When all is known where ways meet: what each instruction between this place and the next ones does. */
static void conclude(struct flow *f, struct flow_state k)
{
	size_t at = k.at;

	do {
		struct bpf_insn *i = &f->insns[at];

		f->ways[at] = decide(&k, i);
		if (is_exit(i) || f->ways[at] == FLOW_TAKEN)
			return;
		apply(&k, i);
		fold(i, &k);
		at = next_of(f, at);
	} while (!f->entries[at]);
}

/* ---- what somebody reads ---- */

/* Does it write a register and nothing else? */
static bool only_writes(const struct bpf_insn *i)
{
	uint8_t class = BPF_CLASS(i->code);

	return class == BPF_ALU || class == BPF_ALU64 || class == BPF_LDX || flow_is_wide(i);
}

/* The registers that it reads, as bits. */
static uint16_t reads(const struct bpf_insn *i)
{
	uint16_t dst = 1U << i->dst_reg, src = 1U << i->src_reg;

	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		/* byte swaps have no second operand, whatever their bit says */
		return (BPF_OP(i->code) == BPF_MOV ? 0 : dst) | (BPF_SRC(i->code) == BPF_X ? src : 0);
	case BPF_LDX:
		return src;
	case BPF_ST:
		return dst;
	case BPF_STX:
		return dst | src | 1; /* r0: compare and exchange */
	case BPF_LD:
		return flow_is_wide(i) ? 0 : UINT16_MAX;
	default:
		if (BPF_OP(i->code) == BPF_CALL)
			return ARGUMENTS;
		return is_exit(i) ? 1 : flow_is_goto(i) ? 0 : dst | (BPF_SRC(i->code) == BPF_X ? src : 0);
	}
}

/* Registers that are wanted behind it, on any of its ways. */
static uint16_t wanted_behind(const struct flow *f, size_t at)
{
	uint16_t wanted = 0;

	if (is_exit(&f->insns[at]))
		return 0;
	if (f->ways[at] != FLOW_NOT_TAKEN)
		wanted |= f->wanted[flow_target(f->insns, at)];
	if (f->ways[at] != FLOW_TAKEN)
		wanted |= f->wanted[next_of(f, at)];
	return wanted;
}

bool flow_is_idle(const struct flow *f, size_t at)
{
	const struct bpf_insn *i = &f->insns[at];

	return only_writes(i) && !(wanted_behind(f, at) & 1U << i->dst_reg);
}

static uint16_t wanted_from(const struct flow *f, size_t at)
{
	const struct bpf_insn *i = &f->insns[at];
	uint16_t wanted = wanted_behind(f, at);

	if (flow_is_idle(f, at) || (flow_is_jump(i) && f->ways[at] != FLOW_BOTH))
		return wanted;
	if (BPF_CLASS(i->code) == BPF_JMP && BPF_OP(i->code) == BPF_CALL)
		wanted &= ~CALLER_SAVED;
	else if (only_writes(i))
		wanted &= ~(1U << i->dst_reg);
	return wanted | reads(i);
}

static void find_wanted(struct flow *f)
{
	bool changed;

	do {
		changed = false;
		for (size_t at = f->count; at-- > 0;) {
			uint16_t wanted;

			if (!f->ways[at])
				continue;
			wanted = wanted_from(f, at);
			changed |= wanted != f->wanted[at];
			f->wanted[at] = wanted;
		}
	} while (changed);
}

/* Numbers the instructions that are jumped to, and the first. Returns the next number. */
static uint32_t number_entries(struct flow *f)
{
	uint32_t count = 1;

	f->entries[0] = count++;
	for (size_t at = 0; at < f->count; at = next_of(f, at)) {
		const struct bpf_insn *i = &f->insns[at];
		uint32_t *entry;

		if (!flow_is_jump(i) && !flow_is_reference(i))
			continue;
		entry = &f->entries[flow_target(f->insns, at)];
		if (!*entry)
			*entry = count++;
	}
	return count;
}

static int make_room(struct flow *f)
{
	uint32_t count;

	f->ways = calloc(f->count, sizeof(*f->ways));
	f->wanted = calloc(f->count, sizeof(*f->wanted));
	f->entries = calloc(f->count, sizeof(*f->entries));
	if (!f->ways || !f->wanted || !f->entries)
		return -ENOMEM;
	count = number_entries(f);
	f->states = calloc(count, sizeof(*f->states));
	f->todo = calloc(count, sizeof(*f->todo));
	if (!f->states || !f->todo)
		return -ENOMEM;
	for (size_t at = 0; at < f->count; at++)
		f->states[f->entries[at]].at = at;
	return 0;
}

int flow_open(struct flow *f, struct bpf_insn *insns, size_t count)
{
	int r;

	*f = (struct flow){ .insns = insns, .count = count };
	r = make_room(f);
	if (r)
		return r;
	find_reached(f);
	for (size_t at = 0; at < f->count; at++)
		if (f->entries[at] && f->states[f->entries[at]].reached)
			conclude(f, f->states[f->entries[at]]);
	find_wanted(f);
	return 0;
}

void flow_close(struct flow *f)
{
	free(f->ways);
	free(f->wanted);
	free(f->entries);
	free(f->states);
	free(f->todo);
	memset(f, 0, sizeof(*f));
}
