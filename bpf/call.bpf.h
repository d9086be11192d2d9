/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls of functions that are captured at as they return. The packet is captured when the function is
 * entered, since it may be freed before the return. A second program, at the return, sends a struct
 * netcap_return for those calls that are remembered here.
 */
#ifndef NETCAP_CALL_BPF_H
#define NETCAP_CALL_BPF_H

#include "packet.bpf.h"

/* Calls whose packet was captured and that have not returned, by call_frame(). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u8);
} netcap_calls SEC(".maps");

/*
 * Which call of a function this is: the place of its arguments on the stack of the task. Both programs of a
 * function, the one at its entry and the one at its return, get the same one from the kernel's trampoline, and
 * no other call has it meanwhile.
 */
static __always_inline __u64 call_frame(void *ctx)
{
	return source_number((__u64)ctx);
}

/*
 * What was left of an earlier call in the same place, whose return was not seen: the kernel passes the
 * return by when programs are attached to the function meanwhile (e21aa341785c, Linux 5.12).
 */
static __always_inline void call_forget(void *ctx)
{
	__u64 frame = call_frame(ctx);

	bpf_map_delete_elem(&netcap_calls, &frame);
}

/* Its return is to be reported. The frame, or 0: too many calls are open. */
static __always_inline __u64 call_remember(void *ctx)
{
	__u64 frame = call_frame(ctx);
	__u8 open = 1;

	return bpf_map_update_elem(&netcap_calls, &frame, &open, BPF_ANY) ? 0 : frame;
}

#endif
