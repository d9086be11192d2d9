/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the BPF programs and the filter code that daemon/filter.c makes.
 *
 * The object's last subprogram is a stub, netcap_filter(). Its instructions are replaced by the
 * translated filter. It is called as
 *
 *     u64 netcap_filter(struct netcap_packet *pkt, const void *direct)
 *
 * R1 = pkt, on the caller's BPF stack; R2 = pointer to packet byte 0 that may be dereferenced
 * (NETCAP_ACCESS_DIRECT), else 0. It returns 0 (no match) or non-zero (match).
 * Bytes [0, pkt->limit) of the packet may be loaded directly: from R2, or from pkt->window when
 * access is NETCAP_ACCESS_WINDOW (then limit <= NETCAP_WINDOW). What is at a bad address reads as 0 from R2. Any other byte
 * comes from
 *
 *     s64 netcap_load(struct netcap_packet *pkt, u32 off, u32 size)
 *
 * which knows VLAN tags in metadata, page fragments and the fragment list, takes sizes 1, 2 and 4,
 * and returns the value in host order, as bpf_filter(3) sees it, or a negative number where the
 * packet has no such bytes (bpf_filter() then rejects the packet). The stub calls netcap_load(),
 * so its place in the instruction array can be read off the stub.
 */
#ifndef NETCAP_FILTER_ABI_H
#define NETCAP_FILTER_ABI_H

#include <linux/types.h>

#define NETCAP_WINDOW 64 /* bytes; Ethernet, VLAN, IPv6 and ports fit, and each byte costs every hit */

struct netcap_packet {
	union {
		__u64 skb;       /* pointer to the sk_buff */
		__u64 inner_tag; /* in user space: a second tag behind vlan, in its form; 0: none */
	};
	__u64 source;    /* where the bytes are (source.bpf.h), 0: in the sk_buff */
	__u32 start;     /* where packet byte 0 is, in bytes from source_head() */
	__u32 wire_len;  /* packet bytes in all, with the tag: what BPF_LEN gives */
	__s32 linear;    /* packet bytes in the linear part, without the tag; negative: so far behind it
			    the packet begins */
	__u32 vlan;      /* tag from metadata, TPID << 16 | TCI, which belongs at byte 12; 0: none */
	__u32 limit;     /* packet bytes that may be loaded directly; ends at the tag if there is one */
	__u16 link;      /* enum netcap_link: which start this is */
	__u16 tunnels;   /* enum netcap_tunnel of each tunnel that the packet was found in, as bits */
	__u8 window[NETCAP_WINDOW];
};

_Static_assert(sizeof(struct netcap_packet) == 40 + NETCAP_WINDOW, "netcap_packet: layout");

#endif
