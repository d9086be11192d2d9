/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "daemon/constants.h"
#include "daemon/ebpf.h"

bool constants_is_read(const struct bpf_insn *insns, size_t count)
{
	const struct bpf_insn *load = &insns[2];

	return count >= CONSTANTS_INSNS && insns[1].imm == 0 && BPF_CLASS(load->code) == BPF_LDX &&
	       BPF_MODE(load->code) == BPF_MEM && load->dst_reg == insns->dst_reg && load->src_reg == insns->dst_reg &&
	       load->off >= 0 && load->off + ebpf_bytes(load->code) <= sizeof(struct netcap_config);
}

void constants_put(struct bpf_insn *insns, const struct netcap_config *config)
{
	const struct bpf_insn *load = &insns[2];
	__u8 reg = insns->dst_reg;
	__u64 value = 0;

	memcpy(&value, (const char *)config + load->off, ebpf_bytes(load->code));
	/*
	 * Three instructions for three, or all jumps would move. The first resets what the verifier thinks of the register:
	 * after an address of 64 bits "precise" stays from what was there before, and prunes less (Linux 5.3 and newer).
	 */
	insns[0] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = reg };
	insns[1] = (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = reg, .imm = (__s32)value };
	insns[2] = (struct bpf_insn){ .imm = (__s32)(value >> 32) };
}
