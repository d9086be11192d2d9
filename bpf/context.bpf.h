/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a program finds in its context: the arguments, and for a program that many functions share, which one
 * it was called for.
 */
#ifndef NETCAP_CONTEXT_BPF_H
#define NETCAP_CONTEXT_BPF_H

#include "packet.bpf.h"

/* One load with its offset in the instruction: the verifier takes no other access to the context. */
#define LOAD_AT(value, ctx, offset) \
	asm volatile("%0 = *(u64 *)(%1 + " #offset ")" : "=r"(value) : "r"(ctx))

#define ARGUMENT_CASE(index, offset)          \
	case index:                           \
		LOAD_AT(value, ctx, offset); \
		break;

/*
 * An argument of a tracepoint, or of a function that fentry traces. The index is constant in each copy:
 * only one load remains.
 */
static __always_inline __u64 argument(const void *ctx, __u8 index)
{
	__u64 value = 0;

	switch (index) {
		ARGUMENT_CASE(0, 0)
		ARGUMENT_CASE(1, 8)
		ARGUMENT_CASE(2, 16)
		ARGUMENT_CASE(3, 24)
		ARGUMENT_CASE(4, 32)
		ARGUMENT_CASE(5, 40)
		ARGUMENT_CASE(6, 48)
		ARGUMENT_CASE(7, 56)
		ARGUMENT_CASE(8, 64)
		ARGUMENT_CASE(9, 72)
		ARGUMENT_CASE(10, 80)
		ARGUMENT_CASE(11, 88)
		ARGUMENT_CASE(12, 96)
	}
	return value;
}

/*
 * An argument of the function that a kprobe stands at, by the calling convention of x86-64 (System V
 * ABI, 3.2.3): six in registers, here by their places in struct pt_regs, the others on the stack above
 * the return address.
 */
static __always_inline __u64 register_argument(const void *ctx, __u8 index)
{
	__u64 value = 0, stack, pushed;

	switch (index) {
		ARGUMENT_CASE(0, 112) /* rdi */
		ARGUMENT_CASE(1, 104) /* rsi */
		ARGUMENT_CASE(2, 96)  /* rdx */
		ARGUMENT_CASE(3, 88)  /* rcx */
		ARGUMENT_CASE(4, 72)  /* r8 */
		ARGUMENT_CASE(5, 64)  /* r9 */
	default:
		LOAD_AT(stack, ctx, 152); /* rsp */
		/* into a variable of its own, or the verifier has the value in memory here, else in a register */
		bpf_probe_read_kernel(&pushed, sizeof(pushed), (void *)(stack + 8 * (index - 5)));
		value = pushed;
	}
	return value;
}

/*
 * Where a shared program is attached. Attach cookies would say it too, but the kernel looks for one by a
 * binary search at each hit, and has them since 5.15 only.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct netcap_site_bucket);
} netcap_sites SEC(".maps");

/* The address of the function that a shared program was called at. */
static __always_inline __u64 function_address(void *ctx)
{
#ifdef NETCAP_OLD_LOOPS
	__u64 address;

	LOAD_AT(address, ctx, 128); /* rip, which is one beyond */
	return address - 1;
#else
	return bpf_get_func_ip(ctx); /* Linux 5.15 */
#endif
}

/* The union netcap_place of a function; without one, that of a trace point that there is not. */
static __always_inline __u64 site_word(__u64 address)
{
	__u32 index = netcap_site_bucket(address, CONFIG(sites_bits));
	struct netcap_site_bucket *bucket = bpf_map_lookup_elem(&netcap_sites, &index);
	__u64 word;

	if (!bucket)
		return NETCAP_SITE_NONE;
	word = netcap_site_word(bucket, address);
	VERIFIER_FORGET(word);
	VERIFIER_MEET();
	return word;
}

#endif
