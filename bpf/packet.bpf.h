/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a packet is in an sk_buff: its start, length and VLAN tag (struct netcap_packet), and its
 * bytes wherever they lie: linear part, page fragments, fragment list.
 *
 * "typed" is a compile-time constant: true where the verifier knows the skb's type (tp_btf), so that
 * members are plain loads; false where it is only an address (raw_tp), so that they are probe reads.
 */
#ifndef NETCAP_PACKET_BPF_H
#define NETCAP_PACKET_BPF_H

#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "kernel.h"
#include "record.h"
#include "filter_abi.h"

#define PACKET_PAGE_SIZE 4096 /* x86-64 */

/*
 * Pieces of one packet that are looked at; what lies beyond counts as unreadable (NETCAP_F_PARTIAL).
 * Where there is no bpf_loop() (before Linux 5.17) the verifier walks every turn of a loop.
 */
#define PACKET_MAX_PIECES     1024
#define PACKET_MAX_PIECES_OLD 24

extern const volatile struct netcap_config netcap_config;
extern struct netcap_control netcap_control;

/*
 * Makes the verifier forget what it knows of a number: netcap_control.zero is 0, but only the daemon
 * knows. Without it the verifier follows every combination of a loop's paths, with it they are one.
 */
#define PACKET_FORGET(number) ((number) ^= *(volatile __u64 *)&netcap_control.zero)

/* Keeps what a pointer points to in memory, where the compiler would rather have it in registers. */
#define PACKET_IN_MEMORY(at) asm volatile("" : "+r"(at) : : "memory")

#define PACKET_GET(typed, p, member) ((typed) ? (p)->member : BPF_CORE_READ(p, member))

static __always_inline __u32 packet_vlan(struct sk_buff *skb, bool typed)
{
	__u16 tci;

	if (bpf_core_field_exists(struct sk_buff___vlan_all, vlan_all)) {
		struct sk_buff___vlan_all *all = (void *)skb;

		if (!PACKET_GET(typed, all, vlan_all))
			return 0;
	} else {
		struct sk_buff___vlan_bit *bit = (void *)skb;

		if (!(typed ? BPF_CORE_READ_BITFIELD(bit, vlan_present) :
			      BPF_CORE_READ_BITFIELD_PROBED(bit, vlan_present)))
			return 0;
	}
	tci = PACKET_GET(typed, skb, vlan_tci);
	return (__u32)bpf_ntohs(PACKET_GET(typed, skb, vlan_proto)) << 16 | tci;
}

/*
 * Does the packet begin with an Ethernet header? mac_header alone does not say: devices without link
 * layer set it too, and it stays behind when a socket takes the packet over. network_header is stale
 * on receive until __netif_receive_skb_core(), so it counts only when the device is gone.
 */
static __always_inline bool packet_has_ethernet(struct net_device *dev, __u32 mac, __u32 net,
						__u32 data, bool typed)
{
	if (mac == HEADER_UNSET || mac > data)
		return false;
	if (dev) {
		__u16 type = PACKET_GET(typed, dev, type);

		if (type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK)
			return data == mac || data >= mac + ETH_HLEN;
		if (type)
			return false;
	}
	return net >= mac + ETH_HLEN;
}

/*
 * Fills pkt, all but window. *direct is the address of packet byte 0 in the pointer type of
 * skb->head, which newer verifiers let programs dereference.
 */
static __always_inline void packet_locate(struct sk_buff *skb, struct net_device *dev,
					  struct netcap_packet *pkt, const void **direct, bool typed)
{
	unsigned char *head = PACKET_GET(typed, skb, head);
	__u32 data = (__u32)(PACKET_GET(typed, skb, data) - head);
	__u32 mac = PACKET_GET(typed, skb, mac_header);
	__u32 net = PACKET_GET(typed, skb, network_header);
	__u32 len = PACKET_GET(typed, skb, len);
	__u32 data_len = PACKET_GET(typed, skb, data_len);
	__u32 start, vlan = 0;

	if (packet_has_ethernet(dev, mac, net, data, typed)) {
		pkt->link = NETCAP_LINK_ETHERNET;
		start = mac;
		vlan = packet_vlan(skb, typed);
	} else {
		__u16 protocol = bpf_ntohs(PACKET_GET(typed, skb, protocol));
		bool ip = protocol == ETH_P_IP || protocol == ETH_P_IPV6;

		pkt->link = ip ? NETCAP_LINK_RAW : NETCAP_LINK_NONE;
		/* a device without link layer, or no network header: data is where the packet is */
		start = !ip || !net || data == mac || net > data ? data : net;
	}
	pkt->skb = (__u64)skb;
	pkt->start = start;
	pkt->linear = len - data_len + data - start;
	pkt->wire_len = len + data - start;
	pkt->limit = pkt->linear;
	PACKET_FORGET(vlan);
	pkt->vlan = vlan;
	if (vlan) {
		pkt->wire_len += VLAN_HLEN;
		if (pkt->limit > ETH_TAG_AT)
			pkt->limit = ETH_TAG_AT;
	}
	*direct = head + start;
}

