/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the headers of a packet will be that has none yet: of its socket, of the flow it goes by, and of what the stack
 * has written of it. Who asks for them, and where they are kept: made.bpf.h.
 */
#ifndef NETCAP_HEADERS_BPF_H
#define NETCAP_HEADERS_BPF_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "packet.bpf.h"

#define HEADERS_IP_MOST    60 /* bytes of an IP header that is there; of IPv6, with extension headers */
#define HEADERS_HOPS       64 /* where the socket does not say: the default of net.ipv4.ip_default_ttl */
#define HEADERS_LENGTH_MAX 65535

/* What is known of the packet. */
struct headers_facts {
	__u64 skb;       /* addresses, as the next three */
	__u64 sk;
	__u64 flow;      /* of a struct flowi, 0: none */
	__u64 head;
	__u32 data;      /* from head, as the next two */
	__u32 network;
	__u32 transport; /* HEADER_UNSET: not known */
	__u32 len;       /* bytes from data */
	__u32 ip_len;    /* of the IP header that is there, 0: there is none */
	__u16 protocol;  /* IPPROTO_* */
	__u8 v6;         /* these three are 0 or 1; as bool they would be two ways each time they are forgotten */
	__u8 full;       /* sk is a whole struct sock, not one that only waits or begins */
	__u8 always;
};

/* IPv6 sockets that talk to IPv4 peers have addresses of the form ::ffff:192.0.2.1. */
static __always_inline bool headers_is_v6(__u64 address, __u16 family)
{
	struct sock *sk = (struct sock *)address;
	__be32 words[4];

	if (family != AF_INET6 || !bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
		return false;
	BPF_CORE_READ_INTO(&words, sk, __sk_common.skc_v6_daddr);
	return words[0] || words[1] || words[2] != bpf_htonl(0xffff);
}

/*
 * The length of the IP header that is there. One that was written has its route (skb_dst); without, these bytes
 * are what an earlier packet left in the memory.
 */
static __always_inline __u32 headers_ip_written(const struct headers_facts *f, __u8 *first)
{
	__u32 len;

	if (f->always || f->network != f->data || !PACKET_READ(sk_buff, f->skb, _skb_refdst) ||
	    bpf_probe_read_kernel(first, 1, (void *)(f->head + f->data)))
		return 0;
	if (*first >> 4 == 4)
		return (*first & 15) >= 5 ? (*first & 15) * 4 : 0;
	if (*first >> 4 != 6)
		return 0;
	len = f->transport - f->network;
	return f->transport != HEADER_UNSET && f->transport > f->network ? len : sizeof(struct ipv6hdr);
}

/* With "always": is the packet that is there a piece of one? The headers are those of the whole. */
static __always_inline bool headers_is_fragment(const struct headers_facts *f)
{
	struct iphdr v4 = {};

	if (!f->always || f->network >= f->transport || f->transport == HEADER_UNSET ||
	    bpf_probe_read_kernel(&v4, sizeof(v4), (void *)(f->head + f->network)))
		return false;
	if (((__u8 *)&v4)[0] >> 4 == 6)
		return ((__u8 *)&v4)[offsetof(struct ipv6hdr, nexthdr)] == IPPROTO_FRAGMENT;
	return v4.frag_off & bpf_htons(0x3fff);
}

/* False: there is no socket that could say anything, or the packet came in, and its headers are another's. */
static __always_inline bool headers_learn(struct headers_facts *f, __u64 skb, __u64 sock)
{
	__u64 sk = source_number((__u64)PACKET_READ(sk_buff, skb, sk));
	__u16 family;
	__u8 state, first = 0;

	f->skb = skb;
	f->sk = sk << 8 ? sk : sock; /* the highest byte of the number is made up */
	family = PACKET_READ(sock, f->sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) || PACKET_READ(sk_buff, skb, skb_iif))
		return false;
	state = PACKET_READ(sock, f->sk, __sk_common.skc_state);
	f->full = state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV;
	f->protocol = f->full ? PACKET_READ(sock, f->sk, sk_protocol) : IPPROTO_TCP;
	if (f->protocol > 255) /* a name within the kernel, as IPPROTO_MPTCP */
		return false;
	f->head = source_number((__u64)PACKET_READ(sk_buff, skb, head));
	f->data = source_number((__u64)PACKET_READ(sk_buff, skb, data)) - f->head;
	f->network = PACKET_READ(sk_buff, skb, network_header);
	f->transport = PACKET_READ(sk_buff, skb, transport_header);
	f->len = PACKET_READ(sk_buff, skb, len);
	f->ip_len = headers_ip_written(f, &first);
	f->v6 = f->ip_len ? first >> 4 == 6 : headers_is_v6(f->sk, family);
	return f->ip_len <= HEADERS_IP_MOST && !headers_is_fragment(f);
}

