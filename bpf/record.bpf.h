/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Room in the ring for one packet, and its bytes.
 *
 * bpf_ringbuf_reserve() takes constant sizes only (a size known at run time needs dynptrs, Linux 6.0),
 * so a record gets the smallest of a ladder of sizes that holds it. A packet with page fragments is
 * copied piece by piece to places that are not known beforehand; the verifier does not see that
 * offset + length stays below the size, only that each is bounded, so such a record has one piece of
 * slack at its end.
 */
#ifndef NETCAP_RECORD_BPF_H
#define NETCAP_RECORD_BPF_H

#include "packet.bpf.h"

struct record_plan {
	__u32 want;  /* packet bytes to keep */
	__u32 head;  /* of which lie in the linear part */
	__u64 room;  /* bytes reserved for them, a constant on each path of the verifier */
	__u64 piece; /* most bytes copied at once from a fragment; 0: there is no need */
};

static __always_inline void record_plan(struct record_plan *plan, const struct netcap_packet *pkt)
{
	__u32 have = pkt->vlan ? pkt->wire_len - VLAN_HLEN : pkt->wire_len;
	__u32 keep = netcap_config.snaplen;

	/* the daemon puts the tag back, and the packet may not get longer than snaplen by that */
	if (pkt->vlan)
		keep = keep > VLAN_HLEN ? keep - VLAN_HLEN : 0;
	plan->want = have < keep ? have : keep;
	plan->head = plan->want < pkt->linear ? plan->want : pkt->linear;
}

/* Keeps the compiler from computing the size: it must stay one constant per branch. */
#define RECORD_ROOM(plan, bytes)                                      \
	do {                                                          \
		asm volatile("%0 = %1" : "=r"((plan)->room) : "i"(bytes)); \
	} while (0)

/* The rung must be reachable with this snaplen: what is not, the verifier never visits. */
#define RECORD_RUNG(plan, need, bytes, below)                                    \
	if ((below) < netcap_config.snaplen && (need) <= (bytes)) {              \
		RECORD_ROOM(plan, bytes);                                        \
		return;                                                          \
	}

static __always_inline void record_room_linear(struct record_plan *plan)
{
	__u32 need = plan->want;

	plan->piece = 0;
	RECORD_RUNG(plan, need, 64, 0)
	RECORD_RUNG(plan, need, 96, 64)
	RECORD_RUNG(plan, need, 128, 96)
	RECORD_RUNG(plan, need, 192, 128)
	RECORD_RUNG(plan, need, 256, 192)
	RECORD_RUNG(plan, need, 384, 256)
	RECORD_RUNG(plan, need, 512, 384)
	RECORD_RUNG(plan, need, 768, 512)
	RECORD_RUNG(plan, need, 1024, 768)
	RECORD_RUNG(plan, need, 1536, 1024)
	RECORD_RUNG(plan, need, 2048, 1536)
	RECORD_RUNG(plan, need, 4096, 2048)
	RECORD_RUNG(plan, need, 8192, 4096)
	RECORD_RUNG(plan, need, 16384, 8192)
	RECORD_RUNG(plan, need, 32768, 16384)
	RECORD_RUNG(plan, need, 65536, 32768)
	RECORD_RUNG(plan, need, 131072, 65536)
	RECORD_ROOM(plan, NETCAP_SNAPLEN_MAX);
}

static __always_inline void record_room_pieces(struct record_plan *plan)
{
	__u32 need = plan->want;

	plan->piece = 256;
	RECORD_RUNG(plan, need, 256, 0)
	RECORD_RUNG(plan, need, 1024, 256)
	plan->piece = 4096;
	RECORD_RUNG(plan, need, 4096, 1024)
	RECORD_RUNG(plan, need, 16384, 4096)
	RECORD_RUNG(plan, need, 65536, 16384)
	RECORD_ROOM(plan, NETCAP_SNAPLEN_MAX);
}

static __always_inline struct netcap_record *record_reserve(void *ring, struct record_plan *plan)
{
	__u32 fixed = sizeof(struct netcap_record);

	if (netcap_config.stack)
		fixed += NETCAP_STACK_FRAMES * sizeof(__u64);
	if (plan->want > plan->head)
		record_room_pieces(plan);
	else
		record_room_linear(plan);
	return bpf_ringbuf_reserve(ring, (__u64)fixed + plan->room + plan->piece, 0);
}

static __always_inline __u8 *record_data(struct netcap_record *r)
{
	return netcap_config.stack ? (__u8 *)&r->stack[NETCAP_STACK_FRAMES] : (__u8 *)r->stack;
}

/* Makes the compiler forget what it knows of a number, so that the check behind it stays. */
#define RECORD_OPAQUE(number) asm volatile("" : "+r"(number))

struct record_copy {
	struct packet_walk walk;
	__u8 *data;
	__u64 done;  /* bytes of data that are good */
	__u64 addr;  /* rest of the current piece */
	__u32 len;
	__u32 want;
	__u64 room;  /* 8 bytes wide, or the verifier does not keep the value on the stack */
	__u64 piece;
};

PACKET_STEP record_copy_step(__u32 turn, void *context)
{
	struct record_copy *c = context;
	__u64 done = c->done, n;

	if (done >= c->want)
		return 1;
	if (!c->len) {
		if (!packet_walk_next(&c->walk, &c->addr, &c->len))
			return 1;
		PACKET_FORGET(c->len);
		PACKET_FORGET(c->addr);
		return 0;
	}
	n = c->want - done;
	if (n > c->len)
		n = c->len;
	RECORD_OPAQUE(n);
	RECORD_OPAQUE(done);
	if (n > c->piece)
		n = c->piece;
	if (done > c->room)
		return 1;
	if (!c->addr || bpf_probe_read_kernel(c->data + done, n, (void *)c->addr))
		return 1;
	c->addr += n;
	c->len -= n;
	c->done = done + n;
	PACKET_FORGET(c->done);
	return 0;
}

/* Copies what lies behind the linear part. Returns how many bytes of data are good then. */
static __always_inline __u32 record_copy_pieces(__u8 *data, __u64 done, const struct record_plan *plan,
						struct sk_buff *skb)
{
	struct record_copy copy = {
		.data = data,
		.done = done,
		.want = plan->want,
		.room = plan->room,
		.piece = plan->piece,
	};

	packet_walk_start(&copy.walk, skb);
	PACKET_FORGET(copy.done);
	PACKET_LOOP(record_copy_step, copy);
	return copy.done;
}

static __always_inline void record_fill(struct netcap_record *r, const struct record_plan *plan,
					const struct netcap_packet *pkt, const void *direct)
{
	__u8 *data = record_data(r);
	__u64 done = plan->head;

	RECORD_OPAQUE(done);
	if (done > plan->room)
		done = plan->room;
	if (bpf_probe_read_kernel(data, done, direct))
		done = 0;
	if (plan->piece && done == plan->head) {
		done = record_copy_pieces(data, done, plan, (void *)packet_number(pkt->skb));
	}
	if (done < plan->want)
		r->flags |= NETCAP_F_PARTIAL;
	r->cap_len = done;
}

#endif
