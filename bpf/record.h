/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What BPF programs and the daemon share: the session's constants, its control page, its counters,
 * and the records in its ring. All integers are in host order; both sides run on one machine.
 */
#ifndef NETCAP_RECORD_H
#define NETCAP_RECORD_H

#include <linux/types.h>

#define NETCAP_DEV_LEN      16  /* IFNAMSIZ */
#define NETCAP_COMM_LEN     16  /* TASK_COMM_LEN */
#define NETCAP_STACK_FRAMES 64  /* frames kept by -S; 8 bytes each */
#define NETCAP_SNAPLEN_MAX  262144
#define NETCAP_NO_ARG       255 /* "this trace point has no such argument" */
#define NETCAP_NO_PLACE     15  /* the same where 4 bits are there for it */
#define NETCAP_USER_WORDS   32  /* most that a user's action writes, in 8 bytes */
#define NETCAP_MADE_BYTES   128  /* of struct source_made */
#define NETCAP_MADE_SLOTS   8    /* packets at once, on one CPU, whose headers are made */
#define NETCAP_TRACK_TICKETS 1024 /* numbers of packets that are ready to be given out */
#define NETCAP_CALLS_MOST   4096 /* calls of functions whose return is waited for, in one session */

/* What the bytes of a record begin with. */
enum netcap_link {
	NETCAP_LINK_ETHERNET = 0, /* an Ethernet header (L2 start) */
	NETCAP_LINK_RAW = 1,      /* an IPv4 or IPv6 header (L3 start) */
	NETCAP_LINK_NONE = 2,     /* neither: no packet headers that tcpdump knows */
};

enum netcap_record_flags {
	NETCAP_F_STACK = 1 << 0,  /* stack[] holds stack_bytes of addresses, data[] follows the slot */
	NETCAP_F_VLAN = 1 << 1,   /* vlan_tpid and vlan_tci belong at byte 12 of the packet */
	NETCAP_F_PARTIAL = 1 << 2, /* page fragments could not be read: fewer bytes than asked for */
	NETCAP_F_CALL = 1 << 3,    /* frame is set, and a struct netcap_return of that frame follows */
	NETCAP_F_KEPT = 1 << 4,    /* daemon: a step from a struct netcap_history, which has no more than time, place and CPU */
	NETCAP_F_USER = 1 << 5,    /* the user's action has something to show */
	NETCAP_F_QINQ = 1 << 6     /* with NETCAP_F_VLAN: a tag with the TPID of 802.1Q and vlan_inner follows */
};

/* Which headers of a packet were made (netcap_config.fake), since the stack had not written them yet. */
enum netcap_made {
	NETCAP_MADE_IP = 1 << 0,
	NETCAP_MADE_IP_LENGTH = 1 << 1, /* of an IP header that was there: its length and checksum */
	NETCAP_MADE_TCP = 1 << 2,
	NETCAP_MADE_UDP = 1 << 3,
};

/* A tunnel that a packet is in (netcap_config.inner). */
enum netcap_tunnel {
	NETCAP_TUNNEL_IPIP = 1, /* IPv4 or IPv6 in either */
	NETCAP_TUNNEL_GRE = 2,
	NETCAP_TUNNEL_VXLAN = 3,
	NETCAP_TUNNEL_GENEVE = 4,
};

enum netcap_fake {
	NETCAP_FAKE_NEVER = 0,
	NETCAP_FAKE_AUTO = 1,   /* where the packet has no headers */
	NETCAP_FAKE_ALWAYS = 2, /* wherever there is a socket to make them of */
};

/* What tells packets apart whose ways through the trace points are put together. */
enum netcap_gather {
	NETCAP_GATHER_NONE = 0,
	NETCAP_GATHER_TRACK = 1,   /* their numbers, which copies have, too, and which go when they are freed */
	NETCAP_GATHER_POINTER = 2, /* the addresses of their sk_buffs; all of them must match */
	NETCAP_GATHER_CONTENT = 3, /* the parts of their headers that do not change on the way */
};

/* What holds a packet. A source (bpf/source.bpf.h) has it in its lowest bits. */
enum source_kind {
	SOURCE_SKB = 0,       /* an sk_buff */
	SOURCE_MADE = 1,      /* a struct source_made */
	SOURCE_XDP_BUFF = 2,  /* an xdp_buff */
	SOURCE_XDP_FRAME = 3, /* an xdp_frame */
	SOURCE_KINDS = 3      /* the bits */
};

