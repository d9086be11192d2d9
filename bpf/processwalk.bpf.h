/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pieces of a packet in the memory of a process: one, or those of a chain of DPDK's struct rte_mbuf. Part of
 * source.bpf.h. A source is the address of the mbuf or of the bytes. What is there the process may change at any time, and
 * pages may be missing: all reads may fail, and nothing that they give is trusted.
 */
#ifndef NETCAP_PROCESSWALK_BPF_H
#define NETCAP_PROCESSWALK_BPF_H

#define SOURCE_READ bpf_probe_read_user

/* Walks the mbufs behind the first one. */
struct source_walk {
	__u64 source; /* the mbuf whose piece was last */
	__u64 addr;   /* the piece: where it is */
	__u32 len;    /* and how long, which may be 0 */
	__u32 skip;   /* bytes to leave out of the pieces that come */
};

/* A member of an mbuf, whose place CONFIG(mbuf) has. 0 where it cannot be read. */
#define PROCESS_MBUF(type, mbuf_address, member)                                         \
	({                                                                               \
		type member_value = 0;                                                   \
                                                                                         \
		bpf_probe_read_user(&member_value, sizeof(member_value),                 \
				    (const void *)((mbuf_address) + CONFIG(mbuf.member))); \
		member_value;                                                            \
	})

/* What DPDK says of a packet's VLAN tags (lib/mbuf/rte_mbuf_core.h). */
#define MBUF_RX_VLAN_STRIPPED (1ull << 6)  /* a tag was taken off, and is in vlan_tci */
#define MBUF_RX_QINQ_STRIPPED (1ull << 15) /* so was the outer one, which is in vlan_tci_outer */
#define MBUF_TX_QINQ          (1ull << 49) /* the device is to put both in */
#define MBUF_TX_VLAN          (1ull << 57) /* the device is to put one in, which is in vlan_tci */

static __always_inline bool process_has_two_tags(__u64 flags)
{
	return flags & MBUF_TX_QINQ || (flags & MBUF_RX_QINQ_STRIPPED && flags & MBUF_RX_VLAN_STRIPPED);
}

/*
 * The inner one of two tags, as in struct netcap_packet. 0: there is one only. Global, so that what it keeps on the stack
 * is gone when packets are read.
 */
__noinline __u64 process_inner_tag(__u64 mbuf)
{
	return process_has_two_tags(PROCESS_MBUF(__u64, mbuf, ol_flags)) ?
		       ETH_P_8021Q << 16 | PROCESS_MBUF(__u16, mbuf, vlan_tci) :
		       0;
}

static __always_inline __u64 process_data(__u64 mbuf)
{
	return PROCESS_MBUF(__u64, mbuf, buf_addr) + PROCESS_MBUF(__u16, mbuf, data_off);
}

/* What the source is the address of. */
static __always_inline void *source_holder(__u64 source)
{
	return (void *)source;
}

/* Where byte 0 of the first piece is counted from. */
static __always_inline unsigned char *source_head(__u64 source)
{
	if (CONFIG(process) == NETCAP_PROCESS_BYTES)
		return (unsigned char *)source;
	return (unsigned char *)process_data(source);
}

/*
 * done bytes (4 at most) that are so far from source_head(), as a number, or -1. A function of its own, for the stack; where
 * there is no callback of bpf_loop() beside it, it would make the calls one deeper.
 */
VERIFIER_FUNCTION long process_linear(__u64 source, __u64 at, __u64 done)
{
	__u64 bytes = 0;

	VERIFIER_OPAQUE(done);
	if (done > 4 || bpf_probe_read_user(&bytes, done, source_head(source) + at))
		return -1;
	return bytes;
}

/* The next piece. False at the end. */
static __always_inline bool source_walk_next(struct source_walk *w)
{
	__u64 mbuf = CONFIG(process) == NETCAP_PROCESS_BYTES ? 0 : PROCESS_MBUF(__u64, w->source, next);
	__u32 len, left_out;

	if (!mbuf)
		return false;
	len = PROCESS_MBUF(__u16, mbuf, data_len);
	left_out = source_least(w->skip, len);
	w->skip -= left_out;
	w->len = len - left_out;
	w->addr = process_data(mbuf) + left_out;
	w->source = mbuf;
	VERIFIER_FORGET(w->len);
	VERIFIER_FORGET(w->addr);
	VERIFIER_FORGET(w->skip);
	VERIFIER_FORGET(w->source);
	VERIFIER_MEET();
	return true;
}

#define SOURCE_WALK_BEGIN(walk)         \
	do {                            \
		VERIFIER_FORGET((walk).addr); \
		VERIFIER_FORGET((walk).len);  \
		VERIFIER_FORGET((walk).skip); \
	} while (0)

/* Addresses of processes are numbers to the verifier anyway. */
static __always_inline __u64 source_number(__u64 address)
{
	return address;
}

#endif
