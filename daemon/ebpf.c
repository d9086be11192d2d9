/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "daemon/ebpf.h"

static void *grow(struct ebpf *e, void *array, size_t count, size_t *room, size_t item)
{
	size_t wanted = *room ? *room * 2 : 128;
	void *grown;

	if (count < *room)
		return array;
	grown = reallocarray(array, wanted, item);
	if (!grown) {
		e->error = -ENOMEM;
		return array;
	}
	*room = wanted;
	return grown;
}

void ebpf_emit_jump(struct ebpf *e, struct bpf_insn insn, size_t label)
{
	size_t room = e->room;

	if (e->error)
		return;
	e->jumps = grow(e, e->jumps, e->count, &room, sizeof(*e->jumps));
	if (e->error)
		return;
	e->insns = grow(e, e->insns, e->count, &e->room, sizeof(*e->insns));
	if (e->error)
		return;
	e->jumps[e->count] = label;
	e->insns[e->count++] = insn;
}

void ebpf_emit(struct ebpf *e, struct bpf_insn insn)
{
	ebpf_emit_jump(e, insn, EBPF_NO_LABEL);
}

size_t ebpf_labels(struct ebpf *e, size_t n)
{
	size_t first = e->label_count;

	for (size_t i = 0; i < n && !e->error; i++) {
		e->places = grow(e, e->places, e->label_count, &e->label_room, sizeof(*e->places));
		if (!e->error)
			e->places[e->label_count++] = 0;
	}
	return first;
}

void ebpf_place(struct ebpf *e, size_t label)
{
	if (!e->error)
		e->places[label] = e->count;
}

void ebpf_mov64(struct ebpf *e, int dst, int src)
{
	ebpf_emit(e, (struct bpf_insn){
			 .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = dst, .src_reg = src});
}

void ebpf_alu64_imm(struct ebpf *e, int op, int dst, int32_t imm)
{
	ebpf_emit(e, (struct bpf_insn){.code = BPF_ALU64 | op | BPF_K, .dst_reg = dst, .imm = imm});
}

void ebpf_alu64(struct ebpf *e, int op, int dst, int src)
{
	ebpf_emit(e,
		  (struct bpf_insn){.code = BPF_ALU64 | op | BPF_X, .dst_reg = dst, .src_reg = src});
}

void ebpf_alu32(struct ebpf *e, int op, int dst, int src)
{
	ebpf_emit(e,
		  (struct bpf_insn){.code = BPF_ALU | op | BPF_X, .dst_reg = dst, .src_reg = src});
}

void ebpf_alu32_imm(struct ebpf *e, int op, int dst, uint32_t imm)
{
	ebpf_emit(e, (struct bpf_insn){
			 .code = BPF_ALU | op | BPF_K, .dst_reg = dst, .imm = (int32_t)imm});
}

void ebpf_load(struct ebpf *e, int size, int dst, int src, int offset)
{
	ebpf_emit(e, (struct bpf_insn){.code = BPF_LDX | BPF_MEM | size,
				       .dst_reg = dst,
				       .src_reg = src,
				       .off = (int16_t)offset});
}

void ebpf_load_be(struct ebpf *e, int dst, int src, int offset, uint32_t bytes)
{
	ebpf_load(e, bytes == 4 ? BPF_W : bytes == 2 ? BPF_H : BPF_B, dst, src, offset);
	if (bytes > 1)
		ebpf_emit(e, (struct bpf_insn){.code = BPF_ALU | BPF_END | BPF_TO_BE,
					       .dst_reg = dst,
					       .imm = (int32_t)bytes * 8});
}

void ebpf_store32(struct ebpf *e, int dst, int offset, int src)
{
	ebpf_emit(e, (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_W,
				       .dst_reg = dst,
				       .src_reg = src,
				       .off = (int16_t)offset});
}

void ebpf_jump(struct ebpf *e, size_t label)
{
	ebpf_emit_jump(e, (struct bpf_insn){.code = BPF_JMP | BPF_JA}, label);
}

void ebpf_jump_if(struct ebpf *e, int class, int op, int dst, uint32_t imm, size_t label)
{
	ebpf_emit_jump(
	    e, (struct bpf_insn){.code = class | op | BPF_K, .dst_reg = dst, .imm = (int32_t)imm},
	    label);
}

void ebpf_jump_if_reg(struct ebpf *e, int class, int op, int dst, int src, size_t label)
{
	ebpf_emit_jump(
	    e, (struct bpf_insn){.code = class | op | BPF_X, .dst_reg = dst, .src_reg = src},
	    label);
}

int ebpf_resolve(struct ebpf *e)
{
	for (size_t i = 0; i < e->count && !e->error; i++) {
		ptrdiff_t distance;

		if (e->jumps[i] == EBPF_NO_LABEL)
			continue;
		distance = (ptrdiff_t)e->places[e->jumps[i]] - (ptrdiff_t)i - 1;
		if (distance < INT16_MIN || distance > INT16_MAX)
			return -E2BIG;
		e->insns[i].off = (int16_t)distance;
	}
	return e->error;
}

unsigned ebpf_bytes(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

void ebpf_clear(struct ebpf *e)
{
	if (!e)
		return;
	free(e->insns);
	free(e->jumps);
	free(e->places);
	*e = (struct ebpf){0};
}
