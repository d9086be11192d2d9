/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a packet is in an sk_buff: its start, length and VLAN tag (struct netcap_packet), and its
 * bytes wherever they lie: linear part, page fragments, fragment list.
 *
 * "typed" is a compile-time constant: true where the verifier knows the skb's type (tp_btf), so that
 * members are plain loads; false where it is only an address (raw_tp), so that they are probe reads.
 */
#ifndef NETCAP_PACKET_BPF_H
#define NETCAP_PACKET_BPF_H

#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "kernel.h"
#include "record.h"
#include "filter_abi.h"

#define PACKET_PAGE_SIZE 4096 /* x86-64 */

/*
 * Pieces of one packet that are looked at; what lies beyond counts as unreadable (NETCAP_F_PARTIAL).
 * Where there is no bpf_loop() (before Linux 5.17) the verifier walks every turn of a loop.
 */
#define PACKET_MAX_PIECES     1024
#define PACKET_MAX_PIECES_OLD 24

extern const volatile struct netcap_config netcap_config;
extern struct netcap_control netcap_control;

/*
 * Makes the verifier forget what it knows of a number: netcap_control.zero is 0, but only the daemon
 * knows. Without it the verifier follows every combination of a loop's paths, with it they are one.
 */
#define PACKET_FORGET(number)                                                  \
	do {                                                                   \
		__u64 whole = (number);                                        \
		__u64 zero = *(volatile __u64 *)&netcap_control.zero;          \
                                                                               \
		asm volatile("%0 ^= %1" : "+r"(whole) : "r"(zero));            \
		(number) = whole;                                              \
	} while (0)

/*
 * Where ways meet that are one to the verifier by now: it compares them at the targets of jumps. The
 * jump to the next instruction is gone when the program runs.
 */
#define PACKET_MEET() asm volatile("goto +0")

/* Keeps what a pointer points to in memory, where the compiler would rather have it in registers. */
#define PACKET_IN_MEMORY(at) asm volatile("" : "+r"(at) : : "memory")

/* Makes the compiler forget what it knows of a number, so that the check behind it stays. */
#define PACKET_OPAQUE(number) asm volatile("" : "+r"(number))

#define PACKET_GET(typed, p, member) ((typed) ? (p)->member : BPF_CORE_READ(p, member))

/*
 * Gives an address the type of an skb (Linux 6.2). Members are then plain loads, as of a typed skb; those of
 * an address that is none read as 0. No call is left of it when the program runs.
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
 * The device. Where the verifier trusts a pointer, it looks through all of BTF for each pointer that
 * is followed from it (btf_nested_type_is_trusted()), the better part of a millisecond; so trust is
 * taken from it first.
 */
static __always_inline struct net_device *packet_dev(struct sk_buff *skb, bool typed)
{
	if (typed && PACKET_CAST)
		return packet_cast((__u64)skb)->dev;
	return PACKET_GET(typed, skb, dev);
}

static __always_inline __u32 packet_vlan(struct sk_buff *skb, bool typed)
{
	__u16 tci;

	if (bpf_core_field_exists(struct sk_buff___vlan_all, vlan_all)) {
		struct sk_buff___vlan_all *all = (void *)skb;

		if (!PACKET_GET(typed, all, vlan_all))
			return 0;
	} else {
		struct sk_buff___vlan_bit *bit = (void *)skb;

		if (!(typed ? BPF_CORE_READ_BITFIELD(bit, vlan_present) :
			      BPF_CORE_READ_BITFIELD_PROBED(bit, vlan_present)))
			return 0;
	}
	tci = PACKET_GET(typed, skb, vlan_tci);
	return (__u32)bpf_ntohs(PACKET_GET(typed, skb, vlan_proto)) << 16 | tci;
}

/*
 * Does the packet begin with an Ethernet header? mac_header alone does not say: devices without link
 * layer set it too, and it stays behind when a socket takes the packet over. network_header is stale
 * on receive until __netif_receive_skb_core(), so it counts only when the device is gone.
 */
static __always_inline bool packet_has_ethernet(struct net_device *dev, __u32 mac, __u32 net,
						__u32 data, bool typed)
{
	__u16 type;

	if (mac == HEADER_UNSET || mac > data)
		return false;
	type = PACKET_GET(typed, dev, type); /* 0 without a device */
	if (type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK)
		return data == mac || data >= mac + ETH_HLEN;
	return !type && net >= mac + ETH_HLEN;
}

