/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counts every drop of the kernel by its kind, and takes samples. The daemon reads both (daemon/ledger.c). */
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "cast.bpf.h"
#include "ledger.h"
#include "sample.bpf.h"

#define IP_OFFSET      0x1fff /* of a fragment */
#define SAME_HASH_MOST 16     /* devices of a namespace that are looked at for one number */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct ledger_config ledger_config SEC(".rodata.config") = {};

struct ledger_control ledger_control SEC(".data.control");

/* With all its rows from the start: a drop may happen while the kernel allocates memory. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 2 * LEDGER_ROWS);
	__type(key, struct ledger_key);
	__type(value, struct ledger_value);
} netcap_drops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ledger_overflow);
} netcap_overflow SEC(".maps");

/* Only wakes the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} netcap_wake SEC(".maps");

/* A header as plain loads where there is bpf_rdonly_cast(), else as a copy: all 0 if it is not readable. */
#ifdef NETCAP_CAST
#define HEADER(type, name, address) const struct type *name = PACKET_AS(type, address)
#else
#define HEADER(type, name, address)                                          \
	struct type name##_copy;                                             \
	const struct type *name = &name##_copy;                              \
	bpf_probe_read_kernel(&name##_copy, sizeof(name##_copy), address)
#endif

/* The device, if it is one: while a packet waits in a queue other things may stand in its place. */
static __always_inline struct net_device *device_of(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;

	/* list_head.next points to a list_head, whose prev points back */
	if (!dev || (__u64)dev->dev_list.next->prev != (__u64)&dev->dev_list)
		return NULL;
	return dev;
}

/* TCP, UDP, DCCP, SCTP and UDP-Lite have their ports at one place. */
static __always_inline bool has_ports(__u8 transport)
{
	return transport == IPPROTO_UDP || transport == IPPROTO_TCP || transport == IPPROTO_SCTP ||
	       transport == IPPROTO_DCCP || transport == IPPROTO_UDPLITE;
}

static __always_inline enum ledger_ports port_class(__u16 port)
{
	return port < 1024 ? LEDGER_PORTS_SYSTEM : port < 49152 ? LEDGER_PORTS_USER : LEDGER_PORTS_DYNAMIC;
}

/* from, at: the transport header, as an address and from skb->head; end: of the linear part. */
static __always_inline void read_ports(struct ledger_key *key, const void *from, __u32 at, __u32 end)
{
	if (!has_ports(key->transport) || at + offsetof(struct udphdr, len) > end)
		return;
	HEADER(udphdr, ports, from);
	key->ports = port_class(bpf_ntohs(ports->dest));
}

static __always_inline void read_ip(struct ledger_key *key, const void *from, __u32 at, __u32 end)
{
	__u32 length;

	if (at + sizeof(struct iphdr) > end)
		return;
	HEADER(iphdr, ip, from);
	length = *(const __u8 *)ip;
	if (length >> 4 != 4)
		return;
	key->transport = ip->protocol;
	length = (length & 0xf) * 4;
	if (!(ip->frag_off & bpf_htons(IP_OFFSET)))
		read_ports(key, from + length, at + length, end);
}

/* Extension headers are left as what they are. */
static __always_inline void read_ip6(struct ledger_key *key, const void *from, __u32 at, __u32 end)
{
	if (at + sizeof(struct ipv6hdr) > end)
		return;
	HEADER(ipv6hdr, ip, from);
	if (*(const __u8 *)ip >> 4 != 6)
		return;
	key->transport = ip->nexthdr;
	read_ports(key, from + sizeof(struct ipv6hdr), at + sizeof(struct ipv6hdr), end);
}

static __always_inline void describe_packet(struct ledger_key *key, struct sk_buff *skb)
{
	const unsigned char *head = skb->head;
	__u32 at = skb->network_header, end = skb->tail;

	key->protocol = bpf_ntohs(skb->protocol);
	key->transport = LEDGER_TRANSPORT_NONE;
	if (key->protocol == ETH_P_IP)
		read_ip(key, head + at, at, end);
	else if (key->protocol == ETH_P_IPV6)
		read_ip6(key, head + at, at, end);
}

static __always_inline struct sock *socket_of(__u64 *ctx, struct sk_buff *skb)
{
	struct sock *sk = NULL;

	if (ledger_config.has_sock)
		sk = (struct sock *)ctx[3];
	return sk ? sk : skb->sk;
}

/* The namespace of the packet's route, whose device may be another one than it came in by. */
static __always_inline struct net *route_net(struct sk_buff *skb)
{
	struct dst_entry *dst = (struct dst_entry *)(skb->_skb_refdst & ~SKB_DST_NOREF);
	struct net_device *dev = BPF_CORE_READ(dst, dev);

	if (!dev || BPF_CORE_READ(dev, dev_list.next, prev) != &dev->dev_list)
		return NULL;
	return BPF_CORE_READ(dev, nd_net.net);
}

/* Of a packet whose skb->dev is no device. */
static __always_inline struct net *net_of(__u64 *ctx, struct sk_buff *skb)
{
	struct sock *sk = socket_of(ctx, skb);

	return sk ? BPF_CORE_READ(sk, __sk_common.skc_net.net) : route_net(skb);
}

/* The namespace, if it is not that of dev: then the name of the device is to be looked for in it. */
static __always_inline struct net *describe_place(struct ledger_key *key, __u64 *ctx, struct sk_buff *skb,
						  struct net_device *dev)
{
	struct net *net;

	if (dev) {
		key->ifindex = dev->ifindex;
		key->netns = dev->nd_net.net->ns.inum;
		return NULL;
	}
	key->ifindex = skb->skb_iif;
	net = net_of(ctx, skb);
	key->netns = BPF_CORE_READ(net, ns.inum);
	return net;
}

/* The device of that number, or NULL. */
static __always_inline struct net_device *find_device(struct net *net, __u32 ifindex)
{
	struct hlist_head *list = BPF_CORE_READ(net, dev_index_head) + ifindex % NETDEV_HASHENTRIES;
	struct hlist_node *node = BPF_CORE_READ(list, first);

	for (int i = 0; node && i < SAME_HASH_MOST; i++) {
		struct net_device *dev = (void *)node - bpf_core_field_offset(struct net_device, index_hlist);

		if (BPF_CORE_READ(dev, ifindex) == ifindex)
			return dev;
		node = BPF_CORE_READ(node, next);
	}
	return NULL;
}

/* Makes the row, if there is room and no other CPU has just made it. NULL: no room. */
static __always_inline struct ledger_value *first_of_kind(const struct ledger_key *key, struct net_device *dev,
							  struct net *net)
{
	struct ledger_value value = {};

	if (!dev && net && key->ifindex)
		dev = find_device(net, key->ifindex);
	if (dev)
		bpf_core_read(value.device, sizeof(value.device), &dev->name);
	bpf_map_update_elem(&netcap_drops, key, &value, BPF_NOEXIST);
	return bpf_map_lookup_elem(&netcap_drops, key);
}

/*
 * Interrupts come in between, and may drop, too: the additions are one instruction each. Returns the row if a sample of
 * this drop is due.
 */
static __always_inline struct ledger_value *count(const struct ledger_key *key, struct net_device *dev, struct net *net,
						  __u32 length, __u64 now)
{
	struct ledger_value *row = bpf_map_lookup_elem(&netcap_drops, key);
	struct ledger_overflow *overflow;
	const __u32 zero = 0;

	if (!row)
		row = first_of_kind(key, dev, net);
	if (row) {
		__sync_fetch_and_add(&row->packets, 1);
		__sync_fetch_and_add(&row->bytes, length);
		row->last_ns = now;
		return now < row->sample_after ? NULL : row;
	}
	overflow = bpf_map_lookup_elem(&netcap_overflow, &zero);
	if (!overflow)
		return NULL;
	__sync_fetch_and_add(&overflow->packets, 1);
	__sync_fetch_and_add(&overflow->bytes, length);
	overflow->last_ns = now;
	return NULL;
}

/* The daemon looks once more a second after it has set the flag: no drop is missed, nor counted late. */
static __always_inline void wake(void)
{
	__u64 nothing = 0;

	if (!*(volatile __u32 *)&ledger_control.armed)
		return;
	*(volatile __u32 *)&ledger_control.armed = 0;
	bpf_ringbuf_output(&netcap_wake, &nothing, sizeof(nothing), BPF_RB_FORCE_WAKEUP);
}

/* Trust is taken from the pointer, which would cost the verifier time: see packet_dev(). */
static __always_inline struct sk_buff *packet_of(__u64 *ctx)
{
#ifdef NETCAP_CAST
	return packet_cast(ctx[0]);
#else
	return (struct sk_buff *)ctx[0];
#endif
}

SEC("tp_btf/kfree_skb")
int netcap_ledger(__u64 *ctx)
{
	struct sk_buff *skb = packet_of(ctx);
	struct ledger_key key = {};
	struct ledger_value *row;
	struct net_device *dev;
	struct net *net;
	__u64 now;

	if (ledger_config.has_reason) {
		key.reason = ctx[2];
		if (key.reason == ledger_config.not_dropped || key.reason == ledger_config.consumed)
			return 0;
	}
	key.location = ctx[1];
	dev = device_of(skb);
	net = describe_place(&key, ctx, skb, dev);
	describe_packet(&key, skb);
	key.generation = *(volatile __u32 *)&ledger_control.generation;
	now = bpf_ktime_get_boot_ns();
	row = count(&key, dev, net, skb->len, now);
	if (row && sample_allowed(row, now))
		sample_take(ctx, skb, dev, &key, now);
	wake();
	return 0;
}
