/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ebpf.h"
#include "daemon/userflow.h"
#include "daemon/userloads.h"

#define STACK_BYTES 512
#define SAVED_REGS  6 /* r0 to r5 */

struct job {
	struct userflow flow;
	struct ebpf code;
	uint32_t *places;
};

static struct bpf_insn insn(uint8_t code, int dst, int src, int off, int imm)
{
	return (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm };
}

/* Does the load read memory that is not the program's own? */
static bool is_kernel_load(const struct job *j, uint32_t at)
{
	const struct bpf_insn *i = &j->flow.insns[at];

	return BPF_CLASS(i->code) == BPF_LDX && BPF_MODE(i->code) == BPF_MEM && j->flow.states[at].reached &&
	       j->flow.states[at].regs[i->src_reg].what == USERFLOW_NUMBER;
}

/* Below what the function has on its stack: the value that is read, then r0 to r5. */
static int place_of_value(const struct job *j, uint32_t at)
{
	uint32_t depth = j->flow.depths[userflow_function(&j->flow, at)];

	return -(int)((depth + 7) / 8 * 8) - 8;
}

/* Registers that a call would not keep, and that are wanted behind the load. */
static bool is_saved(const struct job *j, uint32_t at, int reg)
{
	return reg != j->flow.insns[at].dst_reg && j->flow.needed[at] & 1 << reg &&
	       j->flow.states[at].regs[reg].what != USERFLOW_NOTHING;
}

static void put_load(struct job *j, uint32_t at)
{
	const struct bpf_insn *i = &j->flow.insns[at];
	int value = place_of_value(j, at);
	struct ebpf *e = &j->code;

	for (int r = 0; r < SAVED_REGS; r++)
		if (is_saved(j, at, r))
			ebpf_emit(e, insn(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, r, value - 8 * (r + 1), 0));
	if (i->src_reg != BPF_REG_3)
		ebpf_mov64(e, BPF_REG_3, i->src_reg);
	if (i->off)
		ebpf_alu64_imm(e, BPF_ADD, BPF_REG_3, i->off);
	ebpf_mov64(e, BPF_REG_1, BPF_REG_10);
	ebpf_alu64_imm(e, BPF_ADD, BPF_REG_1, value);
	ebpf_alu64_imm(e, BPF_MOV, BPF_REG_2, ebpf_bytes(i->code));
	ebpf_emit(e, insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel));
	ebpf_emit(e, insn(i->code, i->dst_reg, BPF_REG_10, value, 0));
	for (int r = 0; r < SAVED_REGS; r++)
		if (is_saved(j, at, r))
			ebpf_emit(e, insn(BPF_LDX | BPF_MEM | BPF_DW, r, BPF_REG_10, value - 8 * (r + 1), 0));
}

/* A label for each old instruction has its number. */
static void put(struct job *j, uint32_t at)
{
	const struct bpf_insn *i = &j->flow.insns[at];
	uint8_t class = BPF_CLASS(i->code);
	bool jumps = (class == BPF_JMP || class == BPF_JMP32) && BPF_OP(i->code) != BPF_CALL &&
		     BPF_OP(i->code) != BPF_EXIT;

	ebpf_place(&j->code, at);
	j->places[at] = j->code.count;
	if (is_kernel_load(j, at))
		put_load(j, at);
	else if (jumps)
		ebpf_emit_jump(&j->code, *i, at + 1 + i->off);
	else
		ebpf_emit(&j->code, *i);
}

static void fix_calls(struct job *j)
{
	for (uint32_t at = 0; at < j->flow.count; at++) {
		const struct bpf_insn *i = &j->flow.insns[at];

		if (i->code == (BPF_JMP | BPF_CALL) && i->src_reg == BPF_PSEUDO_CALL)
			j->code.insns[j->places[at]].imm = j->places[at + 1 + i->imm] - (j->places[at] + 1);
	}
}