/* Has the IPv6 header its length? That of a packet which is longer than the length can say is 0. */
static __always_inline bool headers_is_complete(const struct headers_facts *f)
{
	__be16 length = 1;

	bpf_probe_read_kernel(&length, sizeof(length),
			      (void *)(f->head + f->network + offsetof(struct ipv6hdr, payload_len)));
	return length || f->len > HEADERS_LENGTH_MAX;
}

/* ---- TCP and UDP ---- */

/* Is the sequence number one that this socket sends (and not one of a packet that waits to be read)? */
static __always_inline bool headers_sends(__u64 sk, __u32 seq)
{
	__u32 first = PACKET_READ(tcp_sock, sk, snd_una) - 1; /* a probe of the peer repeats the last byte */

	return (__s32)(seq - first) >= 0 && (__s32)(PACKET_READ(tcp_sock, sk, write_seq) - seq) >= 0;
}

static __always_inline __u16 headers_window(__u64 sk, bool syn)
{
	__u32 window = PACKET_READ(tcp_sock, sk, rcv_wnd);

	if (!syn)
		window >>= PACKET_READ_BITS(tcp_sock, sk, rx_opt.rcv_wscale);
	return source_least(window, 65535);
}

static __always_inline bool headers_tcp(const struct headers_facts *f, struct tcphdr *h)
{
	__u64 cb = f->skb + bpf_core_field_offset(struct sk_buff, cb);
	__u32 seq = PACKET_READ(tcp_skb_cb, cb, seq);
	__u8 flags = PACKET_READ(tcp_skb_cb, cb, tcp_flags);

	if (!f->full || !headers_sends(f->sk, seq))
		return false;
	h->source = bpf_htons(PACKET_READ(sock, f->sk, __sk_common.skc_num));
	h->dest = PACKET_READ(sock, f->sk, __sk_common.skc_dport);
	h->seq = bpf_htonl(seq);
	h->ack_seq = bpf_htonl(PACKET_READ(tcp_sock, f->sk, rcv_nxt));
	((__u8 *)h)[12] = sizeof(*h) / 4 << 4; /* length in words; options come when it is sent */
	((__u8 *)h)[13] = flags;
	h->window = bpf_htons(headers_window(f->sk, flags & 2));
	return true;
}

/* Where a datagram goes: the flow says, else the socket if it is connected. False: neither does. */
static __always_inline bool headers_udp(const struct headers_facts *f, struct udphdr *h, __u32 payload)
{
	h->source = bpf_htons(PACKET_READ(sock, f->sk, __sk_common.skc_num));
	h->dest = f->v6 ? PACKET_READ(flowi6, f->flow, uli.ports.dport) :
			  PACKET_READ(flowi4, f->flow, uli.ports.dport); /* 0 without a flow */
	if (!h->dest)
		h->dest = PACKET_READ(sock, f->sk, __sk_common.skc_dport);
	h->len = bpf_htons(sizeof(*h) + payload <= HEADERS_LENGTH_MAX ? sizeof(*h) + payload : 0);
	return h->dest != 0;
}

