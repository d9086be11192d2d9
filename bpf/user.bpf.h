/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The places of the user's own code: two subprograms that do nothing. In a session that has user code
 * daemon/template.c puts the user's instructions in their place (user_abi.h).
 */
#ifndef NETCAP_USER_BPF_H
#define NETCAP_USER_BPF_H

#include "context.bpf.h"
#include "record.bpf.h"
#include "user_abi.h"

/* To the compiler they must look as if they needed all arguments and gave any number. */
static __noinline __u64 netcap_user_filter(void *first, __u64 packet, __u32 point)
{
	__u64 verdict;

	asm volatile("%0 = 1" : "=r"(verdict) : "r"(first), "r"(packet), "r"(point));
	return verdict;
}

static __noinline __u64 netcap_user_action(void *first, __u64 packet, __u32 length, void *words, __u32 point)
{
	__u64 shows;

	asm volatile("%0 = 0" : "=r"(shows) : "r"(first), "r"(packet), "r"(length), "r"(words), "r"(point));
	return shows;
}

/*
 * A pointer as the number that it is, which is all that user code gets: what it may do is then the same in every
 * program. The verifier lets a pointer be negated, and has forgotten it then.
 */
static __always_inline __u64 user_number(__u64 value)
{
	asm volatile("%0 = -%0\n\t%0 = -%0" : "+r"(value));
	return value;
}

#ifdef NETCAP_PROCESS
/* The second @N says how many packets there are, or bytes: nothing is left for the user's code. */
static __always_inline __u64 user_argument(void *ctx, bool registers)
{
	return 0;
}
#else
/*
 * The argument of the trace point that the user's code gets, 0: none. registers: as of hit(). Where the program is a
 * shared one the place of the function says which it is, and is looked up again: the stack has no room to keep it.
 */
static __always_inline __u64 user_argument(void *ctx, bool registers)
{
	union netcap_place place;

	if (!registers)
		return user_number(argument(ctx, CONFIG(user_arg)));
	place.word = site_word(function_address(ctx));
	return place.user_arg == NETCAP_NO_PLACE ? 0 : register_argument(ctx, place.user_arg);
}
#endif

/* holder: the address of what holds the packet, with its kind (enum source_kind) or without. */
static __always_inline __u64 user_ask(void *ctx, __u64 holder, __u32 point, bool registers)
{
	__u64 packet = (__u64)source_holder(user_number(holder));

	if (CONFIG(user_filter) == NETCAP_USER_CTX)
		return netcap_user_filter(ctx, packet, point);
	return netcap_user_filter((void *)user_argument(ctx, registers), packet, point);
}

/* holder: of a packet of XDP, else it stands in the record. */
static __always_inline __u64 user_act(void *ctx, struct netcap_record *r, __u64 holder, bool registers)
{
	__u64 packet = r->skb ? r->skb : (__u64)source_holder(holder);
	__u32 length = r->wire_len + (r->flags & NETCAP_F_VLAN ? VLAN_HLEN : 0);

	if (CONFIG(user_action) == NETCAP_USER_CTX)
		return netcap_user_action(ctx, packet, length, record_user(r), r->point);
	return netcap_user_action((void *)user_argument(ctx, registers), packet, length, record_user(r), r->point);
}

/* Functions of their own, or what they keep on the stack would be kept there all the time. */
static __noinline __u64 netcap_user_ask(void *ctx, __u64 holder, __u32 point)
{
	return user_ask(ctx, holder, point, false);
}

static __noinline __u64 netcap_user_ask_kprobe(void *ctx, __u64 holder, __u32 point)
{
	return user_ask(ctx, holder, point, true);
}

static __noinline __u64 netcap_user_act(void *ctx, struct netcap_record *r, __u64 holder)
{
	return user_act(ctx, r, holder, false);
}

static __noinline __u64 netcap_user_act_kprobe(void *ctx, struct netcap_record *r, __u64 holder)
{
	return user_act(ctx, r, holder, true);
}

/* Does the user's filter, if there is one, want the packet? holder: as of user_ask(). registers: as of hit(). */
static __always_inline bool user_wants(void *ctx, __u64 holder, __u32 point, bool registers)
{
	if (!CONFIG(user_filter))
		return true;
	return (__u32)(registers ? netcap_user_ask_kprobe(ctx, holder, point) : netcap_user_ask(ctx, holder, point));
}

/* Runs the user's action, if there is one. holder: as of user_act(). */
static __always_inline void user_acts(void *ctx, struct netcap_record *r, __u64 holder, bool registers)
{
	if (!CONFIG(user_action))
		return;
	if ((__u32)(registers ? netcap_user_act_kprobe(ctx, r, holder) : netcap_user_act(ctx, r, holder)))
		r->flags |= NETCAP_F_USER;
}

/* Calls that never run, and keep netcap_filter() behind all of these: keep_filter_last(). */
static __always_inline void user_keep_place(bool registers)
{
	if (registers) {
		netcap_user_ask_kprobe(NULL, 0, 0);
		netcap_user_act_kprobe(NULL, NULL, 0);
	} else {
		netcap_user_ask(NULL, 0, 0);
		netcap_user_act(NULL, NULL, 0);
	}
}

#endif
