/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "bpf/filter_abi.h"
#include "daemon/filterload.h"

/* Loads from a pointer need an offset that fits in an instruction. */
#define DISPLACEMENT_MAX INT16_MAX

/* A load whose bytes are not below pkt->limit goes through netcap_load(), behind the program. */
struct filterload_deferred {
	size_t slow; /* label of the call */
	size_t back; /* label of what follows the load */
	uint32_t size;
	uint32_t offset;
	bool computed; /* the offset is in R2 already */
	int dst;
};

int filterload_begin(struct filterload *l, struct ebpf *code, const struct filter_target *target, size_t most)
{
	*l = (struct filterload){ .code = code, .target = target };
	l->deferred = calloc(most, sizeof(*l->deferred));
	return l->deferred ? 0 : -ENOMEM;
}

void filterload_clear(struct filterload *l)
{
	free(l->deferred);
	*l = (struct filterload){};
}

static void defer(struct filterload *l, const struct filterload_deferred *d)
{
	l->deferred[l->deferred_count++] = *d;
}

static void call_load(struct filterload *l)
{
	ptrdiff_t here = (ptrdiff_t)(l->target->body + l->code->count);

	ebpf_emit(l->code,
		  (struct bpf_insn){.code = BPF_JMP | BPF_CALL,
				    .src_reg = BPF_PSEUDO_CALL,
				    .imm = (int32_t)((ptrdiff_t)l->target->load - (here + 1))});
}

/*
 * The verifier takes only aligned accesses to the stack, where the window is, so that a load is
 * put together from as many as its alignment (a power of 2) needs. Neither dst nor R1 is base.
 */
static void load_pieces(struct filterload *l, int dst, int base, int offset, uint32_t bytes,
			uint32_t alignment)
{
	uint32_t piece = bytes < alignment ? bytes : alignment;

	ebpf_load_be(l->code, dst, base, offset, piece);
	for (uint32_t done = piece; done < bytes; done += piece) {
		ebpf_load_be(l->code, BPF_REG_1, base, offset + (int)done, piece);
		ebpf_alu32_imm(l->code, BPF_LSH, dst, piece * 8);
		ebpf_alu32(l->code, BPF_OR, dst, BPF_REG_1);
	}
}

static uint32_t alignment_of(uint32_t offset)
{
	return offset & 1 ? 1 : offset & 2 ? 2 : 4;
}

static bool is_direct(const struct filterload *l)
{
	return l->target->access == NETCAP_ACCESS_DIRECT;
}

static bool is_cast(const struct filterload *l)
{
	return is_direct(l) && l->target->cast.function;
}

/* dst = the bytes at R1. */
static void load_cast(struct filterload *l, int dst, uint32_t bytes)
{
	const struct filter_cast *cast = &l->target->cast;

	ebpf_alu64_imm(l->code, BPF_MOV, BPF_REG_2, cast->type);
	ebpf_emit(l->code, (struct bpf_insn){.code = BPF_JMP | BPF_CALL,
					      .src_reg = BPF_PSEUDO_KFUNC_CALL,
					      .imm = cast->function});
	load_pieces(l, dst, BPF_REG_0, 0, bytes, 4);
}

void filterload_absolute(struct filterload *l, int dst, uint32_t offset, uint32_t bytes)
{
	uint32_t direct_end = is_cast(l)   ? FILTERLOAD_OFFSET_MAX :
			      is_direct(l) ? DISPLACEMENT_MAX :
					     NETCAP_WINDOW;
	struct filterload_deferred d = {.size = bytes, .offset = offset, .dst = dst};

	d.slow = ebpf_labels(l->code, 2);
	d.back = d.slow + 1;
	if (offset + bytes > direct_end) {
		ebpf_jump(l->code, d.slow);
	} else {
		ebpf_load(l->code, BPF_W, BPF_REG_1, FILTERLOAD_PKT,
			  offsetof(struct netcap_packet, limit));
		ebpf_jump_if(l->code, BPF_JMP32, BPF_JLT, BPF_REG_1, offset + bytes, d.slow);
		if (is_cast(l)) {
			ebpf_mov64(l->code, BPF_REG_1, FILTERLOAD_BASE);
			ebpf_alu64_imm(l->code, BPF_ADD, BPF_REG_1, (int32_t)offset);
			load_cast(l, dst, bytes);
		} else {
			load_pieces(l, dst, FILTERLOAD_BASE, (int)offset, bytes,
				    is_direct(l) ? 4 : alignment_of(offset));
		}
	}
	ebpf_place(l->code, d.back);
	defer(l, &d);
}

