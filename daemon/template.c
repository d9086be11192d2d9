/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpf/record.h" /* the skeletons need its types */
#include "bpf/netcap.skel.h"
#include "bpf/netcap_cast.skel.h"
#include "bpf/netcap_old.skel.h"
#include "bpf/process.skel.h"
#include "bpf/process_old.skel.h"
#include "daemon/constants.h"
#include "daemon/splice.h"
#include "daemon/template.h"
#include "daemon/trim.h"

#define LOG_BYTES      65536
#define LOG_LEVEL      4 /* what is wrong, without the way there, which older kernels cut at its end */
#define MAX_SUBPROGS   SPLICE_FUNCTIONS

/* Which of the session's maps an instruction wants. */
enum map_slot {
	MAP_CONFIG,
	MAP_CONTROL,
	MAP_COUNTERS,
	MAP_RING,
	MAP_MADE,
	MAP_SITES,
	MAP_CALLS,
	MAP_TRACK,
	MAP_TICKETS,
	MAP_LIVES,
	MAP_JOURNEYS,
	MAP_BLANK,
	MAP_EDGES,
	MAP_ENTERED,
	MAP_SLOTS,
};

static const char *const map_names[MAP_SLOTS] = {
	[MAP_CONFIG] = ".rodata.config",
	[MAP_CONTROL] = ".data.control",
	[MAP_COUNTERS] = "netcap_counters",
	[MAP_RING] = "netcap_ring",
	[MAP_MADE] = "netcap_made",
	[MAP_SITES] = "netcap_sites",
	[MAP_CALLS] = "netcap_calls",
	[MAP_TRACK] = "netcap_track",
	[MAP_TICKETS] = "netcap_tickets",
	[MAP_LIVES] = "netcap_lives",
	[MAP_JOURNEYS] = "netcap_journeys",
	[MAP_BLANK] = "netcap_blank",
	[MAP_EDGES] = "netcap_edges",
	[MAP_ENTERED] = "netcap_entered",
};

static const char *const program_names[TEMPLATE_KINDS] = {
	[TEMPLATE_TYPED] = "netcap_typed",
	[TEMPLATE_UNTYPED] = "netcap_untyped",
	[TEMPLATE_KPROBE] = "netcap_kprobe",
	[TEMPLATE_XDP] = "netcap_xdp",
	[TEMPLATE_XDP_KPROBE] = "netcap_xdp_kprobe",
	[TEMPLATE_RETURN] = "netcap_return",
	[TEMPLATE_COPY] = "netcap_copy",
	[TEMPLATE_FREE] = "netcap_free",
	[TEMPLATE_PROCESS] = "netcap_process",
	[TEMPLATE_ENTER] = "netcap_enter",
};