/*
 * Calls step(turn, &context) until it returns 1. Which of the two loops a program has is decided when
 * it is compiled: a kernel without bpf_loop() refuses even the address of a callback.
 */
#ifdef NETCAP_OLD_LOOPS
/* inlined: as a subprogram it would come behind netcap_filter(), which must be the last */
#define PACKET_STEP static __always_inline long
/*
 * The context stays in memory, as with bpf_loop(): each value in a register would be another way to
 * the verifier.
 */
#define PACKET_LOOP(step, context)                                           \
	do {                                                                 \
		void *at = &(context);                                       \
                                                                             \
		PACKET_IN_MEMORY(at);                                        \
		for (__u32 turn = 0; turn < PACKET_MAX_PIECES_OLD; turn++) { \
			if (step(turn, at))                                  \
				break;                                       \
			PACKET_IN_MEMORY(at);                                \
		}                                                            \
	} while (0)
#else
#define PACKET_STEP static long
#define PACKET_LOOP(step, context) bpf_loop(PACKET_MAX_PIECES, step, &(context), 0)
#endif

/* Walks the pieces of an skb behind its linear part. All addresses are plain numbers here. */
struct packet_walk {
	struct sk_buff *skb;  /* whose pieces come next */
	struct sk_buff *next; /* next one of the fragment list */
	__u64 shared;         /* its struct skb_shared_info */
	__s32 frag;           /* next fragment, -1: its linear part */
	__s32 frags;
};

static __always_inline void packet_walk_enter(struct packet_walk *w, struct sk_buff *skb)
{
	struct skb_shared_info *shared;
	__u8 frags = 0;

	shared = (void *)(BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, end));
	bpf_core_read(&frags, sizeof(frags), &shared->nr_frags);
	w->skb = skb;
	w->shared = (__u64)shared;
	w->frags = frags;
}

static __always_inline void packet_walk_start(struct packet_walk *w, struct sk_buff *skb)
{
	struct skb_shared_info *shared;

	packet_walk_enter(w, skb);
	shared = (void *)w->shared;
	w->next = BPF_CORE_READ(shared, frag_list);
	w->frag = 0;
}

/* The address of a fragment's bytes, or 0 where the CPU cannot read them. */
static __always_inline __u64 packet_frag(const struct packet_walk *w, __u32 *len)
{
	struct skb_shared_info *shared = (void *)w->shared;
	__u64 at, page = 0;
	__u32 offset = 0;

	*len = 0;
	at = w->shared + bpf_core_field_offset(shared->frags);
	if (bpf_core_type_exists(struct skb_frag)) {
		struct skb_frag *f = (void *)(at + w->frag * bpf_core_type_size(struct skb_frag));

		page = BPF_CORE_READ(f, netmem);
		*len = BPF_CORE_READ(f, len);
		offset = BPF_CORE_READ(f, offset);
	} else {
		struct bio_vec *v = (void *)(at + w->frag * bpf_core_type_size(struct bio_vec));

		page = (__u64)BPF_CORE_READ(v, bv_page);
		*len = BPF_CORE_READ(v, bv_len);
		offset = BPF_CORE_READ(v, bv_offset);
	}
	if (!netcap_config.page_linear || page & 1)
		return 0;
	return page / bpf_core_type_size(struct page) * PACKET_PAGE_SIZE +
	       netcap_config.page_linear + offset;
}

/* The next piece: its address (0: unreadable) and length, which may be 0. False at the end. */
static __always_inline bool packet_walk_next(struct packet_walk *w, __u64 *addr, __u32 *len)
{
	struct sk_buff *skb = w->skb;

	*addr = 0;
	*len = 0;
	if (w->frag >= w->frags) {
		skb = w->next;
		if (!skb)
			return false;
		packet_walk_enter(w, skb);
		w->next = BPF_CORE_READ(skb, next);
		w->frag = -1;
	} else if (w->frag < 0) {
		*addr = (__u64)BPF_CORE_READ(skb, data);
		*len = BPF_CORE_READ(skb, len) - BPF_CORE_READ(skb, data_len);
		w->frag = 0;
	} else {
		*addr = packet_frag(w, len);
		w->frag++;
	}
	PACKET_FORGET(w->frag);
	PACKET_FORGET(w->frags);
	return true;
}

