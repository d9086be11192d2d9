/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel types that the programs read, with the members that they read. Offsets are relocated
 * against the running kernel's BTF when the daemon starts (CO-RE), so one object serves all kernels
 * and the build needs no kernel headers. A type or member that only some kernels have is declared
 * with a ___suffix and asked for with bpf_core_*_exists().
 */
#ifndef NETCAP_KERNEL_H
#define NETCAP_KERNEL_H

#include <linux/types.h>
#include <stdbool.h>

#define MAX_SKB_FRAGS   17 /* include/linux/skbuff.h: the default; frags beyond are not read */
#define ARPHRD_ETHER    1
#define ARPHRD_LOOPBACK 772
#define AF_INET         2
#define AF_INET6        10
#define AF_PACKET       17
#define ETH_P_IP        0x0800
#define ETH_P_IPV6      0x86DD
#define ETH_P_8021Q     0x8100
#define ETH_HLEN        14
#define ETH_TAG_AT      12     /* where a VLAN tag stands in a frame */
#define VLAN_HLEN       4
#define HEADER_UNSET    0xffff /* skb->mac_header before skb_reset_mac_header() */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	char name[16];
	int ifindex;
	unsigned short type;
	possible_net_t nd_net;
};

struct sock_common {
	unsigned short skc_family;
	possible_net_t skc_net;
};

struct sock {
	struct sock_common __sk_common;
};

struct sk_buff {
	struct sk_buff *next;
	struct net_device *dev;
	struct sock *sk;
	unsigned int len;
	unsigned int data_len;
	unsigned char pkt_type : 3;
	__be16 protocol;
	__be16 vlan_proto;
	__u16 vlan_tci;
	__u32 mark;
	__u16 network_header;
	__u16 mac_header;
	unsigned int tail;
	unsigned int end;
	unsigned char *head;
	unsigned char *data;
};

/* Until Linux 6.1: whether vlan_tci holds a tag is a bit of its own (removed by 354259fa73e2). */
struct sk_buff___vlan_bit {
	unsigned char vlan_present : 1;
};

/* Since Linux 6.2: a tag is there when vlan_all is not 0. */
struct sk_buff___vlan_all {
	__u32 vlan_all;
};

struct page {
	unsigned long flags;
};

/* Until Linux 6.8 a fragment is a bio_vec. */
struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

/* Since Linux 6.9: netmem's lowest bit marks memory that the CPU cannot read (21d2e6737c97). */
struct skb_frag {
	unsigned long netmem;
	unsigned int len;
	unsigned int offset;
};

struct skb_shared_info {
	__u8 nr_frags;
	struct sk_buff *frag_list;
	struct skb_frag frags[MAX_SKB_FRAGS];
};

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
};

#pragma clang attribute pop

#endif