/* Has the stack written the datagram's header? Its source port and length are right then. */
static __always_inline bool headers_udp_written(const struct headers_facts *f, __u32 skip)
{
	struct udphdr h = {};

	if (f->always || f->flow || bpf_probe_read_kernel(&h, sizeof(h), (void *)(f->head + f->data + skip)))
		return false;
	return h.source == bpf_htons(PACKET_READ(sock, f->sk, __sk_common.skc_num)) &&
	       bpf_ntohs(h.len) == f->len - skip;
}

/* ---- IP ---- */

static __always_inline bool headers_ip4(const struct headers_facts *f, struct iphdr *h)
{
	__s16 ttl = f->full ? PACKET_READ(inet_sock, f->sk, uc_ttl) : -1;

	h->daddr = PACKET_READ(flowi4, f->flow, daddr);
	h->saddr = PACKET_READ(flowi4, f->flow, saddr);
	if (!h->daddr) {
		h->daddr = PACKET_READ(sock, f->sk, __sk_common.skc_daddr);
		h->saddr = PACKET_READ(sock, f->sk, __sk_common.skc_rcv_saddr);
	}
	((__u8 *)h)[0] = 0x45;
	h->tos = f->full ? PACKET_READ(inet_sock, f->sk, tos) : 0;
	h->ttl = ttl > 0 ? ttl : HEADERS_HOPS;
	h->protocol = f->protocol;
	return h->daddr != 0;
}

static __always_inline bool headers_ip6(const struct headers_facts *f, struct ipv6hdr *h)
{
	struct sock *sk = (struct sock *)f->sk;
	struct flowi6 *flow = (struct flowi6 *)f->flow;
	__u64 options = f->full ? source_number((__u64)PACKET_READ(inet_sock, f->sk, pinet6)) : 0;
	__s16 hops = PACKET_READ_BITS(ipv6_pinfo, options, hop_limit);
	__u32 class = PACKET_READ(ipv6_pinfo, options, tclass); /* 0 without */
	__u64 *to = (__u64 *)&h->daddr;

	BPF_CORE_READ_INTO(&h->daddr, flow, daddr);
	BPF_CORE_READ_INTO(&h->saddr, flow, saddr);
	if (!to[0] && !to[1]) {
		BPF_CORE_READ_INTO(&h->daddr, sk, __sk_common.skc_v6_daddr);
		BPF_CORE_READ_INTO(&h->saddr, sk, __sk_common.skc_v6_rcv_saddr);
	}
	*(__be32 *)h = bpf_htonl(6 << 28 | class << 20);
	h->nexthdr = f->protocol;
	h->hop_limit = hops > 0 ? hops : HEADERS_HOPS;
	return to[0] || to[1];
}

/* Bytes of the IP header that is in m->bytes now, or 0: nothing says where the packet goes. */
static __always_inline __u32 headers_ip(const struct headers_facts *f, struct source_made *m)
{
	const void *from = (const void *)(f->head + f->data);
	__u64 bytes = f->ip_len;

	if (f->ip_len) {
		/* of their own and in this order: Linux 5.10 does not remember bounds of what is spilled */
		VERIFIER_OPAQUE(from);
		VERIFIER_OPAQUE(bytes);
		if (bytes > HEADERS_IP_MOST || bpf_probe_read_kernel(m->bytes, bytes, from))
			return 0;
		m->parts = NETCAP_MADE_IP_LENGTH;
		return f->ip_len;
	}
	m->parts = NETCAP_MADE_IP;
	if (f->v6 && bpf_core_field_exists(struct inet_sock, pinet6))
		return headers_ip6(f, (struct ipv6hdr *)m->bytes) ? sizeof(struct ipv6hdr) : 0;
	return headers_ip4(f, (struct iphdr *)m->bytes) ? sizeof(struct iphdr) : 0;
}