/* What user code gets as its first argument (bpf/user_abi.h). */
enum netcap_user {
	NETCAP_USER_NONE = 0, /* there is no such code */
	NETCAP_USER_CTX = 1,  /* the context of the program */
	NETCAP_USER_ARG = 2,  /* the argument that the second @N names, 0 without one */
};

/* A call of a function in a process that has not returned. It may call itself meanwhile. */
struct netcap_entered {
	__u64 task;  /* process and thread id */
	__u64 point;
	__u64 stack; /* the stack pointer as it will be then */
};

/* What the argument of a trace point in user space is. */
enum netcap_process {
	NETCAP_PROCESS_MBUF = 1,  /* the address of a struct rte_mbuf of DPDK */
	NETCAP_PROCESS_MBUFS = 2, /* of an array of such addresses */
	NETCAP_PROCESS_BYTES = 3, /* of the packet's bytes */
};

#define NETCAP_PROCESS_BURST   512 /* packets of one array that are looked at */
#define NETCAP_PROCESS_CALLS   4096 /* calls at a time whose return is waited for, in one session */
#define NETCAP_PROCESS_LONGEST NETCAP_SNAPLEN_MAX /* bytes in one piece that filters may look at */

enum netcap_value_kind {
	NETCAP_VALUE_CONSTANT = 0,
	NETCAP_VALUE_REGISTER = 1,
	NETCAP_VALUE_MEMORY = 2,
};

/* An argument there (struct sdtarg of proto/sdtarg.h). */
struct netcap_value {
	__s64 offset;
	__u8 kind;      /* enum netcap_value_kind */
	__u8 size;      /* bytes */
	__u8 is_signed;
	__u8 reg;
	__u8 index;
	__u8 scale;
	__u8 shift;
	__u8 pad;
};

#define NETCAP_MBUF_HEAD 64 /* bytes that all of these are in but next: a cache line */

/* Where the members of a struct rte_mbuf are: struct mbuf_layout of proto/mbuflayout.h. */
struct netcap_mbuf {
	__u16 buf_addr;
	__u16 data_off;
	__u16 port;
	__u16 ol_flags;
	__u16 pkt_len;
	__u16 data_len;
	__u16 vlan_tci;
	__u16 vlan_tci_outer;
	__u16 next;
};

/* How the filter may look at the packet (chosen by what the kernel's verifier takes). */
enum netcap_access {
	NETCAP_ACCESS_WINDOW = 0, /* a copy of the first NETCAP_WINDOW bytes on the BPF stack */
	NETCAP_ACCESS_DIRECT = 1, /* skb->head dereferenced, where the verifier takes it */
};

/*
 * Constants of one program: one frozen array map of one element, so that the verifier sees the
 * values and removes what they rule out. Written by daemon/hooks.c before the load.
 */