static const struct {
	const char *name;
	const char *program; /* what the copy is called in the kernel */
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
} hooks[TEMPLATE_HOOKS] = {
	[TEMPLATE_TP_BTF] = { "tp_btf", "netcap_tp_btf", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP },
	[TEMPLATE_RAW_TP] = { "raw_tp", "netcap_raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, 0 },
	[TEMPLATE_FENTRY] = { "fentry", "netcap_fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY },
	[TEMPLATE_FEXIT] = { "fexit", "netcap_fexit", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT },
	[TEMPLATE_KPROBE_MULTI] = { "kprobe.multi", "netcap_multi", BPF_PROG_TYPE_KPROBE,
				    BPF_TRACE_KPROBE_MULTI },
	[TEMPLATE_KPROBE_ONE] = { "kprobe", "netcap_kprobe", BPF_PROG_TYPE_KPROBE, 0 },
	[TEMPLATE_UPROBE] = { "uprobe", "netcap_uprobe", BPF_PROG_TYPE_KPROBE, 0 },
	[TEMPLATE_URETPROBE] = { "uretprobe", "netcap_uretprob", BPF_PROG_TYPE_KPROBE, 0 },
	[TEMPLATE_USDT] = { "usdt", "netcap_usdt", BPF_PROG_TYPE_KPROBE, 0 },
};

struct template {
	struct bpf_insn *insns; /* owned; map descriptors replaced by enum map_slot */
	size_t count;
	size_t stub;            /* first instruction of netcap_filter(), the last subprogram; or count */
	size_t user_filter;     /* first instruction of netcap_user_filter(), SIZE_MAX: there is none; */
	size_t user_action;     /* and of netcap_user_action() */
	size_t load;            /* first instruction of netcap_load(); 0: there is no filter */
	struct bpf_func_info functions[MAX_SUBPROGS];
	uint32_t function_count;
};

/* The objects that are made of one source, best first. */
enum variant { CAST, PLAIN, OLD, VARIANTS };

/* Programs of one source, which share their type information. */
enum family { KERNEL, PROCESS, FAMILIES };

static const struct {
	enum template_kind first, end;
	const void *(*variants[VARIANTS])(size_t *size); /* NULL: there is no such one */
} families[FAMILIES] = {
	[KERNEL] = { TEMPLATE_TYPED, TEMPLATE_PROCESS, {
		[CAST] = netcap_cast__elf_bytes, /* with bpf_rdonly_cast() (Linux 6.2) */
		[PLAIN] = netcap__elf_bytes,
		[OLD] = netcap_old__elf_bytes, /* without bpf_loop() (before Linux 5.17) */
	} },
	[PROCESS] = { TEMPLATE_PROCESS, TEMPLATE_KINDS, {
		[PLAIN] = process__elf_bytes,
		[OLD] = process_old__elf_bytes,
	} },
};

struct template_set {
	struct template kinds[TEMPLATE_KINDS];
	int btf[FAMILIES]; /* the programs' own type information, as loaded; or -1 */
	enum variant variant; /* of KERNEL */
};

static enum family family_of(enum template_kind kind)
{
	return kind < TEMPLATE_PROCESS ? KERNEL : PROCESS;
}

static bool is_map_load(const struct bpf_insn *i)
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
static int name_maps(struct template *t, const struct bpf_object *object)
{
	for (size_t i = 0; i < t->count; i++) {
		int slot;

		if (!is_map_load(&t->insns[i]))
			continue;
		for (slot = 0; slot < MAP_SLOTS; slot++)
			if (t->insns[i].imm ==
			    bpf_object__find_map_fd_by_name(object, map_names[slot]))
				break;
		if (slot == MAP_SLOTS)
			return -ENOENT;
		if (slot == MAP_CONFIG && !constants_is_read(&t->insns[i], t->count - i))
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
static uint32_t subprogram_starts(const struct template *t, uint32_t starts[MAX_SUBPROGS])
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
		if (n == MAX_SUBPROGS)
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
static int learn_functions(struct template *t, int program)
{
	struct bpf_prog_info info = {};
	uint32_t starts[MAX_SUBPROGS], length = sizeof(info);

	info.nr_func_info = MAX_SUBPROGS;
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
static void learn_user_places(struct template *t, const struct btf *btf)
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

static int take_program(struct template *t, const struct bpf_object *object, const char *name)
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

/* A descriptor of its own, not one by id: that takes CAP_SYS_ADMIN, which the unit does not have. */
static int take_btf(struct template_set *set, enum family family, const struct bpf_object *object)
{
	set->btf[family] = fcntl(bpf_object__btf_fd(object), F_DUPFD_CLOEXEC, 0);
	return set->btf[family] < 0 ? -errno : 0;
}

static void clear(struct template_set *set, enum family family)
{
	for (enum template_kind k = families[family].first; k < families[family].end; k++) {
		free(set->kinds[k].insns);
		memset(&set->kinds[k], 0, sizeof(set->kinds[k]));
	}
	if (set->btf[family] >= 0)
		close(set->btf[family]);
	set->btf[family] = -1;
}

static int take_object(struct template_set *set, enum family family, enum variant variant)
{
	/*
	 * With a path given, libbpf leaves out the types of modules, which it looks through for types that
	 * this kernel does not have: that takes CAP_SYS_ADMIN, and libbpf 1.1 fails without.
	 */
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "netcap",
		    .btf_custom_path = "/sys/kernel/btf/vmlinux");
	size_t size;
	const void *elf = families[family].variants[variant](&size);
	struct bpf_object *object = bpf_object__open_mem(elf, size, &options);
	int r = object ? 0 : -errno;

	if (!r)
		r = bpf_object__load(object);
	if (!r)
		r = take_btf(set, family, object);
	for (enum template_kind k = families[family].first; !r && k < families[family].end; k++)
		r = take_program(&set->kinds[k], object, program_names[k]);
	bpf_object__close(object);
	if (r)
		clear(set, family);
	return r;
}

/* The best variant that the kernel takes. 0, or negative errno with a sentence in why. */
static int take_family(struct template_set *set, enum family family, enum variant *variant, char *why, size_t size)
{
	int r = -EINVAL;

	for (int v = 0; r && v < VARIANTS; v++) {
		*variant = v;
		if (families[family].variants[v])
			r = take_object(set, family, v);
	}
	if (r)
		snprintf(why, size,
			 "the kernel does not take the capture programs%s: %s; netcapctl features says what is missing",
			 family == PROCESS ? " for user space" : "", strerror(-r));
	return r;
}

struct template_set *template_set_new(char *why, size_t size)
{
	struct template_set *set = calloc(1, sizeof(*set));
	int r;

	if (!set) {
		snprintf(why, size, "no memory for the BPF programs");
		return NULL;
	}
	for (int family = 0; family < FAMILIES; family++)
		set->btf[family] = -1;
	r = take_family(set, KERNEL, &set->variant, why, size);
	if (!r)
		return set;
	template_set_free(set);
	errno = -r;
	return NULL;
}

int template_set_need_process(struct template_set *set, char *why, size_t size)
{
	enum variant variant;

	return set->btf[PROCESS] >= 0 ? 0 : take_family(set, PROCESS, &variant, why, size);
}

void template_set_free(struct template_set *set)
{
	if (!set)
		return;
	for (int family = 0; family < FAMILIES; family++)
		clear(set, family);
	free(set);
}

bool template_set_types_addresses(const struct template_set *set)
{
	return set->variant == CAST;
}

bool template_set_is_old(const struct template_set *set)
{
	return set->variant == OLD;
}

void template_target(const struct template_set *set, enum template_kind kind,
		     struct filter_target *target)
{
	target->body = set->kinds[kind].stub;
	target->load = set->kinds[kind].load;
}

/* Gives each instruction that wants one of the session's maps that map, and those for constants their value. */
static void fill_in(struct bpf_insn *insns, size_t count, const struct template_maps *maps,
		    const struct netcap_config *config)
{
	const int fds[MAP_SLOTS] = {
		[MAP_CONTROL] = maps->control, [MAP_COUNTERS] = maps->counters, [MAP_RING] = maps->ring,
		[MAP_MADE] = maps->made,       [MAP_SITES] = maps->sites,       [MAP_CALLS] = maps->calls,
		[MAP_TRACK] = maps->track,     [MAP_TICKETS] = maps->tickets,   [MAP_LIVES] = maps->lives,
		[MAP_JOURNEYS] = maps->journeys, [MAP_BLANK] = maps->blank,	[MAP_EDGES] = maps->edges,
		[MAP_ENTERED] = maps->entered,
	};

	for (size_t i = 0; i < count; i++) {
		if (!is_map_load(&insns[i]))
			continue;
		if (insns[i].imm == MAP_CONFIG) {
			constants_put(&insns[i], config);
			i += CONSTANTS_INSNS - 1;
			continue;
		}
		/* what is not wanted is named by code that never runs, and any map will do */
		insns[i].imm = fds[insns[i].imm] < 0 ? maps->counters : fds[insns[i].imm];
		i++;
	}
}

/*
 * The user's code reads memory of the kernel, and at trace points in user space that of the process, too: there the older helper
 * looks at the address to see which it is.
 */
static void read_anything(struct splice *code, uint32_t from, uint32_t count)
{
	for (uint32_t i = from; i < from + count; i++) {
		struct bpf_insn *insn = &code->insns[i];

		if (insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg && insn->imm == BPF_FUNC_probe_read_kernel)
			insn->imm = BPF_FUNC_probe_read;
	}
}

/* A program as it is loaded: of the template, the filter and the user's code what the constants leave. */
struct build {
	struct splice code; /* owned */
	struct bpf_func_info functions[MAX_SUBPROGS + 2 * USERCODE_FUNCTIONS];
	uint32_t function_count;
};

/* What is put in the place of stubs: the filter, and the user's code. Returns how many parts. */
static size_t choose_parts(const struct template *t, const struct template_copy *copy, struct splice_part parts[3])
{
	const struct usercode *user = copy->user;
	size_t n = 0;

	if (copy->filter)
		parts[n++] = (struct splice_part){ t->stub, copy->filter->insns, copy->filter->count, true };
	if (user && user->filter.count)
		parts[n++] = (struct splice_part){ t->user_filter, user->filter.insns, user->filter.count, false };
	if (user && user->action.count)
		parts[n++] = (struct splice_part){ t->user_action, user->action.insns, user->action.count, false };
	return n;
}

/* The user's program that is in the place of this function, or NULL. */
static const struct usercode_program *user_program(const struct template *t, const struct usercode *user, size_t at)
{
	if (user && at == t->user_filter && user->filter.count)
		return &user->filter;
	if (user && at == t->user_action && user->action.count)
		return &user->action;
	return NULL;
}

/* Functions of the user's have the stub's type: all that the verifier wants to know is that they are not global. */
static void place_functions(const struct template *t, const struct usercode *user, bool process, struct build *b)
{
	b->function_count = 0;
	for (uint32_t f = 0; f < t->function_count; f++) {
		const struct usercode_program *p = user_program(t, user, t->functions[f].insn_off);
		uint32_t count = p ? p->function_count : 1;

		if (p && process)
			read_anything(&b->code, b->code.starts[f], p->count);

		for (uint32_t i = 0; i < count; i++) {
			struct bpf_func_info *info = &b->functions[b->function_count++];

			*info = t->functions[f];
			info->insn_off = b->code.starts[f] + (p ? p->functions[i] : 0);
		}
	}
}

static int build(const struct template *t, const struct template_copy *copy, const struct template_maps *maps,
		 struct build *b)
{
	struct bpf_insn *insns = malloc(t->count * sizeof(*insns));
	uint32_t starts[MAX_SUBPROGS];
	struct splice_part parts[3];
	size_t count = choose_parts(t, copy, parts);
	int r;

	b->code.insns = NULL;
	b->function_count = 0;
	if (!insns)
		return -ENOMEM;
	memcpy(insns, t->insns, t->count * sizeof(*insns));
	fill_in(insns, t->stub, maps, copy->config);
	for (uint32_t f = 0; f < t->function_count; f++)
		starts[f] = t->functions[f].insn_off;
	r = splice_make(insns, t->count, starts, t->function_count, parts, count, &b->code);
	free(insns);
	if (r)
		return r;
	place_functions(t, copy->user, copy->kind == TEMPLATE_PROCESS, b);
	return trim_program(b->code.insns, &b->code.count, b->functions, &b->function_count);
}

/* The last lines of the verifier's log say what was wrong. */
static void quote_log(const char *log, int error, char *why, size_t size)
{
	const char *end = log + strlen(log), *from = end;

	for (int lines = 0; from > log && lines < 4; from--)
		if (from[-1] == '\n' && from != end && ++lines == 4)
			break;
	snprintf(why, size, "the kernel refused the program: %s; the verifier said: %s",
		 strerror(error), *from ? from : "nothing");
	for (char *c = why; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

int template_load(const struct template_set *set, const struct template_copy *copy,
		  const struct template_maps *maps, char *why, size_t size)
{
	const char *name = hooks[copy->hook].program;
	enum bpf_prog_type type = hooks[copy->hook].type;
	struct build b;
	int r = build(&set->kinds[copy->kind], copy, maps, &b), fd;
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .prog_btf_fd = set->btf[family_of(copy->kind)],
		    .func_info = b.functions,
		    .func_info_cnt = b.function_count,
		    .func_info_rec_size = sizeof(struct bpf_func_info),
		    .expected_attach_type = copy->attach_type ?: (int)hooks[copy->hook].attach,
		    .attach_btf_id = copy->btf_id,
		    .attach_btf_obj_fd = copy->btf_fd);

	if (r) {
		free(b.code.insns);
		snprintf(why, size, "the program cannot be put together: %s", strerror(-r));
		return r;
	}
	fd = bpf_prog_load(type, name, "Dual BSD/GPL", b.code.insns, b.code.count, &options);
	r = -errno;
	if (fd < 0) {
		char *log = calloc(1, LOG_BYTES);

		options.log_buf = log;
		options.log_size = log ? LOG_BYTES : 0;
		options.log_level = log ? LOG_LEVEL : 0;
		fd = bpf_prog_load(type, name, "Dual BSD/GPL", b.code.insns, b.code.count, &options);
		r = -errno;
		if (fd < 0)
			quote_log(log ? log : "", -r, why, size);
		free(log);
	}
	free(b.code.insns);
	return fd < 0 ? r : fd;
}

enum template_kind template_shared(enum template_kind kind)
{
	return kind == TEMPLATE_XDP || kind == TEMPLATE_XDP_KPROBE ? TEMPLATE_XDP_KPROBE : TEMPLATE_KPROBE;
}

const char *template_hook_name(enum template_hook hook)
{
	return hooks[hook].name;
}
