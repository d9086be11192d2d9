/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Headers that the stack has not written yet. On their way out packets pass functions before their IP, TCP or UDP
 * header is there; what it will say is in the socket, in the packet's control block, or in the flow that the
 * function is given. From these it is made, so that filters and tcpdump see a packet.
 *
 * Numbers only go in and out, so the verifier looks at made_headers() once for each program.
 */
#ifndef NETCAP_MADE_BPF_H
#define NETCAP_MADE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "context.bpf.h"
#include "headers.bpf.h"

/* Too large for the stack, which is 512 bytes for all functions together. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NETCAP_MADE_SLOTS);
	__type(key, __u32);
	__type(value, struct source_made);
} netcap_made SEC(".maps");

enum made_when {
	MADE_NEVER,
	MADE_NOW,           /* there is no header */
	MADE_IF_INCOMPLETE, /* there may be an IPv6 header without its length */
	MADE_ALWAYS,        /* whatever there is */
};

/* Without a result, which atomic additions have in BPF since Linux 5.12. */
static __always_inline void made_release(struct source_made *m)
{
	__sync_fetch_and_add(&m->users, -1);
}

/*
 * Memory that no other program uses at this moment: interrupts come in the middle, and since Linux 5.12 another task
 * may run. Whoever finds more users than itself gives up; if two do so at the same time, both take another slot.
 */
static __always_inline struct source_made *made_slot(void)
{
	for (__u32 i = 0; i < NETCAP_MADE_SLOTS; i++) {
		__u32 key = i;
		struct source_made *m = bpf_map_lookup_elem(&netcap_made, &key);

		if (!m)
			break;
		__sync_fetch_and_add(&m->users, 1);
		if (*(volatile __u32 *)&m->users == 1)
			return m;
		made_release(m);
	}
	return NULL;
}

/*
 * A source whose bytes begin with headers, or 0: there is nothing to make them of. skb, sock (0: none), flow
 * (a struct flowi, flowi4 or flowi6; 0: none): addresses. when: an enum made_when.
 */
__noinline __u64 made_headers(__u64 skb, __u64 sock, __u64 flow, __u32 when)
{
	struct headers_facts f = { .flow = flow, .always = when == MADE_ALWAYS };
	struct source_made *m;

	if (!headers_learn(&f, skb, sock) || (when == MADE_IF_INCOMPLETE && headers_is_complete(&f)))
		return 0;
	VERIFIER_FORGET(f.v6);
	VERIFIER_FORGET(f.full);
	VERIFIER_FORGET(f.always);
	VERIFIER_FORGET(f.ip_len);
	VERIFIER_FORGET(f.protocol);
	VERIFIER_FORGET(f.transport);
	VERIFIER_FORGET(f.network);
	VERIFIER_MEET();
	m = made_slot();
	if (!m)
		return 0;
	if (headers_write(&f, m))
		return source_number((__u64)m) + SOURCE_MADE;
	made_release(m);
	return 0;
}

/* The address that an argument is, as a number; 0: there is no such argument. */
static __always_inline __u64 made_argument(void *ctx, __u8 index, bool registers)
{
	__u64 value = 0;

	if (index != NETCAP_NO_ARG)
		value = source_number(registers ? register_argument(ctx, index) : argument(ctx, index));
	VERIFIER_FORGET(value);
	VERIFIER_MEET();
	return value;
}

/*
 * When headers are made. IPv6 sets skb->protocol before it has written its header, whose length comes last; IPv4 does
 * so when the header is complete.
 */
static __always_inline enum made_when made_when(struct sk_buff *skb, const struct netcap_packet *pkt, bool typed)
{
	__be16 protocol = PACKET_GET(typed, skb, protocol);

	if (CONFIG(fake) == NETCAP_FAKE_ALWAYS)
		return MADE_ALWAYS;
	if (pkt->link == NETCAP_LINK_NONE || (CONFIG(skb_data) && !protocol))
		return MADE_NOW;
	return pkt->link == NETCAP_LINK_RAW && protocol == bpf_htons(ETH_P_IPV6) &&
			       !PACKET_GET(typed, skb, skb_iif) ?
		       MADE_IF_INCOMPLETE :
		       MADE_NEVER;
}

/* Does the packet get headers? If so, pkt becomes the packet with them. registers: ctx is a kprobe's. */
static __always_inline void made_put(void *ctx, union netcap_place place, struct sk_buff *skb,
				     struct netcap_packet *pkt, bool typed, bool registers)
{
	__u64 sock, flow, source = 0;
	__u32 when = made_when(skb, pkt, typed);

	VERIFIER_FORGET(when);
	VERIFIER_MEET();
	if (when) {
		sock = made_argument(ctx, place.sock_arg, registers);
		flow = made_argument(ctx, place.flow_arg, registers);
		source = made_headers(source_number(pkt->skb), sock, flow, when);
	}
	if (source) {
		struct source_made *m = (void *)(source - SOURCE_MADE);
		__u32 lengths[2] = {};

		bpf_probe_read_kernel(lengths, sizeof(lengths), &m->len);
		pkt->start = 0;
		pkt->vlan = 0;
		pkt->link = NETCAP_LINK_RAW;
		pkt->linear = lengths[0];
		pkt->wire_len = lengths[1];
		/* a program that dereferences skb->head cannot do so here */
		pkt->limit = CONFIG(access) == NETCAP_ACCESS_DIRECT ? 0 : pkt->linear;
	}
	pkt->source = source;
	VERIFIER_FORGET(pkt->source);
	VERIFIER_FORGET(pkt->start);
	VERIFIER_FORGET(pkt->linear);
	VERIFIER_FORGET(pkt->wire_len);
	VERIFIER_FORGET(pkt->vlan);
	VERIFIER_FORGET(pkt->link);
	VERIFIER_FORGET(pkt->limit);
	VERIFIER_MEET();
}

/* enum netcap_made of the packet. */
static __always_inline __u8 made_parts(const struct netcap_packet *pkt)
{
	struct source_made *m = (void *)(pkt->source - SOURCE_MADE);
	__u32 parts = 0;

	if (!CONFIG(fake))
		return 0;
	if (pkt->source)
		bpf_probe_read_kernel(&parts, sizeof(parts), &m->parts);
	VERIFIER_FORGET(parts);
	VERIFIER_MEET();
	return parts;
}

/* The packet is done. */
__noinline int made_end(__u64 source)
{
	for (__u32 i = 0; i < NETCAP_MADE_SLOTS; i++) {
		__u32 key = i;
		struct source_made *m = bpf_map_lookup_elem(&netcap_made, &key);

		if (m && source_number((__u64)m) + SOURCE_MADE == source)
			made_release(m);
	}
	return 0;
}

#endif
