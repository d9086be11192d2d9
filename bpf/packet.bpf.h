/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The bytes of a packet that was located (locate.bpf.h), and what a filter sees of it. */
#ifndef NETCAP_PACKET_BPF_H
#define NETCAP_PACKET_BPF_H

#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "filter_abi.h"
#include "locate.bpf.h"
#include "source.bpf.h"

/* Bytes of tags that are beside the packet's, and which they are: in the upper half the outer one. */
#ifdef NETCAP_PROCESS
#define PACKET_TAGS_MOST (2 * VLAN_HLEN)

static __always_inline __u32 packet_tags_len(const struct netcap_packet *pkt)
{
	return packet_tag_len(pkt->vlan) + packet_tag_len(pkt->inner_tag);
}

static __always_inline void packet_keep_tags(struct netcap_packet *pkt, __u32 keep)
{
	pkt->vlan &= keep;
	pkt->inner_tag &= keep;
}

static __always_inline __u64 packet_tags(__u64 source, __u32 vlan, __u32 *len)
{
	__u32 inner = vlan >> 16 == ETH_P_8021AD ? process_inner_tag(source) : 0;

	*len = VLAN_HLEN + packet_tag_len(inner);
	return (__u64)vlan << 32 | inner;
}

static __always_inline __u64 packet_source(const struct netcap_packet *pkt)
{
	return pkt->source;
}

static __always_inline const void *packet_linear(const struct netcap_packet *pkt, const void *direct)
{
	return direct;
}

/* Behind the packet there may be no memory. */
static __always_inline long packet_window(struct netcap_packet *pkt, const void *direct)
{
	__u64 size = pkt->limit;

	VERIFIER_OPAQUE(size);
	if (size > NETCAP_WINDOW)
		size = NETCAP_WINDOW;
	return SOURCE_READ(pkt->window, size, direct);
}

/* What a process says that a packet is may be wrong: then no filter matches it. */
static __always_inline bool packet_is_none(void)
{
	__sync_fetch_and_add(&netcap_control.unreadable, 1);
	return true;
}
#else
#define PACKET_TAGS_MOST VLAN_HLEN

static __always_inline __u32 packet_tags_len(const struct netcap_packet *pkt)
{
	return packet_tag_len(pkt->vlan);
}

static __always_inline void packet_keep_tags(struct netcap_packet *pkt, __u32 keep)
{
	pkt->vlan &= keep;
}

static __always_inline __u64 packet_tags(__u64 source, __u32 vlan, __u32 *len)
{
	*len = VLAN_HLEN;
	return (__u64)vlan << 32;
}

/* Where the packet's bytes are. No branch, which is two ways to the verifier. */
static __always_inline __u64 packet_source(const struct netcap_packet *pkt)
{
	__u64 instead = (__s64)pkt->source >> 63; /* all bits, or none: addresses of the kernel are negative */

	if (!CONFIG(fake) && !CONFIG(source))
		return source_number(pkt->skb);
	VERIFIER_OPAQUE(instead);
	return pkt->source | (source_number(pkt->skb) & ~instead);
}

/*
 * Where to copy the linear part from. direct: where it is unless it was made, which sessions that make no headers
 * need not ask.
 */
static __always_inline const void *packet_linear(const struct netcap_packet *pkt, const void *direct)
{
	return CONFIG(fake) && source_kind(pkt->source) == SOURCE_MADE ? source_holder(pkt->source) + pkt->start : direct;
}

/* What lies behind is skb_shared_info, or whatever else: the filter does not look there. */
static __always_inline long packet_window(struct netcap_packet *pkt, const void *direct)
{
	return SOURCE_READ(pkt->window, NETCAP_WINDOW, packet_linear(pkt, direct));
}

/* The kernel's packets are there, and the filter asks for each byte by itself. */
static __always_inline bool packet_is_none(void)
{
	return false;
}
#endif

/*
 * size bytes (1, 2, 4) of a packet as one number in host order, or -1. place: where byte 0 is from
 * source_head(), and in the upper half how long the packet is. linear: how much of it is in the linear part,
 * and in the upper half the tag.
 */