/* Bytes of a tag from metadata: VLAN_HLEN, or 0. No branch, which is two ways to the verifier. */
static __always_inline __u32 packet_tag_len(__u32 vlan)
{
	__u64 sign = -(__u64)vlan;

	PACKET_OPAQUE(sign);
	return sign >> 63 << 2;
}

/*
 * Fills pkt, all but window. *direct is the address of packet byte 0 in the pointer type of
 * skb->head, which newer verifiers let programs dereference.
 */
static __always_inline void packet_locate(struct sk_buff *skb, struct net_device *dev,
					  struct netcap_packet *pkt, const void **direct, bool typed)
{
	unsigned char *head = PACKET_GET(typed, skb, head);
	__u32 data = (__u32)(PACKET_GET(typed, skb, data) - head);
	__u32 mac = PACKET_GET(typed, skb, mac_header);
	__u32 net = PACKET_GET(typed, skb, network_header);
	__u32 len = PACKET_GET(typed, skb, len);
	__u32 data_len = PACKET_GET(typed, skb, data_len);
	__u32 start, link, vlan = 0;
	__u64 ethernet;

	ethernet = packet_has_ethernet(dev, mac, net, data, typed);
	PACKET_FORGET(ethernet);
	PACKET_MEET();
	if (ethernet) {
		link = NETCAP_LINK_ETHERNET;
		start = mac;
		vlan = packet_vlan(skb, typed);
	} else {
		__u16 protocol = bpf_ntohs(PACKET_GET(typed, skb, protocol));
		bool ip = protocol == ETH_P_IP || protocol == ETH_P_IPV6;

		link = ip ? NETCAP_LINK_RAW : NETCAP_LINK_NONE;
		/* a device without link layer, or no network header: data is where the packet is */
		start = !ip || !net || data == mac || net > data ? data : net;
	}
	PACKET_FORGET(start);
	PACKET_FORGET(link);
	PACKET_FORGET(vlan);
	PACKET_MEET();
	pkt->skb = (__u64)skb;
	pkt->start = start;
	pkt->linear = len - data_len + data - start;
	pkt->limit = pkt->linear;
	pkt->vlan = vlan;
	pkt->link = link;
	pkt->wire_len = len + data - start + packet_tag_len(vlan);
	*direct = head + start;
}

/*
 * Calls step(turn, &context) until it returns 1. Which of the two loops a program has is decided when
 * it is compiled: a kernel without bpf_loop() refuses even the address of a callback.
 */
#ifdef NETCAP_OLD_LOOPS
#define PACKET_FUNCTION static __always_inline
/* inlined: as a subprogram it would come behind netcap_filter(), which must be the last */
#define PACKET_STEP static __always_inline long
/*
 * The context stays in memory, as with bpf_loop(): each value in a register would be another way to
 * the verifier.
 */
#define PACKET_LOOP(step, context)                                           \
	do {                                                                 \
		void *at = &(context);                                       \
                                                                             \
		PACKET_IN_MEMORY(at);                                        \
		for (__u32 turn = 0; turn < PACKET_MAX_PIECES_OLD; turn++) { \
			if (step(turn, at))                                  \
				break;                                       \
			PACKET_IN_MEMORY(at);                                \
		}                                                            \
	} while (0)
#else
/* Looked at once by the verifier, wherever it is called. Before Linux 5.12 it takes no pointers. */
#define PACKET_FUNCTION __noinline
#define PACKET_STEP static long
#define PACKET_LOOP(step, context) bpf_loop(PACKET_MAX_PIECES, step, &(context), 0)
#endif

/* Walks the pieces of an skb behind its linear part. All addresses are plain numbers here. */
struct packet_walk {
	struct sk_buff *skb;  /* whose pieces come next */
	__u64 shared;         /* its struct skb_shared_info, 0: not begun */
	__u64 addr;           /* the piece: where it is (0: unreadable) */
	__u32 len;            /* and how long, which may be 0 */
	__s32 frag;           /* next fragment, -1: its linear part */
	__s16 frags;
	__u16 listed;         /* skb is one of the fragment list */
	__u32 skip;           /* bytes to leave out of the pieces that come */
};

static __always_inline void packet_walk_enter(struct packet_walk *w, struct sk_buff *skb)
{
	struct skb_shared_info *shared;
	__u8 frags = 0;

	shared = (void *)(BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, end));
	bpf_core_read(&frags, sizeof(frags), &shared->nr_frags);
	w->skb = skb;
	w->shared = (__u64)shared;
	w->frags = frags;
}

