/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What netcapd's programs are compared with: an empty program, a filter that reads the packet with
 * one probe read per load, and a capture into a ring. All on the same trace point as netcapd.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "kernel.h"
#include "reference.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 bench_submit_flags = 0;
__u64 bench_matches = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, REFERENCE_RING_BYTES);
} bench_ring SEC(".maps");

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(bench_empty, struct sk_buff *skb)
{
	return 0;
}

/* A load of the filter: what bpf_filter(3) would read at this offset, or no match. */
#define LOAD(value, at)                                                                            \
	do {                                                                                       \
		if (bpf_probe_read_kernel(&(value), sizeof(value), (at)))                          \
			return false;                                                              \
	} while (0)

#define UDP  17
#define PORT 9001

static __always_inline bool udp_port(const unsigned char *ports)
{
	__u16 port;

	LOAD(port, ports);
	if (port == bpf_htons(PORT))
		return true;
	LOAD(port, ports + 2);
	return port == bpf_htons(PORT);
}

/* "udp and port 9001" with the loads and the branches that libpcap makes of it. */
static __always_inline bool wanted(const unsigned char *packet)
{
	__u16 type, fragment;
	__u8 protocol, length;

	LOAD(type, packet + 12);
	if (type == bpf_htons(ETH_P_IPV6)) {
		LOAD(protocol, packet + 20);
		return protocol == UDP && udp_port(packet + 54);
	}
	if (type != bpf_htons(ETH_P_IP))
		return false;
	LOAD(protocol, packet + 23);
	if (protocol != UDP)
		return false;
	LOAD(fragment, packet + 20);
	if (fragment & bpf_htons(0x1fff))
		return false;
	LOAD(length, packet + 14);
	return udp_port(packet + 14 + 4 * (length & 0xf));
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(bench_per_load, struct sk_buff *skb)
{
	if (wanted(skb->head + skb->mac_header))
		__sync_fetch_and_add(&bench_matches, 1);
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(bench_record, struct sk_buff *skb)
{
	__u64 task = bpf_get_current_pid_tgid();
	struct reference_record *r = bpf_ringbuf_reserve(&bench_ring, sizeof(*r), 0);
	__u32 len = skb->len;

	if (!r)
		return 0;
	r->time_ns = bpf_ktime_get_ns();
	r->skb = (__u64)skb;
	r->len = len;
	r->ifindex = skb->dev->ifindex;
	r->pid = task >> 32;
	r->tid = task;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	/* skb_shared_info lies behind the linear part, so this stays inside of the allocation */
	bpf_probe_read_kernel(r->data, sizeof(r->data), skb->head + skb->mac_header);
	bpf_ringbuf_submit(r, bench_submit_flags);
	return 0;
}
