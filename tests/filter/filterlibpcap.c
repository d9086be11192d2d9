/* SPDX-License-Identifier: BSD-2-Clause */
/* Apart from filterrun.c, because <pcap/bpf.h> and <linux/bpf.h> exclude each other. */
#include <pcap/pcap.h>

#include "tests/filter/filterrun.h"

int filterrun_libpcap(const struct filter_classic *program, const struct filterrun_packet *packet)
{
	return bpf_filter((const struct bpf_insn *)program->insns, packet->bytes, packet->wire_len,
			  packet->len) != 0;
}