/*
 * The verifier forgets what it knows of R2; R1 is pkt->limit, of which it knows nothing. Bits and range of an offset can be at
 * odds on a way that is never taken, where that of Linux 6.18 believes the bits (compare_odd_offset() in
 * tests/bpf/test_filter_equality.c).
 */
static void forget_offset(struct filterload *l)
{
	ebpf_alu64(l->code, BPF_XOR, BPF_REG_2, BPF_REG_1);
	ebpf_alu64(l->code, BPF_XOR, BPF_REG_2, BPF_REG_1);
}

/*
 * dst = the bytes at BASE + R2, if they are below pkt->limit, in R1. R3 is made without a copy of R2, by which the verifier would
 * tie the one's range to the other's: that of Linux 6.18.15 does so by a distance that it did not forget.
 */
static void load_near(struct filterload *l, int dst, uint32_t bytes, size_t slow)
{
	/* the constant bound is the verifier's; pkt->limit is what counts */
	if (!is_direct(l))
		ebpf_jump_if(l->code, BPF_JMP, BPF_JGT, BPF_REG_2, NETCAP_WINDOW - bytes, slow);
	ebpf_alu64_imm(l->code, BPF_MOV, BPF_REG_3, (int32_t)bytes);
	ebpf_alu64(l->code, BPF_ADD, BPF_REG_3, BPF_REG_2);
	ebpf_jump_if_reg(l->code, BPF_JMP, BPF_JGT, BPF_REG_3, BPF_REG_1, slow);
	ebpf_mov64(l->code, BPF_REG_3, FILTERLOAD_BASE);
	ebpf_alu64(l->code, BPF_ADD, BPF_REG_3, BPF_REG_2);
	if (is_cast(l)) {
		ebpf_mov64(l->code, BPF_REG_1, BPF_REG_3);
		load_cast(l, dst, bytes);
	} else {
		load_pieces(l, dst, BPF_REG_3, 0, bytes, is_direct(l) ? 4 : 1);
	}
}

void filterload_computed(struct filterload *l, uint32_t offset, uint32_t bytes)
{
	struct filterload_deferred d = {.size = bytes, .dst = FILTERLOAD_A, .computed = true};
	bool near = is_direct(l) || l->target->var_stack;

	d.slow = ebpf_labels(l->code, 2);
	d.back = d.slow + 1;
	if (near)
		ebpf_load(l->code, BPF_W, BPF_REG_1, FILTERLOAD_PKT,
			  offsetof(struct netcap_packet, limit));
	ebpf_mov64(l->code, BPF_REG_2, FILTERLOAD_X);
	if (near && !is_direct(l))
		forget_offset(l);
	if (offset)
		ebpf_alu64_imm(l->code, BPF_ADD, BPF_REG_2, (int32_t)offset);
	if (near)
		load_near(l, d.dst, bytes, d.slow);
	else
		ebpf_jump(l->code, d.slow);
	ebpf_place(l->code, d.back);
	defer(l, &d);
}

void filterload_finish(struct filterload *l, size_t reject)
{
	for (size_t i = 0; i < l->deferred_count; i++) {
		const struct filterload_deferred *d = &l->deferred[i];

		ebpf_place(l->code, d->slow);
		if (d->computed)
			ebpf_jump_if(l->code, BPF_JMP, BPF_JGT, BPF_REG_2, FILTERLOAD_OFFSET_MAX,
				     reject);
		else
			ebpf_alu64_imm(l->code, BPF_MOV, BPF_REG_2, (int32_t)d->offset);
		ebpf_mov64(l->code, BPF_REG_1, FILTERLOAD_PKT);
		ebpf_alu64_imm(l->code, BPF_MOV, BPF_REG_3, (int32_t)d->size);
		call_load(l);
		ebpf_jump_if(l->code, BPF_JMP, BPF_JSLT, BPF_REG_0, 0, reject);
		ebpf_alu32(l->code, BPF_MOV, d->dst, BPF_REG_0);
		ebpf_jump(l->code, d->back);
	}
}
