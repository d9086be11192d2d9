/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A tc program that gives every packet the VLAN tag 100 (priority 3), in the skb's metadata. */
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

SEC("tc")
int tagpush(struct __sk_buff *skb)
{
	return bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 3 << 13 | 100) ? TC_ACT_SHOT
									     : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
