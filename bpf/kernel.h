/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel types that the programs read, with the members that they read. Offsets are relocated
 * against the running kernel's BTF when the daemon starts (CO-RE), so one object serves all kernels
 * and the build needs no kernel headers. A type or member that only some kernels have is declared
 * with a ___suffix and asked for with bpf_core_*_exists().
 */
#ifndef NETCAP_KERNEL_H
#define NETCAP_KERNEL_H

#include <linux/in6.h>
#include <linux/types.h>
#include <stdbool.h>

#define MAX_SKB_FRAGS   17 /* include/linux/skbuff.h: the default; frags beyond are not read */
#define ARPHRD_ETHER    1
#define ARPHRD_LOOPBACK 772
#define AF_INET         2
#define AF_INET6        10
#define AF_PACKET       17
#define TCP_TIME_WAIT   6  /* states in which a socket is less than a struct sock */
#define TCP_NEW_SYN_RECV 12
#define ETH_P_IP        0x0800
#define ETH_P_IPV6      0x86DD
#define ETH_P_8021Q     0x8100
#define ETH_P_8021AD    0x88A8
#define ETH_HLEN        14
#define ETH_TAG_AT      12     /* where a VLAN tag stands in a frame */
#define VLAN_HLEN       4
#define XDP_FLAGS_HAS_FRAGS 1  /* include/net/xdp.h */
#define NETDEV_HASHENTRIES 256 /* include/net/net_namespace.h, net/core/dev.h */
#define SKB_DST_NOREF   1UL    /* include/linux/skbuff.h: a flag in _skb_refdst */
#define HEADER_UNSET    0xffff /* skb->mac_header, transport_header: before they are set */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct net {
	struct ns_common ns;
	struct hlist_head *dev_index_head; /* NETDEV_HASHENTRIES lists, by number */
};

typedef struct {
	struct net *net;
} possible_net_t;

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

struct net_device {
	char name[16];
	struct list_head dev_list;
	struct hlist_node index_hlist;
	int ifindex;
	unsigned short type;
	possible_net_t nd_net;
};

struct dst_entry {
	struct net_device *dev;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* the local port, host order */
	unsigned short skc_family;
	unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
};

struct ipv6_pinfo {
	__s16 hop_limit : 9; /* no bit field any more since Linux 6.8 */
	__u8 tclass;
};

struct inet_sock {
	struct ipv6_pinfo *pinet6;
	__s16 uc_ttl;
	__u8 tos;
};

struct tcp_options_received {
	__u16 rcv_wscale : 4;
};

struct tcp_sock {
	__u32 snd_una;
	__u32 write_seq;
	__u32 rcv_nxt;
	__u32 rcv_wnd;
	struct tcp_options_received rx_opt;
};

/* In skb->cb, as long as a packet is TCP's. */
struct tcp_skb_cb {
	__u32 seq;
	__u8 tcp_flags; /* 16 bits since Linux 6.15, of which these are the lower ones */
};

union flowi_uli {
	struct {
		__be16 dport;
		__be16 sport;
	} ports;
};

struct flowi4 {
	__be32 saddr;
	__be32 daddr;
	union flowi_uli uli;
};

struct flowi6 {
	struct in6_addr daddr;
	struct in6_addr saddr;
	union flowi_uli uli;
};

struct sk_buff {
	struct sk_buff *next;
	struct net_device *dev;
	struct sock *sk;
	char cb[48];
	unsigned long _skb_refdst;
	unsigned int len;
	unsigned int data_len;
	unsigned char pkt_type : 3;
	__be16 protocol;
	__be16 vlan_proto;
	__u16 vlan_tci;
	__u32 mark;
	int skb_iif; /* 0: it did not come in by a device */
	__u16 transport_header;
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
	unsigned int xdp_frags_size; /* Linux 5.18 */
	struct skb_frag frags[MAX_SKB_FRAGS];
};

struct xdp_rxq_info {
	struct net_device *dev;
};

struct xdp_buff {
	void *data;
	void *data_end;
	void *data_hard_start;
	struct xdp_rxq_info *rxq;
	__u32 frame_sz;
	__u32 flags; /* Linux 5.18 */
};

/* Since Linux 6.15 len and headroom are wider; what they hold is not. */
struct xdp_frame {
	void *data;
	__u16 len;
	__u16 headroom;
	struct net_device *dev_rx;
	__u32 frame_sz;
	__u32 flags; /* Linux 5.18 */
};

struct nsproxy {
	struct net *net_ns;
};

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	struct nsproxy *nsproxy;
};

#pragma clang attribute pop

#endif
