/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "bpf/sections.h"
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

/* What blueprint_take() works on, for libbpf's calls meanwhile. */
struct taking {
	const struct bpf_object *object;
	const char *const *names;
	size_t count, taken;
	struct blueprint *blueprints;
	int fds[BLUEPRINT_MAPS]; /* the object's maps, 0: not seen yet */
};

/* By its name, which the kernel knows: libbpf 1.4 and newer do not tell descriptors until all is loaded. Or BLUEPRINT_MAPS. */
static enum blueprint_map find_map(struct taking *now, int fd)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	int slot;

	for (slot = 0; slot < BLUEPRINT_MAPS; slot++)
		if (now->fds[slot] == fd)
			return slot;
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return BLUEPRINT_MAPS;
	for (slot = 0; slot < BLUEPRINT_MAPS && strncmp(info.name, map_names[slot], sizeof(info.name) - 1); slot++)
		;
	if (slot < BLUEPRINT_MAPS)
		now->fds[slot] = fd;
	return slot;
}

/* Replaces the object's map descriptors, which go away with it, by slots. Constants are read in one way only. */
static int name_maps(struct taking *now, struct blueprint *t)
{
	for (size_t i = 0; i < t->count; i++) {
		enum blueprint_map slot;

		if (!blueprint_wants_map(&t->insns[i]))
			continue;
		slot = find_map(now, t->insns[i].imm);
		if (slot == BLUEPRINT_MAPS)
			return -EPROTO;
		if (slot == BLUEPRINT_CONFIG && !constants_is_read(&t->insns[i], t->count - i))
			return -EPROTO;
		t->insns[i].imm = slot;
		i++;
	}
	return 0;
}

/* The verifier needs func_info to know which subprograms are global. libbpf hands it out to whoever prepares the load. */
static int learn_functions(struct blueprint *t, const struct bpf_prog_load_opts *load)
{
	if (!load->func_info_cnt || load->func_info_cnt > BLUEPRINT_FUNCTIONS ||
	    load->func_info_rec_size != sizeof(struct bpf_func_info))
		return -EPROTO;
	t->function_count = load->func_info_cnt;
	memcpy(t->functions, load->func_info, t->function_count * sizeof(*t->functions));
	t->stub = t->count;
	if (t->function_count == 1)
		return 0; /* one that takes no filter */
	t->stub = t->functions[t->function_count - 1].insn_off;
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

static int take(struct taking *now, struct blueprint *t, const struct bpf_program *p,
		const struct bpf_prog_load_opts *load)
{
	int r;

	t->count = bpf_program__insn_cnt(p);
	t->insns = malloc(t->count * sizeof(*t->insns));
	if (!t->insns)
		return -ENOMEM;
	memcpy(t->insns, bpf_program__insns(p), t->count * sizeof(*t->insns));
	r = name_maps(now, t) ?: learn_functions(t, load);
	if (!r)
		learn_user_places(t, bpf_object__btf(now->object));
	return r;
}

static _Thread_local struct taking *taking;

/* libbpf is about to load a program: it is taken, and "return 0" loaded in its place. */
static int take_instead(struct bpf_program *p, struct bpf_prog_load_opts *load, long cookie)
{
	static struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	if (!taking)
		return 0;
	for (size_t i = 0; i < taking->count; i++) {
		if (!strcmp(taking->names[i], bpf_program__name(p))) {
			int r = take(taking, &taking->blueprints[i], p, load);

			if (r)
				return r;
			taking->taken++;
		}
	}
	load->func_info_cnt = load->line_info_cnt = 0;
	return bpf_program__set_insns(p, nothing, sizeof(nothing) / sizeof(*nothing));
}

int blueprint_init(void)
{
	static const char *const sections[] = { SECTION_TYPED, SECTION_ARGUMENTS, SECTION_REGISTERS };
	static bool done;
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = take_instead);

	for (size_t i = 0; !done && i < sizeof(sections) / sizeof(*sections); i++) {
		int r = libbpf_register_prog_handler(sections[i], BPF_PROG_TYPE_SOCKET_FILTER, 0, &options);

		if (r < 0)
			return r;
	}
	done = true;
	return 0;
}

/* A descriptor of its own, not one by id: that takes CAP_SYS_ADMIN, which the unit does not have. */
static int take_btf(const struct bpf_object *object, int *btf)
{
	*btf = fcntl(bpf_object__btf_fd(object), F_DUPFD_CLOEXEC, 0);
	return *btf < 0 ? -errno : 0;
}

int blueprint_take(const void *elf, size_t size, const char *const names[], size_t count, struct blueprint t[], int *btf)
{
	/*
	 * With a path given, libbpf leaves out the types of modules, which it looks through for types that
	 * this kernel does not have: that takes CAP_SYS_ADMIN, and libbpf 1.1 fails without.
	 */
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "netcap",
		    .btf_custom_path = "/sys/kernel/btf/vmlinux");
	struct bpf_object *object = bpf_object__open_mem(elf, size, &options);
	struct taking now = { .object = object, .names = names, .count = count, .blueprints = t };
	int r = object ? 0 : -errno;

	taking = &now;
	if (!r)
		r = bpf_object__load(object);
	taking = NULL;
	if (!r && now.taken != count)
		r = -ENOENT;
	if (!r)
		r = take_btf(object, btf);
	bpf_object__close(object);
	for (size_t i = 0; r && i < count; i++)
		blueprint_clear(&t[i]);
	return r;
}

void blueprint_clear(struct blueprint *t)
{
	free(t->insns);
	memset(t, 0, sizeof(*t));
}
