/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Runs the capture programs' own code for finding a packet's bytes, and the filter that is spliced
 * in, on the packets of BPF_PROG_TEST_RUN. A tc program gets the real struct sk_buff of those.
 */
#define SOURCE_SKB_ONLY
#include "packet.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct netcap_config netcap_config SEC(".rodata.config") = {.filtered = 1};
struct netcap_control netcap_control SEC(".data.control");

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;

/* What the test asks for in __sk_buff.cb. */
enum { CB_TAG, CB_START, CB_LEN };

/* The same packet, seen from its network header. */
static __always_inline void start_at_network(struct netcap_packet *pkt, const void **direct)
{
	pkt->link = NETCAP_LINK_RAW;
	pkt->start += ETH_HLEN;
	pkt->linear -= ETH_HLEN;
	pkt->wire_len -= ETH_HLEN;
	pkt->limit = pkt->linear;
	*direct += ETH_HLEN;
}

/* Returns 1 (match) or 0, or 2: the test's own demands could not be met. */
SEC("tc")
int filter_equality(struct __sk_buff *ctx)
{
	__u32 tag = ctx->cb[CB_TAG], start = ctx->cb[CB_START], len = ctx->cb[CB_LEN];
	struct netcap_packet pkt;
	struct sk_buff *skb;
	const void *direct;

	if (len != ctx->len && bpf_skb_change_tail(ctx, len, 0))
		return 2;
	if (tag && bpf_skb_vlan_push(ctx, bpf_htons(tag >> 16), tag & 0xffff))
		return 2;
	skb = bpf_cast_to_kern_ctx(ctx);
	packet_locate(skb, skb->dev, &pkt, &direct, true);
	if (pkt.link != NETCAP_LINK_ETHERNET || pkt.vlan != tag)
		return 2;
	if (start == NETCAP_LINK_RAW)
		start_at_network(&pkt, &direct);
	return packet_matches(&pkt, direct);
}
