/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs whose verdict is chosen by whoever sends: the destination port of a UDP datagram says it. All other
 * packets pass.
 */
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#ifdef FRAGS
#define SECTION "xdp.frags" /* takes packets with fragments (Linux 5.18) */
#else
#define SECTION "xdp"
#endif

#define PORT_VERDICT  9000 /* plus an enum xdp_action, which is returned */
#define PORT_REDIRECT 9004 /* out of the device that it came from */
#define PORT_SOCKET   9005 /* to an AF_XDP socket */
#define PORT_SHOT     9006 /* dropped by the tc program */
#define PORT_LAST     9009

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

/* The destination port of a datagram, or 0. */
static __always_inline __u16 port_of(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(udp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->protocol != IPPROTO_UDP)
		return 0;
	return bpf_ntohs(udp->dest);
}

SEC(SECTION)
int xdp_by_port(struct xdp_md *ctx)
{
	__u16 port = port_of((void *)(long)ctx->data, (void *)(long)ctx->data_end);

	if (port == PORT_REDIRECT)
		return bpf_redirect(ctx->ingress_ifindex, 0);
	if (port == PORT_SOCKET)
		return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
	if (port >= PORT_VERDICT && port < PORT_REDIRECT)
		return port - PORT_VERDICT;
	return XDP_PASS;
}

/* Its name is longer than what the kernel keeps beside the types. */
SEC(SECTION)
int xdp_drop_what_comes_back(struct xdp_md *ctx)
{
	__u16 port = port_of((void *)(long)ctx->data, (void *)(long)ctx->data_end);

	return port >= PORT_VERDICT && port <= PORT_LAST ? XDP_DROP : XDP_PASS;
}

SEC("tc")
int tc_by_port(struct __sk_buff *skb)
{
	__u16 port = port_of((void *)(long)skb->data, (void *)(long)skb->data_end);

	return port == PORT_SHOT ? TC_ACT_SHOT : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