struct netcap_config {
	__u32 point;        /* index of the trace point in the session */
	__u32 snaplen;      /* bytes of packet to keep at most */
	__u32 netns;        /* inode number of the only network namespace, 0: any */
	__u32 mark;         /* (skb->mark & mark_mask) == mark; mask 0: any */
	__u32 mark_mask;
	__u32 pid;          /* thread group id of the current task, 0: any */
	__u8 skb_arg;       /* index of the skb argument, from 0 */
	__u8 location_arg;  /* kfree_skb: index of the caller's address, or NETCAP_NO_ARG */
	__u8 reason_arg;    /* kfree_skb: index of the drop reason, or NETCAP_NO_ARG */
	__u8 access;        /* enum netcap_access */
	__u8 stack;         /* 1: keep the kernel stack */
	__u8 match_dev;     /* 1: only packets of the device named dev */
	__u8 match_comm;    /* 1: only while the task named comm runs */
	__u8 filtered;      /* 1: a filter is spliced in */
	__u8 indirect;      /* 1: the argument points to something that holds a pointer to the skb */
	__u8 fake;          /* enum netcap_fake */
	__u16 indirect_at;  /* where in it the pointer is, bytes */
	__u8 calls;         /* 1: a struct netcap_return is wanted for each packet */
	__u8 return_arg;    /* index of the return value behind the arguments, or NETCAP_NO_ARG */
	__u8 sites_bits;    /* netcap_sites has 2^this buckets */
	__u8 skb_data;      /* 1: packets are Ethernet and begin at skb->data + skb_data_offset */
	__s32 skb_data_offset; /* bytes */
	__u8 sock_arg;      /* index of an argument struct sock *, or NETCAP_NO_ARG */
	__u8 flow_arg;      /* the same for struct flowi, flowi4, flowi6 */
	__u8 inner;         /* 1: packets are those in tunnels */
	__u8 source;        /* enum source_kind of what an XDP program's argument points to */
	__u8 track;         /* 1: a packet that matched once is captured everywhere */
	__u8 track_ends;    /* 1: a struct netcap_end is wanted when such a packet is gone */
	__u8 registers;     /* of programs beside the trace points: their arguments are in registers */
	__u8 gather;        /* enum netcap_gather; track is 1 with all but the first */
	__u8 histogram;     /* 1: with gather; only count how long packets take */
	__u8 restarts;      /* 1: with gather; not every sk_buff is seen freed, see gather_number() */
	__u8 user_filter;   /* enum netcap_user: what the user's own filter gets first */
	__u8 user_action;   /* the same of the user's action */
	__u8 user_arg;      /* index of the argument that user code gets, or NETCAP_NO_ARG */
	__u8 user_words;    /* 8 bytes each of what the action writes; even */
	__u8 process;       /* enum netcap_process, at trace points in user space, where the next is, too: */
	__u8 entered;       /* 1: the packets' address was kept when the function was entered */
	__u8 pad[4];
	__u64 page_linear;  /* virt = page / sizeof(struct page) * PAGE_SIZE + this; 0: unknown */
	__u64 count;        /* packets to capture before all others are "limited", 0: no limit */
	__u64 gather_timeout_ns; /* with gather: a packet that was not seen for as long is another one */
	__u64 slower_ns;    /* with gather: only packets that take longer from their first point; 0: all */
	char dev[NETCAP_DEV_LEN];
	char comm[NETCAP_COMM_LEN];
	struct netcap_value packet; /* process: where the address is */
	struct netcap_value length; /* process: how many packets there are, or bytes */
	struct netcap_mbuf mbuf;    /* process */
	__u8 pad2[6];
};

/*
 * What a shared program must know of the function that it was called at. It finds it in netcap_sites.
 */
union netcap_place {
	struct {
		__u16 point; /* as in struct netcap_config, like the others */
		__u16 indirect_at;
		union {
			__u8 indirect;
			__u8 source; /* XDP */
		};
		__u8 skb_arg : 4;
		__u8 user_arg : 4; /* NETCAP_NO_PLACE: none */
		__u8 sock_arg;
		__u8 flow_arg;
	};
	__u64 word;
};

/*
 * The functions that a shared program is attached to: a table by their addresses, which serves each hit.
 * Words are union netcap_place; addresses of free slots are 0.
 */
#define NETCAP_SITE_SLOTS 4
#define NETCAP_SITE_NONE ((__u64)(__u32)-1) /* the word of a trace point that there is not */
#define NETCAP_SITE_BITS_MAX 16

struct netcap_site_bucket {
	__u64 addresses[NETCAP_SITE_SLOTS];
	__u64 words[NETCAP_SITE_SLOTS];
};

/* The bucket that an address belongs in: its upper bits after a multiplication (Knuth, 6.4). */
static inline __u32 netcap_site_bucket(__u64 address, __u8 bits)
{
	return address * 0x9e3779b97f4a7c15ull >> (64 - bits);
}

/*
 * The word of an address, in the bucket that it belongs in. Where the kernel does not know what function a
 * program was called at it says 0, as free slots do.
 */
static inline __u64 netcap_site_word(const struct netcap_site_bucket *bucket, __u64 address)
{
	__u64 word = NETCAP_SITE_NONE;

	for (int i = 0; i < NETCAP_SITE_SLOTS; i++) {
		if (bucket->addresses[i] == address) {
			word = bucket->words[i];
			break;
		}
	}
	return address ? word : NETCAP_SITE_NONE;
}

/* The session's control page: one array map, BPF_F_MMAPABLE, written by both sides. */
struct netcap_control {
	__u32 active;   /* daemon: 0 makes every program return before it counts a hit */
	__u32 armed;    /* daemon sets 1 before it sleeps; a producer that sees it clears it and wakes */
	__u64 zero;     /* always 0, which the verifier does not know (VERIFIER_FORGET) */
	__u8 apart[48]; /* what every hit reads shares no cache line with what captures write */
	__u64 taken;    /* records submitted, all points; with a count, less those the client lost */
	__u64 wakeups;  /* wake-ups sent */
	__u64 tracked;    /* packets that are or were followed */
	__u64 track_put;  /* their sk_buffs that were put in netcap_track, */
	__u64 track_gone; /* and taken out as they were freed */
	__u64 gather_lost; /* records that were lost of packets which are followed already */
	__u64 gather_full; /* hits that the histogram had no room for */
	__u64 unreadable;  /* packets of processes that could not be read, and count as filtered */
	__u64 beyond;      /* packets of arrays behind the first NETCAP_PROCESS_BURST, which are not looked at */
};

