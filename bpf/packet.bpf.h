/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a packet is in an sk_buff: its start, length and VLAN tag (struct netcap_packet). And what a filter sees of it.
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
#include "cast.bpf.h"
#include "filter_abi.h"
#include "source.bpf.h"

#define PACKET_GET(typed, p, member) ((typed) ? (p)->member : BPF_CORE_READ(p, member))

/*
 * The device. Where the verifier trusts a pointer, it looks through all of BTF for each pointer that
 * is followed from it (btf_nested_type_is_trusted()), the better part of a millisecond; so trust is
 * taken from it first.
 */
static __always_inline struct net_device *packet_dev(struct sk_buff *skb, bool typed)
{
	if (typed && PACKET_CAST)
		return packet_cast((__u64)skb)->dev;
	return PACKET_GET(typed, skb, dev);
}

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
static __always_inline bool packet_has_ethernet(struct sk_buff *skb, struct net_device *dev, __u32 mac,
						__u32 net, __u32 data, bool typed)
{
	__u16 type;

	if (mac == HEADER_UNSET) /* nobody looked at it: as a driver receives it, or an AF_XDP socket sends it */
		return !net && !PACKET_GET(typed, skb, protocol) &&
		       PACKET_GET(typed, dev, type) == ARPHRD_ETHER;
	if (mac > data)
		return false;
	type = PACKET_GET(typed, dev, type); /* 0 without a device */
	if (type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK)
		return data == mac || data >= mac + ETH_HLEN;
	return !type && net >= mac + ETH_HLEN;
}

/*
 * Unix sockets, netlink and others keep their messages in sk_buffs too. They are no packets, and what
 * processes tell each other on one machine is nothing that whoever may see packets should see.
 */
static __always_inline bool packet_is_message(struct sk_buff *skb, bool typed)
{
	__u16 family;

	if (PACKET_GET(typed, skb, protocol))
		return false;
	family = BPF_CORE_READ(skb, sk, __sk_common.skc_family);
	return family != AF_INET && family != AF_INET6 && family != AF_PACKET;
}

/*
 * Where the user says that packets begin (--skb-data), from head. False: there are no bytes of the packet, or it is
 * none.
 */
static __always_inline bool packet_asked_start(struct sk_buff *skb, __u32 data, __u32 len, __u32 *start, bool typed)
{
	__s64 offset = CONFIG(skb_data_offset);

	*start = data;
	if (offset + data < 0 || offset >= len || packet_is_message(skb, typed))
		return false;
	*start = data + offset;
	return true;
}

/* Bytes of a tag from metadata: VLAN_HLEN, or 0. No branch, which is two ways to the verifier. */
static __always_inline __u32 packet_tag_len(__u32 vlan)
{
	__u64 sign = -(__u64)vlan;

	VERIFIER_OPAQUE(sign);
	return sign >> 63 << 2;
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
	__u32 start, link, vlan = 0;
	__u64 ethernet;

	ethernet = packet_has_ethernet(skb, dev, mac, net, data, typed);
	VERIFIER_FORGET(ethernet);
	VERIFIER_MEET();
	if (CONFIG(skb_data)) {
		link = packet_asked_start(skb, data, len, &start, typed) ? NETCAP_LINK_ETHERNET :
									  NETCAP_LINK_NONE;
	} else if (ethernet) {
		link = NETCAP_LINK_ETHERNET;
		start = mac == HEADER_UNSET ? data : mac;
		vlan = packet_vlan(skb, typed);
	} else {
		__u16 protocol = bpf_ntohs(PACKET_GET(typed, skb, protocol));
		bool ip = protocol == ETH_P_IP || protocol == ETH_P_IPV6;

		link = ip ? NETCAP_LINK_RAW : NETCAP_LINK_NONE;
		/* a device without link layer, or no network header: data is where the packet is */
		start = !ip || !net || data == mac || net > data ? data : net;
	}
	VERIFIER_FORGET(start);
	VERIFIER_FORGET(link);
	VERIFIER_FORGET(vlan);
	VERIFIER_MEET();
	pkt->skb = (__u64)skb;
	pkt->source = 0;
	pkt->start = start;
	pkt->linear = len - data_len + data - start;
	pkt->limit = pkt->linear;
	pkt->vlan = vlan;
	pkt->link = link;
	pkt->tunnels = 0;
	pkt->wire_len = len + data - start + packet_tag_len(vlan);
	*direct = head + start;
}

/* Where the packet's bytes are. No branch, which is two ways to the verifier. */
static __always_inline __u64 packet_source(const struct netcap_packet *pkt)
{
	__u64 instead = (__s64)pkt->source >> 63; /* all bits, or none: addresses of the kernel are negative */

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

/*
 * size bytes (1, 2, 4) of a packet as one number in host order, or -1. place: where byte 0 is from
 * source_head(), and in the upper half how long the packet is. linear: how much of it is in the linear part,
 * and in the upper half the tag. Global for the same reason.
 */
__noinline long packet_load(__u64 source, __u64 place, __u64 linear, __u32 off, __u32 size)
{
	__u32 start = place, vlan = linear >> 32;
	__u32 from = 0, to = 0, tag = 0; /* bytes of the tag that are wanted */
	__u64 end = (__u64)off + size;
	bool first = off >= ETH_TAG_AT;  /* the tag's come before the packet's */
	long value;

	if (end > place >> 32)
		return -1;
	if (vlan && end > ETH_TAG_AT) {
		from = first ? off - ETH_TAG_AT : 0;
		from = from < VLAN_HLEN ? from : VLAN_HLEN;
		to = end < ETH_TAG_AT + VLAN_HLEN ? end - ETH_TAG_AT : VLAN_HLEN;
		tag = ((__u64)vlan << (8 * from) & 0xffffffff) >> (8 * (from + VLAN_HLEN - to));
		off -= first ? from : 0;
	}
	size -= to - from;
	value = source_bytes(source, (__u64)start + off, (__s64)(__s32)linear - off, size);
	if (value < 0)
		return value;
	return first ? (__u64)tag << (8 * size) | value : value << (8 * (to - from)) | tag;
}

static __noinline long netcap_load(struct netcap_packet *pkt, __u32 off, __u32 size)
{
	return packet_load(packet_source(pkt), *(__u64 *)&pkt->start,
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
	/* what lies behind is skb_shared_info, or whatever else: the filter does not look there */
	if (bpf_probe_read_kernel(pkt->window, NETCAP_WINDOW, packet_linear(pkt, direct)))
		pkt->limit = 0;
	else if (pkt->limit > NETCAP_WINDOW)
		pkt->limit = NETCAP_WINDOW;
	VERIFIER_FORGET(pkt->limit);
	return netcap_filter(pkt, 0);
}

#endif
