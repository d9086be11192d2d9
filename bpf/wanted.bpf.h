/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which packets are asked for, beside the tcpdump filter: by device, network namespace, mark, process. */
#ifndef NETCAP_WANTED_BPF_H
#define NETCAP_WANTED_BPF_H

#include "packet.bpf.h"

static __always_inline __u32 dev_netns(struct net_device *dev, bool typed)
{
	return typed ? dev->nd_net.net->ns.inum : BPF_CORE_READ(dev, nd_net.net, ns.inum);
}

/* By probe reads even where types are known: see packet_dev(). */
static __always_inline __u32 sock_netns(struct sk_buff *skb)
{
	return BPF_CORE_READ(skb, sk, __sk_common.skc_net.net, ns.inum);
}

/* The network namespace's inode number: the device's, or that of the socket. */
static __always_inline __u32 netns_of(struct sk_buff *skb, struct net_device *dev, bool typed)
{
	__u32 inum = dev_netns(dev, typed);

	return inum ? inum : sock_netns(skb);
}

/* have: 16 characters, aligned to 8. */
static __always_inline bool same_name(__u64 low, __u64 high, const char *have)
{
	const __u64 *words = (const __u64 *)have;

	return words[0] == low && words[1] == high;
}

static __always_inline bool dev_matches(struct net_device *dev)
{
	char name[NETCAP_DEV_LEN] __attribute__((aligned(8))) = {};

	if (bpf_core_read_str(name, sizeof(name), &dev->name) < 0)
		return false;
	return same_name(CONFIG_WORD(dev, 0), CONFIG_WORD(dev, 1), name);
}

static __always_inline bool comm_matches(void)
{
	char comm[NETCAP_COMM_LEN] __attribute__((aligned(8))) = {};

	bpf_get_current_comm(comm, sizeof(comm));
	return same_name(CONFIG_WORD(comm, 0), CONFIG_WORD(comm, 1), comm);
}

/* Everything that is asked of a packet but the tcpdump filter. */
static __always_inline bool wanted(struct sk_buff *skb, struct net_device *dev, bool typed)
{
	if (CONFIG(mark_mask) &&
	    (PACKET_GET(typed, skb, mark) & CONFIG(mark_mask)) != CONFIG(mark))
		return false;
	if (CONFIG(pid) && bpf_get_current_pid_tgid() >> 32 != CONFIG(pid))
		return false;
	if (CONFIG(netns) && netns_of(skb, dev, typed) != CONFIG(netns))
		return false;
	if (CONFIG(match_dev) && !dev_matches(dev))
		return false;
	if (CONFIG(match_comm) && !comm_matches())
		return false;
	return true;
}

#endif