/* The address of a fragment's bytes, or 0 where the CPU cannot read them. */
static __always_inline __u64 packet_frag(const struct packet_walk *w, __u32 *len)
{
	struct skb_shared_info *shared = (void *)w->shared;
	__u64 at, page = 0;
	__u32 offset = 0;

	*len = 0;
	at = w->shared + bpf_core_field_offset(shared->frags);
	if (bpf_core_type_exists(struct skb_frag)) {
		struct skb_frag *f = (void *)(at + w->frag * bpf_core_type_size(struct skb_frag));

		page = BPF_CORE_READ(f, netmem);
		*len = BPF_CORE_READ(f, len);
		offset = BPF_CORE_READ(f, offset);
	} else {
		struct bio_vec *v = (void *)(at + w->frag * bpf_core_type_size(struct bio_vec));

		page = (__u64)BPF_CORE_READ(v, bv_page);
		*len = BPF_CORE_READ(v, bv_len);
		offset = BPF_CORE_READ(v, bv_offset);
	}
	if (!netcap_config.page_linear || page & 1)
		return 0;
	return page / bpf_core_type_size(struct page) * PACKET_PAGE_SIZE +
	       netcap_config.page_linear + offset;
}

/* The next piece, which may be empty. False at the end. */
static __always_inline bool packet_walk_next(struct packet_walk *w)
{
	struct sk_buff *skb = w->skb;
	__u32 left_out;

	w->addr = 0;
	w->len = 0;
	if (!w->shared)
		packet_walk_enter(w, skb);
	if (w->frag >= w->frags) {
		struct skb_shared_info *shared = (void *)w->shared;

		skb = w->listed ? BPF_CORE_READ(skb, next) : BPF_CORE_READ(shared, frag_list);
		if (!skb)
			return false;
		packet_walk_enter(w, skb);
		w->listed = 1;
		w->frag = -1;
	} else if (w->frag < 0) {
		w->addr = (__u64)BPF_CORE_READ(skb, data);
		w->len = BPF_CORE_READ(skb, len) - BPF_CORE_READ(skb, data_len);
		w->frag = 0;
	} else {
		w->addr = packet_frag(w, &w->len);
		w->frag++;
	}
	PACKET_FORGET(w->len);
	PACKET_FORGET(w->addr);
	PACKET_MEET();
	left_out = w->skip < w->len ? w->skip : w->len;
	w->skip -= left_out;
	w->addr += w->addr ? left_out : 0;
	w->len -= left_out;
	PACKET_FORGET(w->frag);
	PACKET_FORGET(w->frags);
	PACKET_FORGET(w->listed);
	return true;
}

/*
 * Copies what lies behind the linear part to places that are not known beforehand: the verifier does
 * not see that offset + length stays below a size, only that each is bounded. So there is one piece
 * of slack at the end.
 */
struct packet_copy {
	struct packet_walk walk;
	__u8 *data;
	__u32 done;  /* bytes of data that are good */
	__u32 want;
	__u64 room;  /* of data, constant; 8 bytes wide, or the verifier does not keep it on the stack */
};

/* Most bytes that are copied at once, and the slack behind room. */
static __always_inline __u64 packet_piece(__u64 room)
{
	return room > 1024 ? 4096 : room > 256 ? 256 : room;
}

PACKET_STEP packet_copy_step(__u32 turn, void *context)
{
	struct packet_copy *c = context;
	__u64 done = c->done, n;

	if (done >= c->want)
		return 1;
	if (!c->walk.len)
		return !packet_walk_next(&c->walk);
	n = c->want - done;
	if (n > c->walk.len)
		n = c->walk.len;
	PACKET_OPAQUE(n);
	PACKET_OPAQUE(done);
	if (n > packet_piece(c->room))
		n = packet_piece(c->room);
	if (done > c->room)
		return 1;
	if (!c->walk.addr || bpf_probe_read_kernel(c->data + done, n, (void *)c->walk.addr))
		return 1;
	c->walk.addr += n;
	c->walk.len -= n;
	c->done = done + n;
	PACKET_FORGET(c->done);
	return 0;
}

/*
 * The address of an skb as a number: global functions take no pointers from tp_btf programs. It is
 * stored as a pointer, and its highest byte, the same in all addresses of the kernel, once more: the
 * verifier no longer knows then what lies there.
 */
static __always_inline __u64 packet_number(__u64 skb)
{
	volatile union {
		__u64 address;
		__u8 bytes[8];
	} number = { .address = skb };

	number.bytes[7] = 0xff;
	return number.address;
}

/*
 * n bytes (4 at most) of an skb as one number in host order, or -1. at: from skb->head, left bytes
 * before the linear part ends; negative: behind it. Global, with numbers only as arguments, so that the
 * verifier looks at it once and not at every load of the filter, and so that Linux 5.10 takes it.
 */