static __always_inline long packet_load_at(__u64 source, __u64 place, __u64 linear, __u32 off, __u32 size)
{
	__u32 start = place, vlan = linear >> 32;
	__u64 end = (__u64)off + size, tag = 0, shift = 0;
	long value;

	if (end > place >> 32)
		return -1;
	if (vlan && end > ETH_TAG_AT) {
		bool first = off >= ETH_TAG_AT; /* the tags' bytes come before the packet's */
		__u32 from = first ? off - ETH_TAG_AT : 0, to, len; /* those that are wanted */
		__u64 tags = packet_tags(source, vlan, &len);

		from = from < len ? from : len;
		to = end < ETH_TAG_AT + len ? end - ETH_TAG_AT : len;
		if (to > from)
			tag = tags << 8 * from >> (64 - 8 * (to - from));
		off -= first ? from : 0;
		size -= to - from;
		shift = first ? 0 : 8 * (to - from);
		tag <<= first ? 8 * size : 0;
	}
	VERIFIER_FORGET(off);
	VERIFIER_FORGET(size);
	VERIFIER_FORGET(tag);
	VERIFIER_FORGET(shift);
	VERIFIER_MEET();
	value = source_bytes(source, (__u64)start + off, (__s64)(__s32)linear - off, size);
	return value < 0 ? value : value << shift % 64 | tag;
}

/* The same, global, so that the verifier looks at it once. */
__noinline long packet_load(__u64 source, __u64 place, __u64 linear, __u32 off, __u32 size)
{
	return packet_load_at(source, place, linear, off, size);
}

#ifdef NETCAP_PROCESS
/* One call less, as there is one more around all of these. */
#define PACKET_LOAD packet_load_at
#else
#define PACKET_LOAD packet_load
#endif

static __noinline long netcap_load(struct netcap_packet *pkt, __u32 off, __u32 size)
{
#ifdef NETCAP_PROCESS
	/*
	 * What the verifier knows of a filter's offset, bits and range, is at odds on ways that cannot be taken, of which that
	 * of Linux 6.18 warns as of a bug of its own (5f99f312bd3b).
	 */
	VERIFIER_FORGET(off);
#endif
	return PACKET_LOAD(packet_source(pkt), *(__u64 *)&pkt->start,
			   *(__u64 *)&pkt->linear, off, size);
}

/*
 * The filter's place. Its instructions are replaced before the program is loaded, so it must be the
 * last subprogram and must look to the compiler as if it needed both arguments and netcap_load().
 */
static __noinline __u64 netcap_filter(struct netcap_packet *pkt, const void *direct)
{
	__u32 off = 0, size = 1;

	/* unknown to the compiler, or it makes netcap_load() a function that loads byte 0 only */
	asm volatile("" : "+r"(pkt), "+r"(direct), "+r"(off), "+r"(size));
	return netcap_load(pkt, off, size) + (direct != 0);
}

/*
 * Does the spliced filter want the packet? libbpf appends subprograms in the order of their first
 * call, so the call of netcap_load(), which never runs, keeps netcap_filter() last.
 */
static __always_inline bool packet_matches(const struct netcap_packet *found, const void *direct)
{
	/* a copy that is gone when the record is made: stacks are short (512 bytes for all frames) */
	struct netcap_packet copy, *pkt = &copy;

	__builtin_memcpy(pkt, found, offsetof(struct netcap_packet, window));
	if (pkt->vlan && pkt->limit > ETH_TAG_AT)
		pkt->limit = ETH_TAG_AT;
	if (CONFIG(access) > NETCAP_ACCESS_DIRECT)
		return netcap_load(pkt, 0, 1) > 0;
	if (CONFIG(access) == NETCAP_ACCESS_DIRECT) {
		VERIFIER_FORGET(pkt->limit);
		return netcap_filter(pkt, direct);
	}
	if (packet_window(pkt, direct)) {
		if (packet_is_none())
			return false;
		pkt->limit = 0;
	} else if (pkt->limit > NETCAP_WINDOW) {
		pkt->limit = NETCAP_WINDOW;
	}
	VERIFIER_FORGET(pkt->limit);
	return netcap_filter(pkt, 0);
}

#endif
