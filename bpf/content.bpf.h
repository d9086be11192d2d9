/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What tells a packet from others wherever it is seen, as an skb or in XDP: a number made of those bytes of its headers
 * that stay on the way, and, but for TCP, of the first ones of its payload. TTL, traffic class, checksums and lengths of IP packets may
 * change, or are not written yet.
 */
#ifndef NETCAP_CONTENT_BPF_H
#define NETCAP_CONTENT_BPF_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "cast.bpf.h"
#include "kernel.h"
#include "source.bpf.h"
#include "verifier.bpf.h"

#define CONTENT_BYTES 64 /* of the transport header and what follows; of what is no IP packet, all */

union content {
	__u8 bytes[CONTENT_BYTES];
	__u64 words[CONTENT_BYTES / 8];
	struct iphdr v4;
	struct ipv6hdr v6;
	struct tcphdr tcp;
	struct udphdr udp;
};

/* The bytes from off, zeroes behind the packet's end. */
static __always_inline void content_read(union content *c, __u64 at, __u32 len, __u32 off)
{
	__u32 size = off < len ? len - off : 0;

	__builtin_memset(c, 0, sizeof(*c));
	size = size < CONTENT_BYTES ? size : CONTENT_BYTES;
	VERIFIER_OPAQUE(size);
	if (size <= CONTENT_BYTES)
		SOURCE_READ(c->bytes, size, (void *)(at + off));
}

static __always_inline __u64 content_mix(__u64 key, const union content *c)
{
	for (int i = 0; i < CONTENT_BYTES / 8; i++) {
		key = (key ^ c->words[i]) * 0x9e3779b97f4a7c15ull;
		key ^= key >> 32;
	}
	return key;
}

/* Where the network header begins: behind an Ethernet header and one tag that is among the bytes. */
static __always_inline __u32 content_network(__u64 at, __u32 len)
{
	__be16 type = 0;

	if (len < ETH_HLEN || SOURCE_READ(&type, sizeof(type), (void *)(at + ETH_HLEN - sizeof(type))))
		return 0;
	return ETH_HLEN + (type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD) ? VLAN_HLEN : 0);
}

/* Blanks what changes in the network header; *protocol is then that of the next one. Its length; 0: no IP. */
static __always_inline __u32 content_blank_network(union content *c, __u8 *protocol)
{
	__u8 version = c->bytes[0] >> 4;

	if (version == 4) {
		__u32 len = (c->bytes[0] & 15) * 4;

		*protocol = c->v4.protocol;
		c->v4.tos = c->v4.ttl = 0;
		c->v4.tot_len = c->v4.check = 0;
		__builtin_memset(c->bytes + sizeof(c->v4), 0, CONTENT_BYTES - sizeof(c->v4));
		return len;
	}
	if (version != 6)
		return 0;
	*protocol = c->v6.nexthdr;
	*(__u32 *)c->bytes = 0; /* version, traffic class, flow label */
	c->v6.payload_len = 0;
	c->v6.hop_limit = 0;
	__builtin_memset(c->bytes + sizeof(c->v6), 0, CONTENT_BYTES - sizeof(c->v6));
	return sizeof(c->v6);
}

/*
 * The key of the packet whose linear part is len bytes at at. Global, so that it has a stack of its own and the verifier
 * looks at it once. Never 0.
 */
__noinline __u64 content_key(__u64 at, __u32 len, __u32 ethernet)
{
	union content c;
	__u32 off = ethernet ? content_network(at, len) : 0, header;
	__u8 protocol = 0;
	__u64 key;

	content_read(&c, at, len, off);
	header = content_blank_network(&c, &protocol);
	key = content_mix(1, &c);
	if (!header)
		return key | 1;
	content_read(&c, at, len, off + header);
	if (protocol == IPPROTO_TCP) {
		/* what follows may be in a page here and elsewhere not; the sequence numbers tell enough */
		c.tcp.check = 0;
		__builtin_memset(c.bytes + sizeof(c.tcp), 0, CONTENT_BYTES - sizeof(c.tcp));
	} else if (protocol == IPPROTO_UDP) {
		c.udp.check = 0;
	}
	return content_mix(key, &c) | 1;
}

/* The key of the packet in the sk_buff at this address, from its network header on. */
static __always_inline __u64 content_of_skb(__u64 skb)
{
	__u64 head = source_number((__u64)PACKET_READ(sk_buff, skb, head));
	__u64 data = source_number((__u64)PACKET_READ(sk_buff, skb, data));
	__u64 end = data + PACKET_READ(sk_buff, skb, len) - PACKET_READ(sk_buff, skb, data_len);
	__u64 at = head + PACKET_READ(sk_buff, skb, network_header);

	return content_key(at, at < end ? end - at : 0, 0);
}

#endif
