/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packet in a tunnel: behind the headers of IP in IP, GRE (RFC 2784, 2890), VXLAN (RFC 7348) or Geneve (RFC 8926).
 */
#ifndef NETCAP_INNER_BPF_H
#define NETCAP_INNER_BPF_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include "packet.bpf.h"

#define INNER_DEPTH       3      /* tunnels in one another */
#define INNER_OPTIONS     2      /* headers between IPv6's and what is in it */
#define INNER_TAGS        2      /* VLAN tags in front of an IP header */
#define INNER_ETHERNET    0x6558 /* transparent Ethernet bridging: the EtherType of a frame in a tunnel */
#define INNER_VXLAN_PORT  4789
#define INNER_VXLAN_LINUX 8472   /* the kernel's own default, from before there was a number */
#define INNER_GENEVE_PORT 6081

/* Where to look, as packet_load() takes it. */
struct inner_view {
	__u64 source;
	__u64 place;
	__u64 linear;
};

/* A packet in the packet: its start and what it begins with. */
struct inner_found {
	__u32 at;     /* bytes from the outer packet's begin */
	__u8 link;    /* enum netcap_link */
	__u8 tunnel;  /* enum netcap_tunnel, 0: none */
};

static __always_inline long inner_load(const struct inner_view *v, __u32 off, __u32 size)
{
	return packet_load(v->source, v->place, v->linear, off, size);
}

/* What begins behind a header of a tunnel, by its EtherType. False: nothing that is known. */
static __always_inline bool inner_type(struct inner_found *f, long type)
{
	f->link = type == INNER_ETHERNET ? NETCAP_LINK_ETHERNET : NETCAP_LINK_RAW;
	return type == INNER_ETHERNET || type == ETH_P_IP || type == ETH_P_IPV6;
}

/* GRE: two bytes of flags, which say whether checksum, key and sequence number are there, and the EtherType. */
static __always_inline bool inner_gre(const struct inner_view *v, struct inner_found *f)
{
	long head = inner_load(v, f->at, 4);

	if (head < 0 || head >> 16 & 0x4007) /* routes, and versions such as PPTP's 1, are not known */
		return false;
	f->at += 4 + (head >> 31 & 1) * 4 + (head >> 29 & 1) * 4 + (head >> 28 & 1) * 4;
	f->tunnel = NETCAP_TUNNEL_GRE;
	return inner_type(f, head & 0xffff);
}

/* UDP, by its destination port. */
static __always_inline bool inner_udp(const struct inner_view *v, struct inner_found *f)
{
	long port = inner_load(v, f->at + 2, 2), head = inner_load(v, f->at + 8, 4);

	f->at += 16; /* both headers have 8 bytes */
	if (head < 0)
		return false;
	if (port == INNER_GENEVE_PORT) {
		f->at += (head >> 24 & 0x3f) * 4; /* options */
		f->tunnel = NETCAP_TUNNEL_GENEVE;
		return !(head >> 30) && inner_type(f, head & 0xffff);
	}
	f->tunnel = NETCAP_TUNNEL_VXLAN;
	return (port == INNER_VXLAN_PORT || port == INNER_VXLAN_LINUX) && head >> 27 & 1 &&
	       inner_type(f, INNER_ETHERNET);
}

static __always_inline bool inner_transport(const struct inner_view *v, struct inner_found *f, long protocol)
{
	switch (protocol) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		f->tunnel = NETCAP_TUNNEL_IPIP;
		f->link = NETCAP_LINK_RAW;
		return true;
	case IPPROTO_GRE:
		return inner_gre(v, f);
	case IPPROTO_UDP:
		return inner_udp(v, f);
	default:
		return false;
	}
}

/* Moves behind Ethernet header and tags. False: there is no IP behind. */
static __always_inline bool inner_ethernet(const struct inner_view *v, struct inner_found *f)
{
	long type = inner_load(v, f->at + ETH_TAG_AT, 2);

	f->at += ETH_HLEN;
	for (int i = 0; i < INNER_TAGS && (type == ETH_P_8021Q || type == ETH_P_8021AD); i++) {
		type = inner_load(v, f->at + 2, 2);
		f->at += VLAN_HLEN;
	}
	return type == ETH_P_IP || type == ETH_P_IPV6;
}

