/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be told of a BPF program without running it: what is reached, what registers hold, what somebody reads. */
#ifndef FLOW_H
#define FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#define FLOW_REGISTERS 11
#define FLOW_MOVE (BPF_ALU64 | BPF_MOV | BPF_K) /* the code of dst = imm, sign-extended */

/* Where an instruction goes: jumps to their target, others to the next one. */
enum flow_way { FLOW_NOWHERE, FLOW_BOTH, FLOW_TAKEN, FLOW_NOT_TAKEN }; /* NOWHERE: it is never reached */

struct flow_state;

struct flow {
	struct bpf_insn *insns; /* not owned */
	size_t count;
	uint8_t *ways;       /* owned: of each instruction, an enum flow_way */
	uint16_t *wanted;    /* owned: registers whose values somebody reads from this instruction on, as bits */
	uint32_t *entries;   /* owned: of each instruction that is jumped to, its place in states; 0: it is none */
	struct flow_state *states; /* owned; the first is nobody's */
	uint32_t *todo;      /* owned: states to go on from (again) */
	size_t todo_count;
};

/*
 * Looks at a program of the main program and its subprograms, whose arguments are unknown. Operations whose result is
 * known become moves of that. insns must outlive f, and may change later only where what they do stays the same. 0, or
 * -ENOMEM. flow_close() in any case.
 */
int flow_open(struct flow *f, struct bpf_insn *insns, size_t count);
void flow_close(struct flow *f);

/* Does it write a register that nobody reads before it is written again, and nothing else? */
bool flow_is_idle(const struct flow *f, size_t at);

/* Is it a jump that has a target? No call, no exit. */
bool flow_is_jump(const struct bpf_insn *i);
bool flow_is_goto(const struct bpf_insn *i);
/* Two instructions for 64 bits. */
bool flow_is_wide(const struct bpf_insn *i);
/* The number in it. */
uint64_t flow_wide_value(const struct bpf_insn *i);
/* Does it say where a subprogram is: a call, or the address of a callback? */
bool flow_is_reference(const struct bpf_insn *i);
/* What the jump or the reference at this instruction leads to. */
size_t flow_target(const struct bpf_insn *insns, size_t at);

#endif
