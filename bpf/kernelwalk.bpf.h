/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pieces of a packet in the kernel: linear part, page fragments, fragment list. Part of source.bpf.h. The lowest bits
 * of a source, which are 0 in addresses, say what it is the address of: enum source_kind (record.h).
 */
#ifndef NETCAP_KERNELWALK_BPF_H
#define NETCAP_KERNELWALK_BPF_H

#define SOURCE_PAGE_SIZE  4096 /* x86-64 */
#define SOURCE_MADE_BYTES 96   /* an IPv4 header with all its options, and a TCP header */
#define SOURCE_CACHE_LINE 64   /* SMP_CACHE_BYTES, to which the kernel rounds the shared info up */

/* Reads memory that packets are in. */
#define SOURCE_READ bpf_probe_read_kernel

/*
 * Do packets of XDP have fragments here? Since Linux 5.18: before 5.17 it is known without asking for the types,
 * and costs no stack. SOURCE_SKB_ONLY: an object that has no programs for them.
 */
#if defined(NETCAP_OLD_LOOPS) || defined(SOURCE_SKB_ONLY)
#define SOURCE_XDP_FRAGS false
#else
#define SOURCE_XDP_FRAGS bpf_core_field_exists(((struct xdp_buff *)0)->flags)
#endif

/* Headers that the stack has not written yet, made by made.bpf.h, and the skb whose bytes follow. */
struct source_made {
	__u8 bytes[SOURCE_MADE_BYTES];
	__u64 skb;
	__u32 skip;     /* bytes at skb->data that the headers stand for */
	__u32 len;      /* of bytes; wire_len follows, made_put() reads both */
	__u32 wire_len; /* bytes of the packet in all */
	__u32 parts;    /* enum netcap_made */
	__u32 users;    /* programs that use it at this moment, or are about to see that they may not */
	__u32 pad;
};

_Static_assert(sizeof(struct source_made) == NETCAP_MADE_BYTES, "source_made: size");

static __always_inline enum source_kind source_kind(__u64 source)
{
	return source & SOURCE_KINDS;
}

/* What the source is the address of. */
static __always_inline void *source_holder(__u64 source)
{
	return (void *)(source & ~(__u64)SOURCE_KINDS);
}

/* Where byte 0 of the linear part is counted from: skb->head, or what takes its place. */
static __always_inline unsigned char *source_head(__u64 source)
{
	if (CONFIG(source) && source_kind(source) == SOURCE_XDP_BUFF)
		return BPF_CORE_READ((struct xdp_buff *)source_holder(source), data_hard_start);
	/* a frame stands in the memory of its packet, before it */
	if (CONFIG(source) || (CONFIG(fake) && source_kind(source) == SOURCE_MADE))
		return source_holder(source);
	return BPF_CORE_READ((struct sk_buff *)source, head);
}

/*
 * The struct skb_shared_info of an XDP packet, which stands at the end of its memory. Where the packet has no
 * fragments it holds nothing, and *has_frags is false. Of Linux 5.18 and newer.
 */
static __always_inline __u64 source_xdp_shared(__u64 source, bool *has_frags)
{
	__u64 size = bpf_core_type_size(struct skb_shared_info);
	__u64 start;
	__u32 bytes, flags;

	if (source_kind(source) == SOURCE_XDP_BUFF) {
		struct xdp_buff *buff = source_holder(source);

		start = (__u64)BPF_CORE_READ(buff, data_hard_start);
		bytes = BPF_CORE_READ(buff, frame_sz);
		flags = BPF_CORE_READ(buff, flags);
	} else {
		struct xdp_frame *frame = source_holder(source);

		start = (__u64)BPF_CORE_READ(frame, data) - BPF_CORE_READ(frame, headroom) -
			bpf_core_type_size(struct xdp_frame);
		bytes = BPF_CORE_READ(frame, frame_sz);
		flags = BPF_CORE_READ(frame, flags);
	}
	*has_frags = flags & XDP_FLAGS_HAS_FRAGS;
	return start + bytes - (size + SOURCE_CACHE_LINE - 1) / SOURCE_CACHE_LINE * SOURCE_CACHE_LINE;
}

/* Walks the pieces of a packet behind its linear part. All addresses are plain numbers here. */
struct source_walk {
	union {
		__u64 source; /* as long as shared is 0: where to begin */
		struct sk_buff *skb; /* whose pieces come next */
	};
	__u64 shared;         /* its struct skb_shared_info */
	__u64 addr;           /* the piece: where it is (0: unreadable) */
	__u32 len;            /* and how long, which may be 0 */
	__s32 frag;           /* next fragment, -1: its linear part */
	__s16 frags;
	__u16 listed;         /* skb is one of the fragment list */
	__u32 skip;           /* bytes to leave out of the pieces that come */
};

static __always_inline void source_walk_enter(struct source_walk *w, struct sk_buff *skb)
{
	struct skb_shared_info *shared;
	__u8 frags = 0;

	shared = (void *)(BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, end));
	bpf_core_read(&frags, sizeof(frags), &shared->nr_frags);
	w->skb = skb;
	w->shared = (__u64)shared;
	w->frags = frags;
}