struct packet_seek {
	struct packet_walk walk;
	__u32 at;   /* byte looked for, from the start of the next piece */
	long found; /* its value, or -1 */
};

PACKET_STEP packet_seek_step(__u32 turn, void *context)
{
	struct packet_seek *s = context;
	__u64 addr;
	__u32 len;
	__u8 byte;

	if (!packet_walk_next(&s->walk, &addr, &len))
		return 1;
	if (s->at >= len) {
		s->at -= len;
		return 0;
	}
	if (addr && !bpf_probe_read_kernel(&byte, 1, (void *)(addr + s->at)))
		s->found = byte;
	return 1;
}

/*
 * The byte at behind the linear part of an skb, or -1: there is none. Global, with numbers only as
 * arguments, so that the verifier looks at it once and not at every load of the filter, and so that
 * Linux 5.10 takes it.
 */
__noinline long packet_far_byte(__u64 skb, __u32 at)
{
	struct packet_seek s = { .at = at, .found = -1 };

	packet_walk_start(&s.walk, (struct sk_buff *)skb);
	PACKET_LOOP(packet_seek_step, s);
	return s.found;
}

/* The address of an skb as a number: global functions take no pointers from tp_btf programs. */
static __always_inline __u64 packet_number(__u64 skb)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &skb);
	return number;
}

static __always_inline long packet_linear_load(const void *at, __u32 size)
{
	__u32 word = 0;

	if (size == 4)
		return bpf_probe_read_kernel(&word, 4, at) ? -1 : (long)bpf_ntohl(word);
	if (size == 2)
		return bpf_probe_read_kernel(&word, 2, at) ? -1 : (long)bpf_ntohs(word);
	return bpf_probe_read_kernel(&word, 1, at) ? -1 : (long)(word & 0xff);
}

/*
 * size bytes (1, 2, 4) of the packet whose byte 0 is at start from skb->head, as one number in host
 * order, or -1. Global for the same reason.
 */
__noinline long packet_load(__u64 addr, __u32 start, __u32 off, __u32 size)
{
	struct sk_buff *skb = (void *)addr;
	unsigned char *head = BPF_CORE_READ(skb, head);
	__u64 linear_end = (__u64)BPF_CORE_READ(skb, data) - (__u64)head + BPF_CORE_READ(skb, len) -
			   BPF_CORE_READ(skb, data_len);
	__u64 at = (__u64)start + off;
	__u64 value = 0;

	if (at + size <= linear_end)
		return packet_linear_load(head + at, size);
	for (__u32 i = 0; i < 4; i++, at++) {
		long byte;

		if (i >= size)
			break;
		if (at < linear_end)
			byte = packet_linear_load(head + at, 1);
		else
			byte = packet_far_byte(addr, at - linear_end);
		if (byte < 0)
			return byte;
		value = value << 8 | (__u8)byte;
	}
	return value;
}

static __noinline long netcap_load(struct netcap_packet *pkt, __u32 off, __u32 size)
{
	__u64 skb = packet_number(pkt->skb), end = (__u64)off + size;
	__u64 value = 0;

	if (end > pkt->wire_len)
		return -1;
	if (!pkt->vlan || end <= ETH_TAG_AT)
		return packet_load(skb, pkt->start, off, size);
	if (off >= ETH_TAG_AT + VLAN_HLEN)
		return packet_load(skb, pkt->start, off - VLAN_HLEN, size);
	/* some of the bytes are in the tag */
	for (__u32 i = 0; i < 4; i++) {
		__u32 at = off + i;
		long byte;

		if (i >= size)
			break;
		if (at < ETH_TAG_AT)
			byte = packet_load(skb, pkt->start, at, 1);
		else if (at < ETH_TAG_AT + VLAN_HLEN)
			byte = pkt->vlan >> (8 * (3 - (at - ETH_TAG_AT))) & 0xff;
		else
			byte = packet_load(skb, pkt->start, at - VLAN_HLEN, 1);
		if (byte < 0)
			return byte;
		value = value << 8 | (__u8)byte;
	}
	return value;
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
	if (netcap_config.access > NETCAP_ACCESS_DIRECT)
		return netcap_load(pkt, 0, 1) > 0;
	if (netcap_config.access == NETCAP_ACCESS_DIRECT)
		return netcap_filter(pkt, direct);
	/* skb_shared_info lies behind the linear part, so this never reads past the allocation */
	if (bpf_probe_read_kernel(pkt->window, NETCAP_WINDOW, direct))
		pkt->limit = 0;
	else if (pkt->limit > NETCAP_WINDOW)
		pkt->limit = NETCAP_WINDOW;
	return netcap_filter(pkt, 0);
}

#endif
