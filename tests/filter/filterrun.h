/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs what filter_translate() makes, without a kernel: an interpreter of the eBPF that is emitted,
 * as strict as the verifier where that can be seen at run time (registers that were never set,
 * alignment on the stack, bytes at or above pkt->limit, jumps out of the program).
 */
#ifndef FILTERRUN_H
#define FILTERRUN_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/filter.h"

struct filterrun_packet {
	const uint8_t *bytes;
	uint32_t len;      /* bytes there are */
	uint32_t wire_len; /* what the packet says it has */
	uint32_t limit; /* bytes that may be loaded directly; cut to NETCAP_WINDOW for the window */
	uint32_t link;  /* enum netcap_link */
};

/* 0 no match, 1 match, or -1: the code did what it must not, and why says what. */
int filterrun(const struct filter_code *code, const struct filter_target *target,
	      const struct filterrun_packet *packet, char *why, size_t size);

/*
 * libpcap's bpf_filter(): 0 or 1, with scratch memory that is 0 at the start. bpf_filter() itself
 * has there what its stack happens to hold, and libpcap makes programs that read it: in "geneve or
 * ip[9] = 6" the second part takes offsets that only a geneve packet has set.
 */
int filterrun_libpcap(const struct filter_classic *program, const struct filterrun_packet *packet);

#endif