/* What would be refused anyway, but can be said better here. */
static int check_stores(const struct job *j, uint32_t *at, char *why, size_t size)
{
	for (*at = 0; *at < j->flow.count; ++*at) {
		const struct bpf_insn *i = &j->flow.insns[*at];
		uint8_t class = BPF_CLASS(i->code);

		if ((class != BPF_ST && class != BPF_STX) || !j->flow.states[*at].reached ||
		    userflow_is_second(&j->flow, *at) ||
		    j->flow.states[*at].regs[i->dst_reg].what != USERFLOW_NUMBER)
			continue;
		snprintf(why, size,
			 "it writes to memory of the kernel: user code may only write to its own variables, and "
			 "an action to *user");
		return -EINVAL;
	}
	return 0;
}

static int check_stack(const struct job *j, uint32_t *at, char *why, size_t size)
{
	for (uint32_t f = 0; f < j->flow.functions; f++) {
		*at = j->flow.starts[f];
		if (-place_of_value(j, *at) + 8 * SAVED_REGS <= STACK_BYTES)
			continue;
		snprintf(why, size,
			 "the variables of this function take %u bytes, and a BPF program has %d for all of its "
			 "functions: use smaller or fewer ones", j->flow.depths[f], STACK_BYTES);
		return -EINVAL;
	}
	return 0;
}

static void choose_entry(enum userloads_entry entry, struct userflow_value regs[USERFLOW_REGS])
{
	bool action = entry == USERLOADS_ACTION_CTX || entry == USERLOADS_ACTION_ARG;
	bool context = entry == USERLOADS_FILTER_CTX || entry == USERLOADS_ACTION_CTX;

	memset(regs, 0, USERFLOW_REGS * sizeof(*regs));
	for (int r = 1; r <= (action ? 5 : 3); r++)
		regs[r].what = USERFLOW_NUMBER;
	if (context)
		regs[1].what = USERFLOW_CONTEXT;
	if (action)
		regs[4].what = USERFLOW_OUTPUT;
}

static int rewrite(struct job *j, uint32_t *at, char *why, size_t size)
{
	int r = check_stores(j, at, why, size);

	if (!r)
		r = check_stack(j, at, why, size);
	if (r)
		return r;
	j->places = calloc(j->flow.count + 1, sizeof(*j->places));
	if (!j->places || ebpf_labels(&j->code, j->flow.count) || j->code.error)
		return -ENOMEM;
	for (uint32_t i = 0; i < j->flow.count; i++)
		put(j, i);
	r = j->code.error ? j->code.error : ebpf_resolve(&j->code);
	if (r == -E2BIG) {
		*at = 0;
		snprintf(why, size, "it is too large: a jump goes over more than 32,767 instructions");
		return -EINVAL;
	}
	if (!r)
		fix_calls(j);
	return r;
}

int userloads_make(const struct bpf_insn *insns, uint32_t count, const uint32_t *starts, uint32_t functions,
		   enum userloads_entry entry, struct userloads *out, uint32_t *at, char *why, size_t size)
{
	struct job j = { .flow = { .insns = insns, .count = count, .starts = starts, .functions = functions } };
	struct userflow_value regs[USERFLOW_REGS];
	int r = count && count <= USERLOADS_MOST ? 0 : -E2BIG;

	memset(out, 0, sizeof(*out));
	*at = 0;
	if (r) {
		snprintf(why, size, "it has %u instructions: give 1 to %d", count, USERLOADS_MOST);
		return -EINVAL;
	}
	choose_entry(entry, regs);
	r = userflow_make(&j.flow, regs, at);
	if (r == -EINVAL)
		snprintf(why, size, "instruction %u is none that user code may have: the object is damaged, or no "
			 "compiler made it", *at);
	if (!r)
		r = rewrite(&j, at, why, size);
	userflow_clear(&j.flow);
	if (!r) {
		*out = (struct userloads){ j.code.insns, j.code.count, j.places };
		j.code.insns = NULL;
		j.places = NULL;
	}
	ebpf_clear(&j.code);
	free(j.places);
	return r;
}

void userloads_clear(struct userloads *u)
{
	free(u->insns);
	free(u->places);
	memset(u, 0, sizeof(*u));
}
