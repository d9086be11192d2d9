/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The types of a kernel that there is not, for objects of user code in tests: few, so that libbpf reads them in no time.
 * With OTHER they are in other places, as in the kernel that an object was compiled for.
 */
typedef unsigned char __u8, u8;
typedef signed char __s8, s8;
typedef unsigned short __u16, u16, __be16;
typedef short __s16, s16;
typedef unsigned int __u32, u32, __be32;
typedef int __s32, s32;
typedef unsigned long long __u64, u64;
typedef long long __s64, s64;
typedef _Bool bool;
typedef unsigned long size_t;

enum skb_drop_reason { SKB_NOT_DROPPED_YET,
#ifdef OTHER
	SKB_CONSUMED,
#endif
	SKB_DROP_REASON_NO_SOCKET = 5, SKB_DROP_REASON_MAX };

struct net_device {
#ifdef OTHER
	u64 flags;
#endif
	u32 mtu;
	char name[16];
	int ifindex;
};

struct sock_common {
	u16 skc_family;
	u8 skc_state;
};

struct sock {
	struct sock_common __sk_common;
#ifdef OTHER
	void *sk_wq;
#endif
	u8 sk_protocol, sk_no_check : 2, sk_kern : 1;
	u32 counts[4];
};

struct sk_buff {
	struct sk_buff *next;
	union {
		struct net_device *dev;
		u64 dev_scratch;
	};
#ifdef OTHER
	u32 priority;
#endif
	struct sock *sk;
	u32 len, data_len;
#ifdef OTHER
	u8 first : 5;
#endif
	u8 pkt_type : 3, cloned : 1;
	u32 mark;
	u16 protocol, transport_header, network_header;
	unsigned char *head, *data;
};

struct sk_buff packet;
struct net_device device;
struct sock socket;
enum skb_drop_reason reason;
bool yes;
size_t size;
__s8 small1;
s8 small2;
__u8 small3;
__s16 s1;
s16 s2;
__s32 s3;
s32 s4;
__s64 s5;
s64 s6;
__be16 b1;
__be32 b2;
__u16 u1;
__u32 u2;
__u64 u3;
