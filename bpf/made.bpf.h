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
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "context.bpf.h"
#include "packet.bpf.h"

#define MADE_IP_MOST    60 /* bytes of an IP header that is there; of IPv6, with extension headers */
#define MADE_HOPS       64 /* where the socket does not say: the default of net.ipv4.ip_default_ttl */
#define MADE_LENGTH_MAX 65535

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

/* What is known of the packet. */
struct made_facts {
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
static __always_inline bool made_is_v6(__u64 address, __u16 family)
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
static __always_inline __u32 made_ip_written(const struct made_facts *f, __u8 *first)
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
static __always_inline bool made_is_fragment(const struct made_facts *f)
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
static __always_inline bool made_learn(struct made_facts *f, __u64 skb, __u64 sock)
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
	f->ip_len = made_ip_written(f, &first);
	f->v6 = f->ip_len ? first >> 4 == 6 : made_is_v6(f->sk, family);
	return f->ip_len <= MADE_IP_MOST && !made_is_fragment(f);
}

/* Has the IPv6 header its length? That of a packet which is longer than the length can say is 0. */
static __always_inline bool made_is_complete(const struct made_facts *f)
{
	__be16 length = 1;

	bpf_probe_read_kernel(&length, sizeof(length),
			      (void *)(f->head + f->network + offsetof(struct ipv6hdr, payload_len)));
	return length || f->len > MADE_LENGTH_MAX;
}

/* ---- TCP and UDP ---- */

/* Is the sequence number one that this socket sends (and not one of a packet that waits to be read)? */
static __always_inline bool made_sends(__u64 sk, __u32 seq)
{
	__u32 first = PACKET_READ(tcp_sock, sk, snd_una) - 1; /* a probe of the peer repeats the last byte */

	return (__s32)(seq - first) >= 0 && (__s32)(PACKET_READ(tcp_sock, sk, write_seq) - seq) >= 0;
}

static __always_inline __u16 made_window(__u64 sk, bool syn)
{
	__u32 window = PACKET_READ(tcp_sock, sk, rcv_wnd);

	if (!syn)
		window >>= PACKET_READ_BITS(tcp_sock, sk, rx_opt.rcv_wscale);
	return source_least(window, 65535);
}

static __always_inline bool made_tcp(const struct made_facts *f, struct tcphdr *h)
{
	__u64 cb = f->skb + bpf_core_field_offset(struct sk_buff, cb);
	__u32 seq = PACKET_READ(tcp_skb_cb, cb, seq);
	__u8 flags = PACKET_READ(tcp_skb_cb, cb, tcp_flags);

	if (!f->full || !made_sends(f->sk, seq))
		return false;
	h->source = bpf_htons(PACKET_READ(sock, f->sk, __sk_common.skc_num));
	h->dest = PACKET_READ(sock, f->sk, __sk_common.skc_dport);
	h->seq = bpf_htonl(seq);
	h->ack_seq = bpf_htonl(PACKET_READ(tcp_sock, f->sk, rcv_nxt));
	((__u8 *)h)[12] = sizeof(*h) / 4 << 4; /* length in words; options come when it is sent */
	((__u8 *)h)[13] = flags;
	h->window = bpf_htons(made_window(f->sk, flags & 2));
	return true;
}

/* Where a datagram goes: the flow says, else the socket if it is connected. False: neither does. */
static __always_inline bool made_udp(const struct made_facts *f, struct udphdr *h, __u32 payload)
{
	h->source = bpf_htons(PACKET_READ(sock, f->sk, __sk_common.skc_num));
	h->dest = f->v6 ? PACKET_READ(flowi6, f->flow, uli.ports.dport) :
			  PACKET_READ(flowi4, f->flow, uli.ports.dport); /* 0 without a flow */
	if (!h->dest)
		h->dest = PACKET_READ(sock, f->sk, __sk_common.skc_dport);
	h->len = bpf_htons(sizeof(*h) + payload <= MADE_LENGTH_MAX ? sizeof(*h) + payload : 0);
	return h->dest != 0;
}

/* Has the stack written the datagram's header? Its source port and length are right then. */
static __always_inline bool made_udp_written(const struct made_facts *f, __u32 skip)
{
	struct udphdr h = {};

	if (f->always || f->flow || bpf_probe_read_kernel(&h, sizeof(h), (void *)(f->head + f->data + skip)))
		return false;
	return h.source == bpf_htons(PACKET_READ(sock, f->sk, __sk_common.skc_num)) &&
	       bpf_ntohs(h.len) == f->len - skip;
}

/* ---- IP ---- */

static __always_inline bool made_ip4(const struct made_facts *f, struct iphdr *h)
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
	h->ttl = ttl > 0 ? ttl : MADE_HOPS;
	h->protocol = f->protocol;
	return h->daddr != 0;
}