/* Of an IPv4 header without its length and checksum. Whatever is not of the header is still 0. */
static __always_inline __u32 headers_ip_sum(const struct headers_facts *f, struct source_made *m)
{
	struct iphdr *v4 = (struct iphdr *)m->bytes;
	__u16 *words = (__u16 *)m->bytes;
	__u32 sum = 0;

	if (f->v6)
		return 0;
	v4->tot_len = 0;
	v4->check = 0;
	for (int i = 0; i < HEADERS_IP_MOST / 2; i++)
		sum += words[i];
	return sum;
}

/* Length and checksum. */
static __always_inline void headers_ip_finish(const struct headers_facts *f, struct source_made *m, __u32 sum, __u32 ip_len,
					   __u32 behind)
{
	struct ipv6hdr *v6 = (struct ipv6hdr *)m->bytes;
	struct iphdr *v4 = (struct iphdr *)m->bytes;
	__u32 total;

	total = behind + ip_len - (f->v6 ? sizeof(*v6) : 0);
	if (total > HEADERS_LENGTH_MAX)
		total = 0; /* it will be sent in parts */
	if (f->v6) {
		v6->payload_len = bpf_htons(total);
		return;
	}
	v4->tot_len = bpf_htons(total);
	sum += v4->tot_len;
	sum = (sum & 0xffff) + (sum >> 16);
	v4->check = ~((sum & 0xffff) + (sum >> 16));
}

/* ---- all ---- */

union headers_transport {
	struct tcphdr tcp;
	struct udphdr udp;
	__u8 bytes[20];
};

/*
 * What comes behind the IP header. False: it cannot be told. m->skip: where the payload begins from skb->data,
 * behind what is made.
 */
static __always_inline bool headers_transport(const struct headers_facts *f, struct source_made *m,
					   union headers_transport *t, __u32 *len)
{
	bool known = f->transport != HEADER_UNSET && f->transport >= f->data;

	*len = 0;
	m->skip = f->ip_len ? f->ip_len : known ? f->transport - f->data : 0;
	if (f->protocol == IPPROTO_TCP && !known) {
		*len = sizeof(t->tcp);
		m->parts |= NETCAP_MADE_TCP;
		return headers_tcp(f, &t->tcp);
	}
	if (f->protocol != IPPROTO_UDP || (known && headers_udp_written(f, m->skip)))
		return true;
	/* before IP has written its header a datagram may be in several skbs, of which only the first has UDP's */
	if (!known || (!f->ip_len && !f->always) || !headers_udp(f, &t->udp, f->len - m->skip - sizeof(t->udp)))
		return false;
	*len = sizeof(t->udp);
	m->skip += sizeof(t->udp);
	m->parts |= NETCAP_MADE_UDP;
	return true;
}

static __always_inline bool headers_write(const struct headers_facts *f, struct source_made *m)
{
	__u32 ip_len, t_len, sum;
	__u64 at;

	__builtin_memset(m->bytes, 0, sizeof(m->bytes));
	ip_len = headers_ip(f, m);
	sum = headers_ip_sum(f, m);
	VERIFIER_FORGET(ip_len);
	VERIFIER_FORGET(sum);
	VERIFIER_MEET();
	at = ip_len;
	VERIFIER_OPAQUE(at);
	if (!ip_len || at > HEADERS_IP_MOST ||
	    !headers_transport(f, m, (union headers_transport *)(m->bytes + at), &t_len) || m->skip > f->len)
		return false;
	VERIFIER_FORGET(t_len);
	VERIFIER_MEET();
	headers_ip_finish(f, m, sum, ip_len, t_len + f->len - m->skip);
	m->skb = (__u64)f->skb;
	m->len = ip_len + t_len;
	m->wire_len = m->len + f->len - m->skip;
	return true;
}

#endif
