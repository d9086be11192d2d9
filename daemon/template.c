/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
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
#include "daemon/blueprint.h"
#include "daemon/btftype.h"
#include "daemon/constants.h"
#include "daemon/splice.h"
#include "daemon/template.h"
#include "daemon/trim.h"

#define LOG_BYTES      65536
#define LOG_LEVEL      4 /* what is wrong, without the way there, which older kernels cut at its end */

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
	struct blueprint kinds[TEMPLATE_KINDS];
	int btf[FAMILIES]; /* the programs' own type information, as loaded; or -1 */
	enum variant variant;
};

static enum family family_of(enum template_kind kind)
{
	return kind < TEMPLATE_PROCESS ? KERNEL : PROCESS;
}

static void clear(struct template_set *set, enum family family)
{
	for (enum template_kind k = families[family].first; k < families[family].end; k++) {
		blueprint_clear(&set->kinds[k]);
	}
	if (set->btf[family] >= 0)
		close(set->btf[family]);
	set->btf[family] = -1;
}

static int take_variant(struct template_set *set, enum family family, enum variant variant)
{
	enum template_kind first = families[family].first;
	size_t size;
	const void *elf = families[family].variants[variant](&size);

	return blueprint_take(elf, size, &program_names[first], families[family].end - first, &set->kinds[first],
			      &set->btf[family]);
}

/* The best variant of which the kernel has the functions. */
static enum variant first_variant(const struct btf *btf)
{
	if (btftype_has_function(btf, "bpf_rdonly_cast"))
		return CAST;
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_loop, NULL) ? PLAIN : OLD;
}

int template_refused(int error, const char *what, char *why, size_t size)
{
	snprintf(why, size, "the kernel does not take the capture programs%s: %s; netcapctl features says what is missing", what,
		 strerror(-error));
	return error;
}

/* This variant, or the next one that there is. */
static int take_family(struct template_set *set, enum family family, enum variant variant)
{
	while (!families[family].variants[variant])
		variant++;
	return take_variant(set, family, variant);
}

struct template_set *template_set_new(const struct btf *btf, char *why, size_t size)
{
	struct template_set *set = calloc(1, sizeof(*set));
	int r;

	if (!set) {
		snprintf(why, size, "no memory for the BPF programs");
		return NULL;
	}
	for (int family = 0; family < FAMILIES; family++)
		set->btf[family] = -1;
	set->variant = first_variant(btf);
	r = blueprint_init();
	if (!r)
		r = take_family(set, KERNEL, set->variant);
	if (!r)
		return set;
	template_refused(r, "", why, size);
	template_set_free(set);
	errno = -r;
	return NULL;
}

int template_set_older(struct template_set *set)
{
	if (set->variant + 1 == VARIANTS)
		return -ENOENT;
	clear(set, KERNEL);
	return take_family(set, KERNEL, ++set->variant);
}

int template_set_need_process(struct template_set *set, char *why, size_t size)
{
	int r = set->btf[PROCESS] >= 0 ? 0 : take_family(set, PROCESS, set->variant);

	return r ? template_refused(r, " for user space", why, size) : 0;
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
	const int fds[BLUEPRINT_MAPS] = {
		[BLUEPRINT_CONTROL] = maps->control, [BLUEPRINT_COUNTERS] = maps->counters, [BLUEPRINT_RING] = maps->ring,
		[BLUEPRINT_MADE] = maps->made,       [BLUEPRINT_SITES] = maps->sites,       [BLUEPRINT_CALLS] = maps->calls,
		[BLUEPRINT_TRACK] = maps->track,     [BLUEPRINT_TICKETS] = maps->tickets,   [BLUEPRINT_LIVES] = maps->lives,
		[BLUEPRINT_JOURNEYS] = maps->journeys, [BLUEPRINT_BLANK] = maps->blank,	[BLUEPRINT_EDGES] = maps->edges,
		[BLUEPRINT_ENTERED] = maps->entered,
	};

	for (size_t i = 0; i < count; i++) {
		if (!blueprint_wants_map(&insns[i]))
			continue;
		if (insns[i].imm == BLUEPRINT_CONFIG) {
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
	struct bpf_func_info functions[BLUEPRINT_FUNCTIONS + 2 * USERCODE_FUNCTIONS];
	uint32_t function_count;
};

/* What is put in the place of stubs: the filter, and the user's code. Returns how many parts. */
static size_t choose_parts(const struct blueprint *t, const struct template_copy *copy, struct splice_part parts[3])
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
static const struct usercode_program *user_program(const struct blueprint *t, const struct usercode *user, size_t at)
{
	if (user && at == t->user_filter && user->filter.count)
		return &user->filter;
	if (user && at == t->user_action && user->action.count)
		return &user->action;
	return NULL;
}

/* Functions of the user's have the stub's type: all that the verifier wants to know is that they are not global. */
static void place_functions(const struct blueprint *t, const struct usercode *user, bool process, struct build *b)
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

static int build(const struct blueprint *t, const struct template_copy *copy, const struct template_maps *maps,
		 struct build *b)
{
	struct bpf_insn *insns = malloc(t->count * sizeof(*insns));
	uint32_t starts[BLUEPRINT_FUNCTIONS];
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
	if (fd < 0 && size) {
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
