/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets that are followed. One that matched once has a number, which it is known by from then on: whatever becomes
 * of its headers, its device and its namespace. It is found by the address of its sk_buff. Two more programs of the
 * session keep that true: a copy of an sk_buff gets the number, and one that is freed loses it, before another packet
 * can have its address.
 */
#ifndef NETCAP_TRACK_BPF_H
#define NETCAP_TRACK_BPF_H

#include "content.bpf.h"
#include "context.bpf.h"
#include "packet.bpf.h"

/*
 * The numbers of packets, by the addresses of their sk_buffs, or what else they are known by (gather.bpf.h). When it is
 * full those go that were not seen longest.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct netcap_trace);
} netcap_track SEC(".maps");

/*
 * The next numbers, as Linux before 5.12 has no addition that says what came of it. Who takes one puts another in at
 * the end that nobody had.
 */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u64);
} netcap_tickets SEC(".maps");

/* How many sk_buffs there are of each packet, by its number: only with CONFIG(track_ends). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u64);
} netcap_lives SEC(".maps");

/* Ways by the packets' numbers (gather.bpf.h). When it is full those go that were not seen longest. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct netcap_journey);
} netcap_journeys SEC(".maps");

/* The number of the packet at this address; 0: it is not followed. */
static __always_inline __u64 track_number(__u64 skb)
{
	struct netcap_trace *trace = CONFIG(track) ? bpf_map_lookup_elem(&netcap_track, &skb) : NULL;

	return trace ? trace->number : 0;
}

/* Is it followed? */
static __always_inline bool track_knows(struct sk_buff *skb)
{
	return track_number((__u64)skb) != 0;
}

/* 0: as many programs as there are tickets are at it just now. */
static __always_inline __u64 track_ticket(void)
{
	__u64 number = 0, next;

	if (bpf_map_pop_elem(&netcap_tickets, &number))
		return 0;
	next = number + NETCAP_TRACK_TICKETS;
	bpf_map_push_elem(&netcap_tickets, &next, BPF_ANY);
	return number;
}

/* False: there is one at this address already. */
static __always_inline bool track_put(const __u64 *skb, const struct netcap_trace *trace)
{
	if (bpf_map_update_elem(&netcap_track, skb, trace, BPF_NOEXIST))
		return false;
	__sync_fetch_and_add(&netcap_control.track_put, 1);
	return true;
}

/*
 * The packet is followed from now on. Global, so that it has a stack of its own beside that of the filter; it takes
 * the skb as a number (source_number()). The packet's number; 0: it did not work.
 */
__noinline __u64 track_begin(__u64 skb)
{
	struct netcap_trace trace = { .number = CONFIG(track) ? track_ticket() : 0 };
	__u64 lives = 1;

	if (CONFIG(gather))
		trace.seen_ns = bpf_ktime_get_ns();
	if (CONFIG(restarts))
		trace.content = content_of_skb(skb);
	if (!trace.number || !track_put(&skb, &trace))
		return 0;
	__sync_fetch_and_add(&netcap_control.tracked, 1);
	if (CONFIG(track_ends))
		bpf_map_update_elem(&netcap_lives, &trace.number, &lives, BPF_ANY);
	return trace.number;
}

/* An sk_buff is made of another one. */
static __always_inline void track_copy(__u64 new, __u64 old)
{
	struct netcap_trace *known = bpf_map_lookup_elem(&netcap_track, &old), trace;
	__u64 *lives;

	if (!known)
		return;
	trace = *known;
	if (!track_put(&new, &trace)) {
		/* it was that of another packet, as when one that is kept for that is put together anew */
		bpf_map_update_elem(&netcap_track, &new, &trace, BPF_EXIST);
		return;
	}
	lives = CONFIG(track_ends) ? bpf_map_lookup_elem(&netcap_lives, &trace.number) : NULL;
	if (lives)
		__sync_fetch_and_add(lives, 1);
}

/* Of a packet's sk_buffs one is gone. Was it the last? Two that go at once may both be. */
static __always_inline bool track_lost_one(__u64 number)
{
	__u64 *lives = bpf_map_lookup_elem(&netcap_lives, &number);

	if (!lives)
		return false;
	__sync_fetch_and_add(lives, -1);
	if (*(volatile __u64 *)lives)
		return false;
	bpf_map_delete_elem(&netcap_lives, &number);
	return true;
}

/* An sk_buff is freed. The number of the packet if it was its last one and that is to be told, else 0. */
static __always_inline __u64 track_free(__u64 skb)
{
	__u64 number = track_number(skb) & ~NETCAP_SPOILED;

	if (!number || bpf_map_delete_elem(&netcap_track, &skb))
		return 0;
	__sync_fetch_and_add(&netcap_control.track_gone, 1);
	if (!CONFIG(track_ends) || !track_lost_one(number))
		return 0;
	if (CONFIG(slower_ns) || CONFIG(histogram))
		bpf_map_delete_elem(&netcap_journeys, &number);
	return number;
}

/* An argument of the function that one of the two programs stands at, by fentry or by a kprobe. */
static __always_inline __u64 track_argument(void *ctx, __u8 index)
{
	__u64 value = CONFIG(registers) ? register_argument(ctx, index) : argument(ctx, index);

	return source_number(value);
}

#endif
