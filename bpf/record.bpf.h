/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Room in the ring for one packet, and its bytes.
 *
 * bpf_ringbuf_reserve() takes constant sizes only (a size known at run time needs dynptrs, Linux 6.0),
 * so a record gets the smallest of a ladder of sizes that holds it. A packet with page fragments is
 * copied piece by piece (struct source_copy), so such a record has one piece of slack at its end.
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
	__u32 tag = packet_tags_len(pkt), have = pkt->wire_len - tag;
	/* the daemon puts the tag back, and the packet may not get longer than snaplen by that */
	__u32 keep = CONFIG(snaplen) > PACKET_TAGS_MOST ? CONFIG(snaplen) - tag :
		     tag			       ? 0 :
							 CONFIG(snaplen);

	plan->want = have < keep ? have : keep;
	plan->head = pkt->linear < 0 ? 0 : plan->want < pkt->linear ? plan->want : pkt->linear;
	VERIFIER_FORGET(plan->want);
	VERIFIER_FORGET(plan->head);
	VERIFIER_MEET();
}

/* Keeps the compiler from computing the size: it must stay one constant per branch. */
#define RECORD_ROOM(plan, bytes)                                      \
	do {                                                          \
		asm volatile("%0 = %1" : "=r"((plan)->room) : "i"(bytes)); \
	} while (0)

/*
 * The rung must be reachable with this snaplen, and the last one that is needs no look at the packet:
 * what is beyond, the verifier never visits.
 */
#define RECORD_RUNG(plan, need, bytes, below)                                                       \
	if ((below) < CONFIG(snaplen) &&                                                     \
	    (CONFIG(snaplen) <= (bytes) || (need) <= (bytes))) {                             \
		RECORD_ROOM(plan, bytes);                                                          \
		return;                                                                            \
	}

static __always_inline void record_room_linear(struct record_plan *plan)
{
	__u32 need = plan->want;

	plan->piece = 0;
	RECORD_RUNG(plan, need, 64, 0)
	RECORD_RUNG(plan, need, 128, 64)
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

	if (CONFIG(stack))
		fixed += NETCAP_STACK_FRAMES * sizeof(__u64);
	fixed += CONFIG(user_words) * sizeof(__u64);
	if (plan->want > plan->head)
		record_room_pieces(plan);
	else
		record_room_linear(plan);
	return bpf_ringbuf_reserve(ring, (__u64)fixed + plan->room + plan->piece, 0);
}

/* What the user's action fills: CONFIG(user_words). */
static __always_inline void *record_user(struct netcap_record *r)
{
	return CONFIG(stack) ? &r->stack[NETCAP_STACK_FRAMES] : r->stack;
}

static __always_inline __u8 *record_data(struct netcap_record *r)
{
	return (__u8 *)record_user(r) + CONFIG(user_words) * sizeof(__u64);
}

/* No branches: each would be two ways to the verifier, for each size of a record. */
static __always_inline void record_fill(struct netcap_record *r, const struct record_plan *plan,
					const struct netcap_packet *pkt, const void *direct)
{
	__u8 *data = record_data(r);
	__u64 done = plan->head, good;

	VERIFIER_FORGET(done);
	if (done > plan->room)
		done = plan->room;
	good = ~(SOURCE_READ(data, done, packet_linear(pkt, direct)) >> 63); /* all bits, or none */
	done &= good;
	if (plan->piece) {
		struct source_copy copy = {
			.walk.source = packet_source(pkt),
			.walk.skip = -pkt->linear & pkt->linear >> 31, /* 0 if it is not negative */
			.data = data,
			.done = done,
			.want = plan->want & good,
			.room = plan->room,
		};

		SOURCE_COPY(copy);
		done = copy.done;
	}
	r->flags |= (done - plan->want) >> 63 ? NETCAP_F_PARTIAL : 0;
	r->cap_len = done;
}

#endif
