/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An eBPF assembler: appends instructions, with labels that may be placed after the jumps to them.
 * The first failure sticks (error) and makes all later calls do nothing, so that callers check
 * once.
 */
#ifndef EBPF_H
#define EBPF_H

#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#define EBPF_NO_LABEL SIZE_MAX

/* All zero: empty. */
struct ebpf {
	struct bpf_insn *insns; /* owned */
	size_t *jumps;          /* for each instruction its target label, or EBPF_NO_LABEL */
	size_t count, room;     /* instructions */
	size_t *places;         /* for each label the index of its instruction */
	size_t label_count, label_room;
	int error; /* 0 or -ENOMEM */
};

/* How many bytes an instruction loads or stores, from its code. */
unsigned ebpf_bytes(uint8_t code);
/* Frees what is inside. Takes NULL. */
void ebpf_clear(struct ebpf *e);
/* Makes n new labels and returns the number of the first; the others follow it. */
size_t ebpf_labels(struct ebpf *e, size_t n);
/* The label means the next instruction. */
void ebpf_place(struct ebpf *e, size_t label);
/* Fills in the jumps. 0, -ENOMEM (e->error), or -E2BIG: a jump is too far for its 16 bits. */
int ebpf_resolve(struct ebpf *e);

/* Append one instruction. Names end in what the second operand is, if there are two kinds. */
void ebpf_emit(struct ebpf *e, struct bpf_insn insn);
void ebpf_emit_jump(struct ebpf *e, struct bpf_insn insn, size_t label);
void ebpf_mov64(struct ebpf *e, int dst, int src);
void ebpf_alu64(struct ebpf *e, int op, int dst, int src);
void ebpf_alu64_imm(struct ebpf *e, int op, int dst, int32_t imm);
void ebpf_alu32(struct ebpf *e, int op, int dst, int src);
void ebpf_alu32_imm(struct ebpf *e, int op, int dst, uint32_t imm);
/* dst = *(src + offset); size is BPF_B, BPF_H, BPF_W or BPF_DW. */
void ebpf_load(struct ebpf *e, int size, int dst, int src, int offset);
/* dst = the 1, 2 or 4 bytes at src + offset, which are in network order. */
void ebpf_load_be(struct ebpf *e, int dst, int src, int offset, uint32_t bytes);
/* *(u32 *)(dst + offset) = src */
void ebpf_store32(struct ebpf *e, int dst, int offset, int src);
void ebpf_jump(struct ebpf *e, size_t label);
/* class: BPF_JMP compares 64 bits (imm is sign-extended), BPF_JMP32 compares 32. */
void ebpf_jump_if(struct ebpf *e, int class, int op, int dst, uint32_t imm, size_t label);
void ebpf_jump_if_reg(struct ebpf *e, int class, int op, int dst, int src, size_t label);

#endif
