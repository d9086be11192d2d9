/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translates libpcap's filter programs (classic BPF) into the eBPF body of netcap_filter(), as
 * bpf/filter_abi.h describes it. The verdict is the one of libpcap's bpf_filter() on the whole
 * packet, for every program and packet.
 *
 * struct bpf_insn is libpcap's in <pcap/bpf.h> and the kernel's in <linux/bpf.h>; no source file
 * can see both. So classic instructions have their own type here, with libpcap's layout, and
 * struct bpf_insn in this header always is the kernel's.
 */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"

struct bpf_insn;

/* One classic BPF instruction; the layout of libpcap's struct bpf_insn. */
struct filter_insn {
	uint16_t code;
	uint8_t jt; /* instructions to skip if the condition holds */
	uint8_t jf; /* and if it does not */
	uint32_t k;
};

/* A classic BPF program. */
struct filter_classic {
	struct filter_insn *insns; /* owned */
	size_t count;              /* at least 1 in a program that can be translated */
};

/*
 * One filter as text means two programs: for packets that begin with an Ethernet header
 * (NETCAP_LINK_ETHERNET) and for those that begin with an IP header (NETCAP_LINK_RAW). A start at
 * which nothing can match has the one instruction "ret #0".
 */
struct filter_programs {
	struct filter_classic ethernet;
	struct filter_classic raw;
};

/*
 * How packets are dereferenced where skb->head is a number to the verifier: bpf_rdonly_cast() (Linux 6.2) makes an address
 * that of a structure, here of one that begins with a u32. No call is left of it when the program runs.
 */
struct filter_cast {
	int32_t function; /* BTF type ID of bpf_rdonly_cast() in the kernel; 0: packets are not read by it */
	int32_t type;     /* BTF type ID of the structure */
};

/* Where the code is going to run. */
struct filter_target {
	enum netcap_access access;
	/*
	 * The verifier takes reads of the stack at computed offsets (kernel 5.12 and newer).
	 * Ignored with NETCAP_ACCESS_DIRECT.
	 */
	bool var_stack;
	struct filter_cast cast; /* with NETCAP_ACCESS_DIRECT only */
	/* Index of the stub's first instruction in the whole program: out->insns[0] goes there. */
	size_t body;
	/* Index of the first instruction of netcap_load(). Must be in front of body. */
	size_t load;
};

/* eBPF instructions: one whole subprogram that ends in an exit. */
struct filter_code {
	struct bpf_insn *insns; /* owned; the kernel's struct bpf_insn of <linux/bpf.h> */
	size_t count;
};

/*
 * Makes the body of netcap_filter() in *out, which the caller clears. Packets with NETCAP_LINK_NONE
 * never match. On error *out is empty and why (size bytes) has a sentence:
 * -EINVAL: not a valid program; -EOPNOTSUPP: it reads what only a socket filter sees (inbound,
 * outbound, ifindex) or has a loop (protochain); -E2BIG: too large for the 16-bit jumps of eBPF;
 * -ENOMEM.
 */
int filter_translate(const struct filter_programs *programs, const struct filter_target *target,
		     struct filter_code *out, char *why, size_t size);

/* Free what is inside and leave an empty object. Take NULL and objects that are all zero. */
void filter_code_clear(struct filter_code *code);
void filter_classic_clear(struct filter_classic *program);
void filter_programs_clear(struct filter_programs *programs);

#endif
