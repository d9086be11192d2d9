/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "daemon/flowtext.h"

#define TAGS_MOST       2 /* VLAN tags, and extension headers of IPv6, that are looked behind */
#define EXTENSIONS_MOST 8
#define FRAGMENT_OFFSET 0x1fff /* of IPv4 */
#define FRAGMENT6_OFFSET 0xfff8

/* What is left of the packet. */
struct rest {
	const uint8_t *at;
	size_t length;
};

struct flow {
	int family;
	const uint8_t *from, *to; /* addresses */
	uint8_t protocol;
	bool fragment; /* not the first one, which has the ports */
	struct rest payload;
};

static uint16_t number(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static bool skip(struct rest *r, size_t bytes)
{
	if (r->length < bytes)
		return false;
	r->at += bytes;
	r->length -= bytes;
	return true;
}

/* Past the Ethernet header and its tags. The EtherType, or 0. */
static uint16_t read_ethernet(struct rest *r)
{
	uint16_t type;

	if (!skip(r, ETH_HLEN))
		return 0;
	type = number(r->at - 2);
	for (int tags = 0; tags < TAGS_MOST && (type == ETH_P_8021Q || type == ETH_P_8021AD); tags++) {
		if (!skip(r, 4))
			return 0;
		type = number(r->at - 2);
	}
	return type;
}

static uint16_t read_raw(const struct rest *r)
{
	if (!r->length)
		return 0;
	return r->at[0] >> 4 == 4 ? ETH_P_IP : r->at[0] >> 4 == 6 ? ETH_P_IPV6 : 0;
}

static bool read_ip(struct rest r, struct flow *f)
{
	const uint8_t *ip = r.at;
	size_t header;

	if (r.length < 20 || ip[0] >> 4 != 4)
		return false;
	header = (ip[0] & 0xf) * 4;
	if (header < 20)
		return false;
	*f = (struct flow){
		.family = AF_INET,
		.from = ip + 12,
		.to = ip + 16,
		.protocol = ip[9],
		.fragment = number(ip + 6) & FRAGMENT_OFFSET,
	};
	if (skip(&r, header))
		f->payload = r;
	return true;
}

/* Past one extension header. False: it is none, or not all there. */
static bool skip_extension(struct flow *f)
{
	const uint8_t *at = f->payload.at;

	if (f->payload.length < 8)
		return false;
	switch (f->protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		if (!skip(&f->payload, (at[1] + 1) * 8))
			return false;
		break;
	case IPPROTO_FRAGMENT:
		f->fragment = number(at + 2) & FRAGMENT6_OFFSET;
		skip(&f->payload, 8);
		break;
	default:
		return false;
	}
	f->protocol = at[0];
	return !f->fragment;
}

static bool read_ip6(struct rest r, struct flow *f)
{
	const uint8_t *ip = r.at;

	if (!skip(&r, 40) || ip[0] >> 4 != 6)
		return false;
	*f = (struct flow){ .family = AF_INET6, .from = ip + 8, .to = ip + 24, .protocol = ip[6], .payload = r };
	for (int i = 0; i < EXTENSIONS_MOST && skip_extension(f); i++)
		;
	return true;
}

/* "tcp", or the number. */
static const char *protocol_name(uint8_t protocol, char *text, size_t size)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	}
	snprintf(text, size, "protocol %u", protocol);
	return text;
}

static bool has_ports(const struct flow *f)
{
	return !f->fragment && f->payload.length >= 4 &&
	       (f->protocol == IPPROTO_TCP || f->protocol == IPPROTO_UDP || f->protocol == IPPROTO_SCTP);
}

static const char *end_text(const struct flow *f, const uint8_t *address, int port, char *text, size_t size)
{
	char plain[INET6_ADDRSTRLEN] = "";
	bool brackets = f->family == AF_INET6 && port >= 0;

	inet_ntop(f->family, address, plain, sizeof(plain));
	if (port < 0)
		snprintf(text, size, "%s", plain);
	else
		snprintf(text, size, "%s%s%s:%d", brackets ? "[" : "", plain, brackets ? "]" : "", port);
	return text;
}

static void put_flow(const struct flow *f, char *text, size_t size)
{
	bool ports = has_ports(f), icmp = f->protocol == IPPROTO_ICMP || f->protocol == IPPROTO_ICMPV6;
	char from[INET6_ADDRSTRLEN + 8], to[INET6_ADDRSTRLEN + 8], name[16], more[24] = "";

	if (f->fragment)
		snprintf(more, sizeof(more), " fragment");
	else if (icmp && f->payload.length >= 2)
		snprintf(more, sizeof(more), " type %u code %u", f->payload.at[0], f->payload.at[1]);
	snprintf(text, size, "%s > %s %s%s",
		 end_text(f, f->from, ports ? number(f->payload.at) : -1, from, sizeof(from)),
		 end_text(f, f->to, ports ? number(f->payload.at + 2) : -1, to, sizeof(to)),
		 protocol_name(f->protocol, name, sizeof(name)), more);
}

const char *flowtext_make(enum netcap_link link, const uint8_t *bytes, size_t length, char *text, size_t size)
{
	struct rest r = { bytes, length };
	struct flow f;
	uint16_t type = link == NETCAP_LINK_ETHERNET ? read_ethernet(&r) : link == NETCAP_LINK_RAW ? read_raw(&r) : 0;

	if ((type == ETH_P_IP && read_ip(r, &f)) || (type == ETH_P_IPV6 && read_ip6(r, &f)))
		put_flow(&f, text, size);
	else if (type == ETH_P_ARP)
		snprintf(text, size, "arp");
	else if (type >= ETH_P_802_3_MIN)
		snprintf(text, size, "ethertype 0x%04x", type);
	else
		snprintf(text, size, "%s", "");
	return text;
}