/*
 * Counters of one trace point on one CPU (per-CPU array, indexed by point). Each hit adds one to one of the first four. There is
 * none of hits: it would be the sum, for a second locked addition in programs that most of the time make only one.
 */
struct netcap_counters {
	__u64 filtered; /* did not match */
	__u64 captured; /* submitted to the ring */
	__u64 lost;     /* the ring was full */
	__u64 limited;  /* after the count limit */
	__u64 arrived;  /* with histogram: packets that were here, however often */
};

/* One captured packet. In the ring: this, the stack slot if NETCAP_F_STACK, user_words, then data. */
struct netcap_record {
	__u64 time_ns;    /* CLOCK_MONOTONIC */
	__u64 skb;        /* address of the sk_buff */
	union {
		__u64 location; /* address of kfree_skb's caller, or 0 */
		__u64 frame;    /* with NETCAP_F_CALL: which call of the function this is */
	};
	__u32 wire_len;   /* bytes of the packet, without a tag that is only in metadata */
	__u32 cap_len;    /* bytes in data[] */
	__u32 point;
	__u32 reason;     /* enum skb_drop_reason of the running kernel, 0: none */
	__u32 ifindex;    /* 0: no device */
	__u32 netns;      /* inode number, 0: unknown */
	__u32 mark;
	__u32 cpu;
	__u32 pid;        /* thread group id */
	__u32 tid;
	__u16 protocol;   /* EtherType in skb->protocol, host order */
	__u16 vlan_tpid;  /* host order */
	__u16 vlan_tci;
	__u16 stack_bytes;
	__u8 link;        /* enum netcap_link */
	__u8 flags;       /* enum netcap_record_flags */
	__u8 pkt_type;    /* PACKET_HOST, ... (linux/if_packet.h) */
	__u8 made;        /* enum netcap_made */
	__u8 tunnels;     /* enum netcap_tunnel of each tunnel around the packet, as bits */
	__u8 user_words;  /* 8 bytes each behind the stack slot: what the user's action wrote */
	__u16 vlan_inner;
	char dev[NETCAP_DEV_LEN];
	char comm[NETCAP_COMM_LEN];
	__u64 track;      /* number of the packet in the session, 0: it is not followed */
	__u64 stack[];    /* NETCAP_STACK_FRAMES slots with NETCAP_F_STACK, else none */
};

/*
 * The return of a function from the call that a record with NETCAP_F_CALL is of. In the same ring, always
 * behind that record; told from records by its length.
 */
struct netcap_return {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 frame;
	__u64 value;   /* the register; 0 for functions that return nothing */
};

/*
 * A packet that is followed is gone: all its sk_buffs are freed. In the same ring, behind its records; told from
 * others by its length.
 */
struct netcap_end {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 track;
};

/* What is known of a followed packet by the address of its sk_buff, or what else tells it from others. */
struct netcap_trace {
	__u64 number;  /* of the packet in the session; with NETCAP_SPOILED: its first record was lost */
	__u64 seen_ns; /* with gather: when it was seen last, CLOCK_MONOTONIC */
	__u64 content; /* with restarts: content_key() of what it was when it was first seen */
};

#define NETCAP_SPOILED (1ull << 63)

/*
 * With gather: a packet that is followed was seen once more. In the ring behind its record; told from records by its
 * length. With CONFIG(stack), stack[] follows, as long as that of records.
 */
struct netcap_step {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 track;
	__u64 skb;     /* its address */
	union {
		__u64 location; /* as in struct netcap_record, like the others */
		__u64 frame;
	};
	__u32 point;
	__u32 reason;
	__u32 ifindex;
	__u32 netns;
	__u32 pid;
	__u16 cpu;
	__u16 stack_bytes;
	char dev[NETCAP_DEV_LEN];
	__u8 flags;   /* NETCAP_F_STACK, NETCAP_F_CALL */
	__u8 pad[7];
	__u64 stack[];
};

