/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a packet is that has no sk_buff yet, or never gets one: in a struct xdp_buff or a struct xdp_frame. It
 * begins with an Ethernet header, has no tag in metadata, and its fragments are those of source.bpf.h. Of both
 * only the address is known, so all reads are probe reads.
 */
#ifndef NETCAP_XDP_BPF_H
#define NETCAP_XDP_BPF_H

#include "packet.bpf.h"

/* Gives an address the type of a device: see packet_cast(). */
static __always_inline struct net_device *xdp_cast_dev(struct net_device *dev)
{
#ifdef NETCAP_CAST
	return bpf_rdonly_cast(dev, bpf_core_type_id_kernel(struct net_device));
#else
	return dev;
#endif
}

/*
 * Is it a device? The kernel sets xdp_frame.dev_rx on the way to another CPU only; else it is what
 * happened to stand there. A device is in a list, where its neighbour knows it.
 */
static __always_inline bool xdp_is_dev(struct net_device *dev)
{
	return BPF_CORE_READ(dev, dev_list.next, prev) == &dev->dev_list;
}

/*
 * The functions that follow are no part of the program that calls them: what their reads take of the stack is
 * free again when the filter runs, which needs all of it.
 */

/* The device that received the packet, or 0: it is not known. */
static __noinline __u64 xdp_dev_address(__u64 source)
{
	struct net_device *dev;

	if (source_kind(source) == SOURCE_XDP_BUFF)
		return (__u64)BPF_CORE_READ((struct xdp_buff *)source_holder(source), rxq, dev);
	dev = BPF_CORE_READ((struct xdp_frame *)source_holder(source), dev_rx);
	return xdp_is_dev(dev) ? (__u64)dev : 0;
}

/* The address of packet byte 0. */
static __noinline __u64 xdp_data(__u64 source)
{
	if (source_kind(source) == SOURCE_XDP_BUFF)
		return (__u64)BPF_CORE_READ((struct xdp_buff *)source_holder(source), data);
	return (__u64)BPF_CORE_READ((struct xdp_frame *)source_holder(source), data);
}

/* Bytes behind the linear part. */
static __always_inline __u32 xdp_frags_len(__u64 source)
{
	struct skb_shared_info *shared;
	bool has_frags;

	if (!SOURCE_XDP_FRAGS)
		return 0;
	shared = (void *)source_xdp_shared(source, &has_frags);
	return has_frags ? BPF_CORE_READ(shared, xdp_frags_size) : 0;
}

/* The length of the linear part, which begins at data, and in the upper half that of the whole packet. */
static __noinline __u64 xdp_lengths(__u64 source, __u64 data)
{
	__u64 linear;

	if (source_kind(source) == SOURCE_XDP_BUFF)
		linear = (__u64)BPF_CORE_READ((struct xdp_buff *)source_holder(source), data_end) - data;
	else
		linear = BPF_CORE_READ((struct xdp_frame *)source_holder(source), len);
	return (linear + xdp_frags_len(source)) << 32 | (__u32)linear;
}

/* Where byte 0 is from source_head(). */
static __noinline __u64 xdp_start(__u64 source, __u64 data)
{
	return data - (__u64)source_head(source);
}

static __always_inline struct net_device *xdp_dev(__u64 source)
{
	return xdp_cast_dev((struct net_device *)xdp_dev_address(source));
}

/* Fills pkt, all but window. *direct is the address of packet byte 0. */
static __always_inline void xdp_locate(__u64 source, struct netcap_packet *pkt, const void **direct)
{
	__u64 data = xdp_data(source), start, lengths;

	VERIFIER_FORGET(data);
	start = xdp_start(source, data);
	VERIFIER_FORGET(start);
	lengths = xdp_lengths(source, data);
	VERIFIER_FORGET(lengths);
	VERIFIER_MEET();
	pkt->skb = 0;
	pkt->source = source;
	pkt->start = start;
	pkt->wire_len = lengths >> 32;
	pkt->linear = lengths;
	pkt->vlan = 0;
	pkt->limit = pkt->linear;
	pkt->link = NETCAP_LINK_ETHERNET;
	pkt->tunnels = 0;
	*direct = (const void *)data;
}

#endif