/* The protocol behind an IPv6 header, and behind options such as tunnels of IPv6 have (RFC 2473, 4.1.1). */
static __always_inline long inner_ip6(const struct inner_view *v, struct inner_found *f)
{
	long protocol = inner_load(v, f->at + 6, 1);

	f->at += 40;
	for (int i = 0; i < INNER_OPTIONS; i++) {
		long head;

		if (protocol != IPPROTO_HOPOPTS && protocol != IPPROTO_ROUTING && protocol != IPPROTO_DSTOPTS)
			break;
		head = inner_load(v, f->at, 2);
		if (head < 0)
			return head;
		protocol = head >> 8;
		f->at += ((head & 0xff) + 1) * 8;
	}
	return protocol;
}

/* Is there something behind the tunnel's header that can be a packet? */
static __always_inline bool inner_is_packet(const struct inner_view *v, const struct inner_found *f)
{
	long first;

	if (f->link == NETCAP_LINK_ETHERNET)
		return inner_load(v, f->at + ETH_TAG_AT, 2) >= 0;
	first = inner_load(v, f->at, 1);
	return first >> 4 == 4 || first >> 4 == 6;
}

/* One tunnel further in. False: it is none, or nothing that is known is in it. */
static __always_inline bool inner_step(const struct inner_view *v, struct inner_found *f)
{
	long first, protocol;

	if (f->link == NETCAP_LINK_ETHERNET && !inner_ethernet(v, f))
		return false;
	first = inner_load(v, f->at, 1);
	if (first >> 4 == 4) {
		protocol = inner_load(v, f->at + 9, 1);
		if (inner_load(v, f->at + 6, 2) & 0x1fff)
			return false; /* the end of a packet that was cut up has no header behind IP's */
		f->at += (first & 15) * 4;
		if ((first & 15) < 5)
			return false;
	} else {
		protocol = inner_ip6(v, f);
	}
	return (first >> 4 == 4 || first >> 4 == 6) && inner_transport(v, f, protocol) && inner_is_packet(v, f);
}

/*
 * Where the innermost packet begins: in the lower half bytes from the outer packet's begin, above them what it begins
 * with (link) and the tunnels around it. 0: there is no tunnel. Global, so that the verifier looks at it once.
 */
__noinline __u64 inner_find(__u64 source, __u64 place, __u64 linear, __u32 link)
{
	const struct inner_view view = { source, place, linear };
	__u32 at = 0, tunnels = 0;

	for (int i = 0; i < INNER_DEPTH; i++) {
		struct inner_found found = { .at = at, .link = link };

		if (link == NETCAP_LINK_NONE || !inner_step(&view, &found) || found.at > place >> 32)
			break;
		at = found.at;
		link = found.link;
		tunnels |= 1U << found.tunnel;
		VERIFIER_FORGET(at);
		VERIFIER_FORGET(link);
		VERIFIER_FORGET(tunnels);
		VERIFIER_MEET();
	}
	return at ? at | (__u64)link << 32 | (__u64)tunnels << 40 : 0;
}

/* Makes pkt the innermost packet. direct: as packet_locate() gives it. */
static __always_inline void inner_enter(struct netcap_packet *pkt, const void **direct)
{
	__u64 found = inner_find(packet_source(pkt), *(__u64 *)&pkt->start, *(__u64 *)&pkt->linear, pkt->link);
	__u32 at = found, keep, tag;

	/* no branches, each of which would be two ways for each size of a record */
	keep = ~(__s32)((__s64)-found >> 63); /* all bits: there is no tunnel */
	VERIFIER_OPAQUE(keep);
	tag = packet_tags_len(pkt) & ~keep;
	*direct += at - tag;
	pkt->start += at - tag;
	pkt->linear -= at - tag;
	pkt->wire_len -= at;
	packet_keep_tags(pkt, keep);
	pkt->link = (pkt->link & keep) | (found >> 32 & 0xff);
	pkt->tunnels = found >> 40;
	pkt->limit = pkt->linear & ~(pkt->linear >> 31);
	if (CONFIG(access) == NETCAP_ACCESS_DIRECT && pkt->source)
		pkt->limit = 0;
	VERIFIER_FORGET(pkt->limit);
	VERIFIER_MEET();
}

#endif