__noinline long packet_bytes(__u64 skb, __u64 at, __s64 left, __u32 n)
{
	__u64 bytes = 0, done = 0;

	if (left > 0) {
		unsigned char *head = BPF_CORE_READ((struct sk_buff *)skb, head);

		done = left < n ? left : n;
		PACKET_OPAQUE(done);
		if (done > 4 || bpf_probe_read_kernel(&bytes, done, head + at))
			return -1;
	}
	if (done < n) {
		struct packet_copy copy = {
			.walk.skb = (void *)skb,
			.walk.skip = done - left,
			.data = (__u8 *)&bytes,
			.done = done,
			.want = n,
			.room = 4,
		};

		PACKET_LOOP(packet_copy_step, copy);
		if (copy.done < copy.want)
			return -1;
		n = copy.want;
	}
	return bpf_be64_to_cpu(bytes) >> 8 * (8 - n) % 64;
}

/*
 * size bytes (1, 2, 4) of a packet as one number in host order, or -1. place: where byte 0 is from
 * skb->head, and in the upper half how long the packet is. linear: how much of it is in the linear part,
 * and in the upper half the tag. Global for the same reason.
 */
__noinline long packet_load(__u64 skb, __u64 place, __u64 linear, __u32 off, __u32 size)
{
	__u32 start = place, vlan = linear >> 32;
	__u32 from = 0, to = 0, tag = 0; /* bytes of the tag that are wanted */
	__u64 end = (__u64)off + size;
	bool first = off >= ETH_TAG_AT;  /* the tag's come before the packet's */
	long value;

	if (end > place >> 32)
		return -1;
	if (vlan && end > ETH_TAG_AT) {
		from = first ? off - ETH_TAG_AT : 0;
		from = from < VLAN_HLEN ? from : VLAN_HLEN;
		to = end < ETH_TAG_AT + VLAN_HLEN ? end - ETH_TAG_AT : VLAN_HLEN;
		tag = ((__u64)vlan << (8 * from) & 0xffffffff) >> (8 * (from + VLAN_HLEN - to));
		off -= first ? from : 0;
	}
	size -= to - from;
	value = packet_bytes(skb, (__u64)start + off, (__s64)(__u32)linear - off, size);
	if (value < 0)
		return value;
	return first ? (__u64)tag << (8 * size) | value : value << (8 * (to - from)) | tag;
}

static __noinline long netcap_load(struct netcap_packet *pkt, __u32 off, __u32 size)
{
	return packet_load(packet_number(pkt->skb), *(__u64 *)&pkt->start,
			   *(__u64 *)&pkt->linear, off, size);
}

/*
 * The filter's place. Its instructions are replaced before the program is loaded, so it must be the
 * last subprogram and must look to the compiler as if it needed both arguments and netcap_load().
 */
static __noinline __u64 netcap_filter(struct netcap_packet *pkt, const void *direct)
{
	__u32 off = 0, size = 1;

	/* unknown to the compiler, or it makes netcap_load() a function that loads byte 0 only */
	asm volatile("" : "+r"(pkt), "+r"(direct), "+r"(off), "+r"(size));
	return netcap_load(pkt, off, size) + (direct != 0);
}

/*
 * Does the spliced filter want the packet? libbpf appends subprograms in the order of their first
 * call, so the call of netcap_load(), which never runs, keeps netcap_filter() last.
 */
static __always_inline bool packet_matches(const struct netcap_packet *found, const void *direct)
{
	/* a copy that is gone when the record is made: stacks are short (512 bytes for all frames) */
	struct netcap_packet copy, *pkt = &copy;

	__builtin_memcpy(pkt, found, offsetof(struct netcap_packet, window));
	if (pkt->vlan && pkt->limit > ETH_TAG_AT)
		pkt->limit = ETH_TAG_AT;
	if (netcap_config.access > NETCAP_ACCESS_DIRECT)
		return netcap_load(pkt, 0, 1) > 0;
	PACKET_FORGET(pkt->limit);
	if (netcap_config.access == NETCAP_ACCESS_DIRECT)
		return netcap_filter(pkt, direct);
	/* skb_shared_info lies behind the linear part, so this never reads past the allocation */
	if (bpf_probe_read_kernel(pkt->window, NETCAP_WINDOW, direct))
		pkt->limit = 0;
	else if (pkt->limit > NETCAP_WINDOW)
		pkt->limit = NETCAP_WINDOW;
	PACKET_FORGET(pkt->limit);
	return netcap_filter(pkt, 0);
}

#endif
