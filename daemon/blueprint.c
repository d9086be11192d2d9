/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "daemon/blueprint.h"
#include "daemon/constants.h"

static const char *const map_names[BLUEPRINT_MAPS] = {
	[BLUEPRINT_CONFIG] = ".rodata.config",
	[BLUEPRINT_CONTROL] = ".data.control",
	[BLUEPRINT_COUNTERS] = "netcap_counters",
	[BLUEPRINT_RING] = "netcap_ring",
	[BLUEPRINT_MADE] = "netcap_made",
	[BLUEPRINT_SITES] = "netcap_sites",
	[BLUEPRINT_CALLS] = "netcap_calls",
	[BLUEPRINT_TRACK] = "netcap_track",
	[BLUEPRINT_TICKETS] = "netcap_tickets",
	[BLUEPRINT_LIVES] = "netcap_lives",
	[BLUEPRINT_JOURNEYS] = "netcap_journeys",
	[BLUEPRINT_BLANK] = "netcap_blank",
	[BLUEPRINT_EDGES] = "netcap_edges",
	[BLUEPRINT_ENTERED] = "netcap_entered",
};

bool blueprint_wants_map(const struct bpf_insn *i)
{
	return i->code == (BPF_LD | BPF_IMM | BPF_DW) &&
	       (i->src_reg == BPF_PSEUDO_MAP_FD || i->src_reg == BPF_PSEUDO_MAP_VALUE);
}

static bool is_call(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_CALL) && i->src_reg == BPF_PSEUDO_CALL;
}

static bool is_callback(const struct bpf_insn *i)
{
	return i->code == (BPF_LD | BPF_IMM | BPF_DW) && i->src_reg == BPF_PSEUDO_FUNC;
}

/* Replaces the object's map descriptors, which go away with it, by slots. Constants are read in one way only. */
static int name_maps(struct blueprint *t, const struct bpf_object *object)
{
	for (size_t i = 0; i < t->count; i++) {
		int slot;

		if (!blueprint_wants_map(&t->insns[i]))
			continue;
		for (slot = 0; slot < BLUEPRINT_MAPS; slot++)
			if (t->insns[i].imm ==
			    bpf_object__find_map_fd_by_name(object, map_names[slot]))
				break;
		if (slot == BLUEPRINT_MAPS)
			return -ENOENT;
		if (slot == BLUEPRINT_CONFIG && !constants_is_read(&t->insns[i], t->count - i))
			return -EPROTO;
		t->insns[i].imm = slot;
		i++;
	}
	return 0;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Where subprograms start, in order, the main program (0) included. Returns how many, or 0. */
static uint32_t subprogram_starts(const struct blueprint *t, uint32_t starts[BLUEPRINT_FUNCTIONS])
{
	uint32_t n = 1;

	starts[0] = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		uint32_t start, j;

		if (!is_call(&t->insns[i]) && !is_callback(&t->insns[i]))
			continue;
		start = i + 1 + t->insns[i].imm;
		for (j = 0; j < n && starts[j] != start; j++)
			;
		if (j < n)
			continue;
		if (n == BLUEPRINT_FUNCTIONS)
			return 0;
		starts[n++] = start;
	}
	qsort(starts, n, sizeof(*starts), compare_u32);
	return n;
}

/*
 * The verifier needs func_info to know which subprograms are global. libbpf does not hand it out, but
 * the kernel does: one entry per subprogram, in order (bpf_prog_info, Linux 5.0). Its offsets are those
 * after verification; those before are the subprograms' starts.
 */
static int learn_functions(struct blueprint *t, int program)
{
	struct bpf_prog_info info = {};
	uint32_t starts[BLUEPRINT_FUNCTIONS], length = sizeof(info);

	info.nr_func_info = BLUEPRINT_FUNCTIONS;
	info.func_info_rec_size = sizeof(struct bpf_func_info);
	info.func_info = (uintptr_t)t->functions;
	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return -errno;
	t->function_count = info.nr_func_info;
	if (t->function_count != subprogram_starts(t, starts))
		return -EPROTO;
	for (uint32_t i = 0; i < t->function_count; i++)
		t->functions[i].insn_off = starts[i];
	t->stub = t->count;
	if (t->function_count == 1)
		return 0; /* one that takes no filter */
	t->stub = starts[t->function_count - 1];
	for (size_t i = t->stub; i < t->count; i++)
		if (is_call(&t->insns[i]))
			t->load = i + 1 + t->insns[i].imm;
	return t->load && t->load < t->stub ? 0 : -EPROTO;
}

/* Where the user's code goes, by the names that the programs' own types have. */
static void learn_user_places(struct blueprint *t, const struct btf *btf)
{
	t->user_filter = t->user_action = SIZE_MAX;
	for (uint32_t i = 0; i < t->function_count; i++) {
		const struct btf_type *type = btf__type_by_id(btf, t->functions[i].type_id);
		const char *name = type ? btf__name_by_offset(btf, type->name_off) : "";

		if (!strcmp(name, "netcap_user_filter"))
			t->user_filter = t->functions[i].insn_off;
		else if (!strcmp(name, "netcap_user_action"))
			t->user_action = t->functions[i].insn_off;
	}
}

int blueprint_take(struct blueprint *t, const struct bpf_object *object, const char *name)
{
	const struct bpf_program *p = bpf_object__find_program_by_name(object, name);
	int r;

	if (!p)
		return -ENOENT;
	t->count = bpf_program__insn_cnt(p);
	t->insns = malloc(t->count * sizeof(*t->insns));
	if (!t->insns)
		return -ENOMEM;
	memcpy(t->insns, bpf_program__insns(p), t->count * sizeof(*t->insns));
	r = name_maps(t, object) ?: learn_functions(t, bpf_program__fd(p));
	if (!r)
		learn_user_places(t, bpf_object__btf(object));
	return r;
}

void blueprint_clear(struct blueprint *t)
{
	free(t->insns);
	memset(t, 0, sizeof(*t));
}
