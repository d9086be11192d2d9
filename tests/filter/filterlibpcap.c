/* SPDX-License-Identifier: BSD-2-Clause */
/* Apart from filterrun.c, because <pcap/bpf.h> and <linux/bpf.h> exclude each other. */
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "tests/filter/filterrun.h"

static bool reads_memory(const struct filter_classic *program)
{
	for (size_t i = 0; i < program->count; i++)
		if (program->insns[i].code == (BPF_LD | BPF_MEM) ||
		    program->insns[i].code == (BPF_LDX | BPF_MEM))
			return true;
	return false;
}

/* The program with scratch memory set to 0 in front. */
static struct bpf_insn *clear_memory(const struct filter_classic *program)
{
	struct bpf_insn *insns = calloc(BPF_MEMWORDS + program->count, sizeof(*insns));

	if (!insns)
		abort();
	for (u_int i = 0; i < BPF_MEMWORDS; i++)
		insns[i] = (struct bpf_insn){.code = BPF_ST, .k = i};
	memcpy(insns + BPF_MEMWORDS, program->insns, program->count * sizeof(*insns));
	return insns;
}

int filterrun_libpcap(const struct filter_classic *program, const struct filterrun_packet *packet)
{
	struct bpf_insn *cleared = reads_memory(program) ? clear_memory(program) : NULL;
	const struct bpf_insn *insns = cleared ? cleared : (const struct bpf_insn *)program->insns;
	u_int verdict = bpf_filter(insns, packet->bytes, packet->wire_len, packet->len);

	free(cleared);
	return verdict != 0;
}
