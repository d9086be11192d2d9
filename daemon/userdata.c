/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include <bpf/bpf.h>

#include "daemon/userdata.h"

static int make_map(struct usercode *code)
{
	/* the verifier takes what is in a frozen map as constants (Linux 5.5) */
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_RDONLY_PROG);
	const uint32_t key = 0;

	code->data_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "netcap_user", sizeof(key), code->data_bytes, 1, &options);
	if (code->data_map < 0)
		return -errno;
	if (bpf_map_update_elem(code->data_map, &key, code->data, 0) || bpf_map_freeze(code->data_map))
		return -errno;
	return 0;
}

/* The instructions are in code->memory, which is ours to write to. */
static void put_map(const struct usercode *code, const struct usercode_program *p)
{
	struct bpf_insn *insns = (struct bpf_insn *)p->insns;

	for (uint32_t i = 0; i < p->count; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			insns[i].imm = code->data_map;
		i++;
	}
}

int userdata_place(struct usercode *code)
{
	int r;

	if (!code->data_bytes)
		return 0;
	r = make_map(code);
	if (r)
		return r;
	put_map(code, &code->filter);
	put_map(code, &code->action);
	return 0;
}