static __always_inline bool made_ip6(const struct made_facts *f, struct ipv6hdr *h)
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
	h->hop_limit = hops > 0 ? hops : MADE_HOPS;
	return to[0] || to[1];
}

/* Bytes of the IP header that is in m->bytes now, or 0: nothing says where the packet goes. */
static __always_inline __u32 made_ip(const struct made_facts *f, struct source_made *m)
{
	const void *from = (const void *)(f->head + f->data);
	__u64 bytes = f->ip_len;

	if (f->ip_len) {
		/* of their own and in this order: Linux 5.10 does not remember bounds of what is spilled */
		VERIFIER_OPAQUE(from);
		VERIFIER_OPAQUE(bytes);
		if (bytes > MADE_IP_MOST || bpf_probe_read_kernel(m->bytes, bytes, from))
			return 0;
		m->parts = NETCAP_MADE_IP_LENGTH;
		return f->ip_len;
	}
	m->parts = NETCAP_MADE_IP;
	if (f->v6 && bpf_core_field_exists(struct inet_sock, pinet6))
		return made_ip6(f, (struct ipv6hdr *)m->bytes) ? sizeof(struct ipv6hdr) : 0;
	return made_ip4(f, (struct iphdr *)m->bytes) ? sizeof(struct iphdr) : 0;
}

/* Of an IPv4 header without its length and checksum. Whatever is not of the header is still 0. */
static __always_inline __u32 made_ip_sum(const struct made_facts *f, struct source_made *m)
{
	struct iphdr *v4 = (struct iphdr *)m->bytes;
	__u16 *words = (__u16 *)m->bytes;
	__u32 sum = 0;

	if (f->v6)
		return 0;
	v4->tot_len = 0;
	v4->check = 0;
	for (int i = 0; i < MADE_IP_MOST / 2; i++)
		sum += words[i];
	return sum;
}

/* Length and checksum. */
static __always_inline void made_ip_finish(const struct made_facts *f, struct source_made *m, __u32 sum, __u32 ip_len,
					   __u32 behind)
{
	struct ipv6hdr *v6 = (struct ipv6hdr *)m->bytes;
	struct iphdr *v4 = (struct iphdr *)m->bytes;
	__u32 total;

	total = behind + ip_len - (f->v6 ? sizeof(*v6) : 0);
	if (total > MADE_LENGTH_MAX)
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

union made_transport {
	struct tcphdr tcp;
	struct udphdr udp;
	__u8 bytes[20];
};

/*
 * What comes behind the IP header. False: it cannot be told. m->skip: where the payload begins from skb->data,
 * behind what is made.
 */
static __always_inline bool made_transport(const struct made_facts *f, struct source_made *m,
					   union made_transport *t, __u32 *len)
{
	bool known = f->transport != HEADER_UNSET && f->transport >= f->data;

	*len = 0;
	m->skip = f->ip_len ? f->ip_len : known ? f->transport - f->data : 0;
	if (f->protocol == IPPROTO_TCP && !known) {
		*len = sizeof(t->tcp);
		m->parts |= NETCAP_MADE_TCP;
		return made_tcp(f, &t->tcp);
	}
	if (f->protocol != IPPROTO_UDP || (known && made_udp_written(f, m->skip)))
		return true;
	/* before IP has written its header a datagram may be in several skbs, of which only the first has UDP's */
	if (!known || (!f->ip_len && !f->always) || !made_udp(f, &t->udp, f->len - m->skip - sizeof(t->udp)))
		return false;
	*len = sizeof(t->udp);
	m->skip += sizeof(t->udp);
	m->parts |= NETCAP_MADE_UDP;
	return true;
}

static __always_inline bool made_fill(const struct made_facts *f, struct source_made *m)
{
	__u32 ip_len, t_len, sum;
	__u64 at;

	__builtin_memset(m->bytes, 0, sizeof(m->bytes));
	ip_len = made_ip(f, m);
	sum = made_ip_sum(f, m);
	VERIFIER_FORGET(ip_len);
	VERIFIER_FORGET(sum);
	VERIFIER_MEET();
	at = ip_len;
	VERIFIER_OPAQUE(at);
	if (!ip_len || at > MADE_IP_MOST ||
	    !made_transport(f, m, (union made_transport *)(m->bytes + at), &t_len) || m->skip > f->len)
		return false;
	VERIFIER_FORGET(t_len);
	VERIFIER_MEET();
	made_ip_finish(f, m, sum, ip_len, t_len + f->len - m->skip);
	m->skb = (__u64)f->skb;
	m->len = ip_len + t_len;
	m->wire_len = m->len + f->len - m->skip;
	return true;
}

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
	struct made_facts f = { .flow = flow, .always = when == MADE_ALWAYS };
	struct source_made *m;

	if (!made_learn(&f, skb, sock) || (when == MADE_IF_INCOMPLETE && made_is_complete(&f)))
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
	if (made_fill(&f, m))
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