/* Where a packet was before it turned out to be slow (netcap_config.slower_ns). */
struct netcap_kept {
	__u64 time_ns;
	__u32 point;
	__u32 cpu;
};

#define NETCAP_KEPT_MOST 16

/* In the ring behind the record of a packet that turned out to be slow; told from records by its length. */
struct netcap_history {
	__u64 track;
	__u32 count;   /* entries of kept[] */
	__u32 dropped; /* later ones that there was no room for */
	__u64 visited; /* a bit for each trace point where it was */
	__u64 pad;     /* so that no record is as long */
	struct netcap_kept kept[NETCAP_KEPT_MOST];
};

/* A packet's way as the kernel keeps it for slower_ns and histogram, by its number. */
struct netcap_journey {
	__u64 first_ns;
	__u64 last_ns;
	__u64 visited;    /* a bit for each trace point */
	__u32 last_point;
	__u32 seen;       /* how often, the present time not counted */
	__u64 told;       /* it was slow, and its events are sent from then on */
	struct netcap_kept kept[NETCAP_KEPT_MOST]; /* not with histogram: entries are shorter then */
};

/*
 * How many packets took how long from one trace point to the next. The key of netcap_edges is NETCAP_EDGE(from, to,
 * bucket of the time).
 */
struct netcap_edge {
	__u64 count;
	__u64 min_ns;
	__u64 max_ns;
};

#define NETCAP_EDGE(from, to, bucket) ((__u64)(from) << 32 | (__u64)(to) << 16 | (bucket))

/*
 * Times in buckets that are 1/32 of their lower end wide: exact up to 63 ns, 1.6 % beyond. Longer ones than 18 minutes
 * are in the last one.
 */
#define NETCAP_BUCKET_BITS 5
#define NETCAP_BUCKETS     ((40 - NETCAP_BUCKET_BITS + 1) << NETCAP_BUCKET_BITS)

/* One half of a binary search for the highest bit. */
#define NETCAP_BUCKET_HALF(ns, shift, bits) \
	if (*(ns) >> (bits)) {              \
		*(ns) >>= (bits);           \
		*(shift) += (bits);         \
	}

static inline __u32 netcap_bucket(__u64 ns)
{
	__u64 rest = ns < (1ull << 40) - 1 ? ns : (1ull << 40) - 1;
	__u32 shift = 0;

	ns = rest;
	rest >>= NETCAP_BUCKET_BITS;
	NETCAP_BUCKET_HALF(&rest, &shift, 32)
	NETCAP_BUCKET_HALF(&rest, &shift, 16)
	NETCAP_BUCKET_HALF(&rest, &shift, 8)
	NETCAP_BUCKET_HALF(&rest, &shift, 4)
	NETCAP_BUCKET_HALF(&rest, &shift, 2)
	NETCAP_BUCKET_HALF(&rest, &shift, 1)
	/* shift is the highest bit's place above the lowest NETCAP_BUCKET_BITS, and rest is 1, or 0 if there is none */
	return (shift + rest) << NETCAP_BUCKET_BITS | ((ns >> shift) & ((1u << NETCAP_BUCKET_BITS) - 1));
}

/* The least time in a bucket. */
static inline __u64 netcap_bucket_ns(__u32 bucket)
{
	__u32 power = bucket >> NETCAP_BUCKET_BITS;
	__u64 low = bucket & ((1u << NETCAP_BUCKET_BITS) - 1);

	return power ? (low | 1u << NETCAP_BUCKET_BITS) << (power - 1) : low;
}

_Static_assert(sizeof(struct netcap_step) == 80, "netcap_step: layout");
_Static_assert(sizeof(struct netcap_history) == 288, "netcap_history: layout");
_Static_assert(sizeof(struct netcap_journey) == 40 + 256, "netcap_journey: layout");
_Static_assert(sizeof(struct netcap_config) == 184, "netcap_config: layout");
_Static_assert(sizeof(union netcap_place) == 8, "netcap_place: layout");
_Static_assert(sizeof(struct netcap_control) == 136, "netcap_control: layout");
_Static_assert(sizeof(struct netcap_counters) == 40, "netcap_counters: layout");
_Static_assert(sizeof(struct netcap_record) == 120, "netcap_record: layout");
_Static_assert(sizeof(struct netcap_return) == 24, "netcap_return: layout");
_Static_assert(sizeof(struct netcap_end) == 16, "netcap_end: layout");

#endif
