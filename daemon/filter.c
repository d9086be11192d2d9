/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/filter.h>

#include "bpf/filter_abi.h"
#include "daemon/ebpf.h"
#include "daemon/filter.h"
#include "daemon/filtercheck.h"
#include "daemon/filterload.h"

#define LABEL_REJECT 0
#define LABEL_RAW    1
#define FIRST_LABEL  2

struct emitter {
	struct ebpf code;
	const struct filter_target *target;
	struct filterload loads; /* of the start that is being translated */
	int slots[BPF_MEMWORDS]; /* place of M[] on the stack, below R10; 0: not used */
};

static void leave(struct emitter *e, bool match)
{
	ebpf_alu64_imm(&e->code, BPF_MOV, BPF_REG_0, match);
	ebpf_emit(&e->code, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

/*
 * bpf_filter() finds no bytes there in any packet. With X that is just as true: a sum that does not
 * fit in 32 bits rejects the packet.
 */
static bool never_loads(const struct filter_insn *insn)
{
	int class = BPF_CLASS(insn->code), mode = BPF_MODE(insn->code);

	return (class == BPF_LD || class == BPF_LDX) && insn->k > FILTERLOAD_OFFSET_MAX &&
	       (mode == BPF_ABS || mode == BPF_IND || mode == BPF_MSH);
}

/* ---- classic instructions ---- */

static void translate_load(struct emitter *e, const struct filter_insn *insn, int dst)
{
	static const uint32_t bytes[] = {[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1};
	uint32_t size = bytes[BPF_SIZE(insn->code) >> 3];

	switch (BPF_MODE(insn->code)) {
	case BPF_ABS:
		filterload_absolute(&e->loads, dst, insn->k, size);
		break;
	case BPF_IND:
		filterload_computed(&e->loads, insn->k, size);
		break;
	case BPF_MSH:
		filterload_absolute(&e->loads, dst, insn->k, 1);
		ebpf_alu32_imm(&e->code, BPF_AND, dst, 0xf);
		ebpf_alu32_imm(&e->code, BPF_LSH, dst, 2);
		break;
	case BPF_LEN:
		ebpf_load(&e->code, BPF_W, dst, FILTERLOAD_PKT, offsetof(struct netcap_packet, wire_len));
		break;
	case BPF_IMM:
		ebpf_alu32_imm(&e->code, BPF_MOV, dst, insn->k);
		break;
	case BPF_MEM:
		ebpf_load(&e->code, BPF_W, dst, BPF_REG_10, e->slots[insn->k]);
		break;
	}
}

/* A register as the shift count: eBPF would take it modulo 32, bpf_filter() shifts everything out.
 */
static void translate_shift(struct emitter *e, int op)
{
	size_t small = ebpf_labels(&e->code, 2);
	size_t done = small + 1;

	ebpf_jump_if(&e->code, BPF_JMP32, BPF_JLT, FILTERLOAD_X, 32, small);
	ebpf_alu32_imm(&e->code, BPF_MOV, FILTERLOAD_A, 0);
	ebpf_jump(&e->code, done);
	ebpf_place(&e->code, small);
	ebpf_alu32(&e->code, op, FILTERLOAD_A, FILTERLOAD_X);
	ebpf_place(&e->code, done);
}

static void translate_alu(struct emitter *e, const struct filter_insn *insn)
{
	int op = BPF_OP(insn->code);

	if (op == BPF_NEG) {
		ebpf_emit(&e->code, (struct bpf_insn){.code = BPF_ALU | BPF_NEG, .dst_reg = FILTERLOAD_A});
	} else if (BPF_SRC(insn->code) == BPF_K) {
		ebpf_alu32_imm(&e->code, op, FILTERLOAD_A, insn->k);
	} else if (op == BPF_LSH || op == BPF_RSH) {
		translate_shift(e, op);
	} else {
		if (op == BPF_DIV || op == BPF_MOD)
			ebpf_jump_if(&e->code, BPF_JMP32, BPF_JEQ, FILTERLOAD_X, 0, LABEL_REJECT);
		ebpf_alu32(&e->code, op, FILTERLOAD_A, FILTERLOAD_X);
	}
}

static void compare(struct emitter *e, const struct filter_insn *insn, int op, size_t label)
{
	if (BPF_SRC(insn->code) == BPF_X)
		ebpf_jump_if_reg(&e->code, BPF_JMP32, op, FILTERLOAD_A, FILTERLOAD_X, label);
	else
		ebpf_jump_if(&e->code, BPF_JMP32, op, FILTERLOAD_A, insn->k, label);
}

/* The condition that holds when op does not, or -1. */
static int opposite(int op)
{
	switch (op) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JGE:
		return BPF_JLT;
	default:
		return -1;
	}
}

/* next: label of the following classic instruction. */
static void translate_jump(struct emitter *e, const struct filter_insn *insn, size_t next)
{
	int op = BPF_OP(insn->code);

	if (op == BPF_JA) {
		if (insn->k)
			ebpf_jump(&e->code, next + insn->k);
	} else if (insn->jt == insn->jf) {
		if (insn->jt)
			ebpf_jump(&e->code, next + insn->jt);
	} else if (insn->jt == 0 && opposite(op) >= 0) {
		compare(e, insn, opposite(op), next + insn->jf);
	} else {
		compare(e, insn, op, next + insn->jt);
		if (insn->jf)
			ebpf_jump(&e->code, next + insn->jf);
	}
}

static void translate_return(struct emitter *e, const struct filter_insn *insn)
{
	if (BPF_RVAL(insn->code) == BPF_A) {
		ebpf_mov64(&e->code, BPF_REG_0, FILTERLOAD_A);
		ebpf_emit(&e->code, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
	} else {
		leave(e, insn->k != 0);
	}
}

static void translate_insn(struct emitter *e, const struct filter_insn *insn, size_t next)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		translate_load(e, insn, FILTERLOAD_A);
		break;
	case BPF_LDX:
		translate_load(e, insn, FILTERLOAD_X);
		break;
	case BPF_ST:
		ebpf_store32(&e->code, BPF_REG_10, e->slots[insn->k], FILTERLOAD_A);
		break;
	case BPF_STX:
		ebpf_store32(&e->code, BPF_REG_10, e->slots[insn->k], FILTERLOAD_X);
		break;
	case BPF_ALU:
		translate_alu(e, insn);
		break;
	case BPF_JMP:
		translate_jump(e, insn, next);
		break;
	case BPF_RET:
		translate_return(e, insn);
		break;
	case BPF_MISC:
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			ebpf_alu32(&e->code, BPF_MOV, FILTERLOAD_X, FILTERLOAD_A);
		else
			ebpf_alu32(&e->code, BPF_MOV, FILTERLOAD_A, FILTERLOAD_X);
		break;
	}
}

/* ---- the whole ---- */

static void mark_successors(bool *reachable, const struct filter_insn *insn, size_t i)
{
	if (BPF_CLASS(insn->code) == BPF_RET || never_loads(insn))
		return;
	if (BPF_CLASS(insn->code) != BPF_JMP) {
		reachable[i + 1] = true;
	} else if (BPF_OP(insn->code) == BPF_JA) {
		reachable[i + 1 + insn->k] = true;
	} else {
		reachable[i + 1 + insn->jt] = true;
		reachable[i + 1 + insn->jf] = true;
	}
}

/* Leaves out what cannot be reached: the verifier refuses a program that has such code. */
static void translate_insns(struct emitter *e, const struct filter_classic *program,
			    bool *reachable)
{
	size_t first = ebpf_labels(&e->code, program->count);

	reachable[0] = true;
	for (size_t i = 0; i < program->count; i++) {
		const struct filter_insn *insn = &program->insns[i];

		ebpf_place(&e->code, first + i);
		if (!reachable[i])
			continue;
		mark_successors(reachable, insn, i);
		if (never_loads(insn))
			ebpf_jump(&e->code, LABEL_REJECT);
		else
			translate_insn(e, insn, first + i + 1);
	}
	filterload_finish(&e->loads, LABEL_REJECT);
}

static void translate_program(struct emitter *e, const struct filter_classic *program)
{
	bool *reachable = calloc(program->count, sizeof(*reachable));

	if (!filterload_begin(&e->loads, &e->code, e->target, program->count) && reachable)
		translate_insns(e, program, reachable);
	else
		e->code.error = -ENOMEM;
	filterload_clear(&e->loads);
	free(reachable);
}

/* Gives each word of scratch memory in use a place on the stack. */
static void assign_slots(struct emitter *e, const struct filter_classic *program, int *bytes)
{
	for (size_t i = 0; i < program->count; i++) {
		const struct filter_insn *insn = &program->insns[i];

		if (!filtercheck_uses_memory(insn->code) || e->slots[insn->k])
			continue;
		*bytes += 4;
		e->slots[insn->k] = -*bytes;
	}
}

static void emit_prologue(struct emitter *e, const struct filter_programs *programs)
{
	int bytes = 0;

	ebpf_mov64(&e->code, FILTERLOAD_PKT, BPF_REG_1);
	if (e->target->access == NETCAP_ACCESS_DIRECT) {
		ebpf_mov64(&e->code, FILTERLOAD_BASE, BPF_REG_2);
	} else {
		ebpf_mov64(&e->code, FILTERLOAD_BASE, BPF_REG_1);
		ebpf_alu64_imm(&e->code, BPF_ADD, FILTERLOAD_BASE, offsetof(struct netcap_packet, window));
	}
	ebpf_alu64_imm(&e->code, BPF_MOV, FILTERLOAD_A, 0);
	ebpf_alu64_imm(&e->code, BPF_MOV, FILTERLOAD_X, 0);
	assign_slots(e, &programs->ethernet, &bytes);
	assign_slots(e, &programs->raw, &bytes);
	for (int offset = 4; offset <= bytes; offset += 4)
		ebpf_emit(&e->code, (struct bpf_insn){.code = BPF_ST | BPF_MEM | BPF_W,
						      .dst_reg = BPF_REG_10,
						      .off = (int16_t)-offset});
	ebpf_load(&e->code, BPF_H, BPF_REG_1, FILTERLOAD_PKT, offsetof(struct netcap_packet, link));
	ebpf_jump_if(&e->code, BPF_JMP, BPF_JEQ, BPF_REG_1, NETCAP_LINK_RAW, LABEL_RAW);
	ebpf_jump_if(&e->code, BPF_JMP, BPF_JNE, BPF_REG_1, NETCAP_LINK_ETHERNET, LABEL_REJECT);
}

static void translate(struct emitter *e, const struct filter_programs *programs)
{
	ebpf_labels(&e->code, FIRST_LABEL);
	emit_prologue(e, programs);
	translate_program(e, &programs->ethernet);
	ebpf_place(&e->code, LABEL_RAW);
	translate_program(e, &programs->raw);
	ebpf_place(&e->code, LABEL_REJECT);
	leave(e, false);
}

static int explain(int err, size_t count, char *why, size_t size)
{
	if (err == -E2BIG)
		snprintf(
		    why, size,
		    "the filter is too large: it makes %zu BPF instructions, and a jump in "
		    "them can only span %d; use a shorter expression, such as networks or port "
		    "ranges instead of single values",
		    count, INT16_MAX);
	else if (err)
		snprintf(why, size, "no memory to translate the filter");
	return err;
}

int filter_translate(const struct filter_programs *programs, const struct filter_target *target,
		     struct filter_code *out, char *why, size_t size)
{
	struct emitter e = {.target = target};
	int err;

	*out = (struct filter_code){0};
	err = filtercheck_program(&programs->ethernet, why, size);
	if (!err)
		err = filtercheck_program(&programs->raw, why, size);
	if (err)
		return err;
	translate(&e, programs);
	err = explain(ebpf_resolve(&e.code), e.code.count, why, size);
	if (!err) {
		*out = (struct filter_code){.insns = e.code.insns, .count = e.code.count};
		e.code.insns = NULL;
	}
	ebpf_clear(&e.code);
	return err;
}

void filter_code_clear(struct filter_code *code)
{
	if (!code)
		return;
	free(code->insns);
	*code = (struct filter_code){0};
}

void filter_classic_clear(struct filter_classic *program)
{
	if (!program)
		return;
	free(program->insns);
	*program = (struct filter_classic){0};
}

void filter_programs_clear(struct filter_programs *programs)
{
	if (!programs)
		return;
	filter_classic_clear(&programs->ethernet);
	filter_classic_clear(&programs->raw);
}
