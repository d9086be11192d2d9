/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Members of kernel structures at addresses that are only numbers to the verifier. */
#ifndef NETCAP_CAST_BPF_H
#define NETCAP_CAST_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "kernel.h"

/*
 * Gives an address the type of an skb (Linux 6.2). Members are then plain loads, as of a typed skb; those of
 * an address that is none read as 0. No call is left of it when the program runs.
 *
 * Elsewhere members are read by a helper, also where the verifier knows the type. Before Linux 6.4 (0108a4e9f358) a
 * plain load from a bad address may bring the kernel down: a program that has subprograms stands in the kernel's
 * tree twice, and only one of the two has the table by which such a load is skipped. skb->dev is such an address
 * while a datagram waits in a socket. Filters that read packets in place do so by such loads, too. Of the kernels with
 * bpf_rdonly_cast() two are older than that, 6.2 and 6.3; neither is a long-term one.
 */
#ifdef NETCAP_CAST
#define PACKET_CAST true
extern void *bpf_rdonly_cast(const void *at, __u32 type) __ksym;

static __always_inline struct sk_buff *packet_cast(__u64 address)
{
	return bpf_rdonly_cast((void *)address, bpf_core_type_id_kernel(struct sk_buff));
}
#else
#define PACKET_CAST false

static __always_inline struct sk_buff *packet_cast(__u64 address)
{
	return (struct sk_buff *)address;
}
#endif

/*
 * A member of a kernel structure at an address that is a number: a plain load where there is bpf_rdonly_cast(). An
 * address that is none gives 0.
 */
#ifdef NETCAP_CAST
#define PACKET_AS(type, address) \
	((struct type *)bpf_rdonly_cast((const void *)(address), bpf_core_type_id_kernel(struct type)))
#define PACKET_READ(type, address, member) (PACKET_AS(type, address)->member)
#define PACKET_READ_BITS(type, address, member)                      \
	({                                                         \
		struct type *from = PACKET_AS(type, address);        \
		BPF_CORE_READ_BITFIELD(from, member);              \
	})
#else
#define PACKET_READ(type, address, member)                           \
	({                                                         \
		struct type *from = (struct type *)(address);      \
		BPF_CORE_READ(from, member);                       \
	})
#define PACKET_READ_BITS(type, address, member)                      \
	({                                                         \
		struct type *from = (struct type *)(address);      \
		BPF_CORE_READ_BITFIELD_PROBED(from, member);       \
	})
#endif

#endif