/*
 * A packet of XDP begins before the loop, in a function of its own, or the step of the loop would need more of the
 * stack. Nothing follows the fragments: the shared info's list is not set.
 */
static __noinline long source_walk_begin_xdp(struct source_walk *w)
{
	struct skb_shared_info *shared;
	__u8 frags = 0;
	bool has_frags;

	shared = (void *)source_xdp_shared(w->source, &has_frags);
	if (has_frags)
		bpf_core_read(&frags, sizeof(frags), &shared->nr_frags);
	w->skb = NULL;
	w->listed = 1;
	w->shared = (__u64)shared;
	w->frags = frags;
	return 0;
}

/* The skb whose pieces come first. */
static __always_inline struct sk_buff *source_walk_begin(struct source_walk *w)
{
	struct source_made *made = (void *)(w->source - SOURCE_MADE);
	__u64 skb = w->source;
	__u32 skip = 0;

	if (CONFIG(fake) && source_kind(w->source) == SOURCE_MADE) {
		bpf_probe_read_kernel(&skb, sizeof(skb), &made->skb);
		bpf_probe_read_kernel(&skip, sizeof(skip), &made->skip);
		w->skip += skip;
		w->frag = -1;
	}
	return (struct sk_buff *)skb;
}

/* The skb behind the one that is done, or NULL. */
static __always_inline struct sk_buff *source_walk_following(struct source_walk *w)
{
	struct skb_shared_info *shared = (void *)w->shared;
	struct sk_buff *skb = w->skb;

	return w->listed ? BPF_CORE_READ(skb, next) : BPF_CORE_READ(shared, frag_list);
}

/* The address of a fragment's bytes, or 0 where the CPU cannot read them. */
static __always_inline __u64 source_frag(const struct source_walk *w, __u32 *len)
{
	struct skb_shared_info *shared = (void *)w->shared;
	__u64 at, page = 0, linear = CONFIG(page_linear), readable;
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
	/* the place is known, and it is a page; all bits, or none: no branch, which is two ways to the verifier */
	readable = (page & 1) - 1;
	readable &= (__s64)(linear | -linear) >> 63;
	VERIFIER_OPAQUE(readable);
	return (page / bpf_core_type_size(struct page) * SOURCE_PAGE_SIZE + linear + offset) & readable;
}

/* The next piece, which may be empty. False at the end. */
static __always_inline bool source_walk_next(struct source_walk *w)
{
	struct sk_buff *skb = w->skb;
	__u32 len = 0, left_out;
	__u64 addr = 0;

	if (!w->shared) {
		source_walk_enter(w, source_walk_begin(w));
	} else if (w->frag >= w->frags) {
		skb = source_walk_following(w);
		if (!skb)
			return false; /* and nothing is written, so that this way is as the others to the verifier */
		w->frag = -1;
		w->listed = 1;
		source_walk_enter(w, skb);
	} else if (w->frag < 0) {
		addr = (__u64)BPF_CORE_READ(skb, data);
		len = BPF_CORE_READ(skb, len) - BPF_CORE_READ(skb, data_len);
		w->frag = 0;
	} else {
		addr = source_frag(w, &len);
		w->frag++;
	}
	left_out = source_least(w->skip, len);
	w->skip -= left_out;
	w->len = len - left_out;
	w->addr = addr + left_out; /* not 0 any more perhaps, but no address of the kernel */
	VERIFIER_FORGET(w->len);
	VERIFIER_FORGET(w->addr);
	VERIFIER_FORGET(w->skip);
	VERIFIER_FORGET(w->shared);
	VERIFIER_FORGET(w->source);
	VERIFIER_FORGET(w->frag);
	VERIFIER_FORGET(w->frags);
	VERIFIER_FORGET(w->listed);
	VERIFIER_MEET();
	return true;
}

/* The walk's state before its first step: see SOURCE_COPY(). */
#define SOURCE_WALK_BEGIN(walk)                       \
	do {                                          \
		if (SOURCE_XDP_FRAGS && CONFIG(source)) \
			source_walk_begin_xdp(&(walk)); \
		VERIFIER_FORGET((walk).shared);       \
		VERIFIER_FORGET((walk).addr);         \
		VERIFIER_FORGET((walk).len);          \
		VERIFIER_FORGET((walk).frag);         \
		VERIFIER_FORGET((walk).frags);        \
		VERIFIER_FORGET((walk).listed);       \
		VERIFIER_FORGET((walk).skip);         \
	} while (0)

/*
 * An address as a number: global functions take no pointers from tp_btf programs. It is
 * stored as a pointer, and its highest byte, the same in all addresses of the kernel, once more: the
 * verifier no longer knows then what lies there.
 */
static __always_inline __u64 source_number(__u64 skb)
{
	volatile union {
		__u64 address;
		__u8 bytes[8];
	} number = { .address = skb };

	number.bytes[7] = 0xff;
	return number.address;
}

#endif
