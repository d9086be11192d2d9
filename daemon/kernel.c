/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/filter.h>

#include "daemon/kernel.h"
#include "daemon/log.h"
#include "daemon/maps.h"
#include "daemon/modules.h"
#include "daemon/pagemap.h"
#include "daemon/sites.h"
#include "daemon/tracepoint.h"
#include "daemon/uprobe.h"

#define REASON_PREFIX "SKB_DROP_REASON_"
#define MAX_REASONS   4096 /* of the core; subsystems' own are above 65,536 */

static const char *without_prefix(const char *name)
{
	static const char *const prefixes[] = { REASON_PREFIX, "SKB_" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return name + strlen(prefixes[i]);
	return name;
}

/* The numbers move from release to release, so the names come from the running kernel. */
static int read_reasons(struct kernel *k)
{
	int id = btf__find_by_name_kind(k->btf, "skb_drop_reason", BTF_KIND_ENUM);
	const struct btf_type *t;
	const struct btf_enum *e;

	if (id <= 0)
		return 0; /* before Linux 5.17 */
	t = btf__type_by_id(k->btf, id);
	e = btf_enum(t);
	k->reasons = calloc(MAX_REASONS, sizeof(*k->reasons));
	if (!k->reasons)
		return -ENOMEM;
	for (int i = 0; i < btf_vlen(t); i++) {
		size_t value = e[i].val;

		if (value >= MAX_REASONS)
			continue;
		k->reasons[value] = without_prefix(btf__name_by_offset(k->btf, e[i].name_off));
		if (value >= k->reason_count)
			k->reason_count = value + 1;
	}
	return 0;
}

const char *kernel_reason(const struct kernel *k, uint32_t reason, char *text, size_t size)
{
	if (reason < k->reason_count && k->reasons[reason])
		return k->reasons[reason];
	snprintf(text, size, "REASON_%u", reason);
	return text;
}

enum netcap_access kernel_access(const struct kernel *k, enum template_kind kind)
{
	/* addresses of XDP's packets and of processes' are numbers in programs of every kind, and are not cast */
	if (template_shared(kind) == TEMPLATE_XDP_KPROBE || kind == TEMPLATE_PROCESS)
		return NETCAP_ACCESS_WINDOW;
	return kind == TEMPLATE_TYPED || template_set_types_addresses(k->templates) ?
		       k->access :
		       NETCAP_ACCESS_WINDOW;
}

void kernel_target(const struct kernel *k, enum template_kind kind, struct filter_target *target)
{
	*target = (struct filter_target){
		.access = kernel_access(k, kind),
		.var_stack = k->var_stack,
		.cast = k->cast,
	};
	template_target(k->templates, kind, target);
}

/* "ldb [0]; ldb [x + 0]; ret a": one load at a fixed and one at a computed place. */
static int trial_filter(const struct kernel *k, struct filter_code *code)
{
	struct filter_insn insns[] = {
		{ BPF_LD | BPF_B | BPF_ABS, 0, 0, 0 },
		{ BPF_MISC | BPF_TAX, 0, 0, 0 },
		{ BPF_LD | BPF_B | BPF_IND, 0, 0, 0 },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	struct filter_programs programs = {
		.ethernet = { insns, sizeof(insns) / sizeof(*insns) },
		.raw = { insns, sizeof(insns) / sizeof(*insns) },
	};
	struct filter_target target;
	char why[128];

	kernel_target(k, TEMPLATE_TYPED, &target);
	return filter_translate(&programs, &target, code, why, sizeof(why));
}

/* Zeroes: there is none. The structure is one that every kernel with IPv4 has. */
static struct filter_cast find_cast(const struct btf *btf)
{
	struct filter_cast cast = {
		.function = btf__find_by_name_kind(btf, "bpf_rdonly_cast", BTF_KIND_FUNC),
		.type = btf__find_by_name_kind(btf, "in_addr", BTF_KIND_STRUCT),
	};

	return cast.function > 0 && cast.type > 0 ? cast : (struct filter_cast){};
}

/* One way for filters to look at packets. */
struct way {
	enum netcap_access access;
	bool by_cast;
	bool var_stack;
};

/* Does the verifier take it? 0 or negative errno. */
static int try_way(struct kernel *k, const struct way *way, uint32_t attach_btf_id)
{
	struct netcap_config config = { .snaplen = 64, .access = way->access, .filtered = 1,
					.location_arg = NETCAP_NO_ARG, .reason_arg = NETCAP_NO_ARG };
	struct template_maps maps = MAPS_NONE;
	struct filter_code code = {};
	const struct template_copy copy = { .config = &config, .kind = TEMPLATE_TYPED, .hook = TEMPLATE_TP_BTF,
					    .filter = &code, .btf_id = attach_btf_id };
	int r;

	k->access = way->access;
	k->cast = way->by_cast ? find_cast(k->btf) : (struct filter_cast){};
	k->var_stack = way->var_stack;
	if (way->by_cast && !k->cast.function)
		return -EOPNOTSUPP;
	r = maps_make_shared(&maps, 1, 4096);
	if (!r)
		r = trial_filter(k, &code);
	if (!r)
		r = template_load(k->templates, &copy, &maps, NULL, 0);
	if (r >= 0)
		close(r);
	filter_code_clear(&code);
	maps_close(&maps);
	return r < 0 ? r : 0;
}

/* Does the error say something of the program, and not of what this process may do and has? */
static bool is_refusal(int error)
{
	return error && error != -EPERM && error != -ENOMEM && error != -EMFILE && error != -ENFILE && error != -EAGAIN;
}

/* Best first. 0, or negative errno of the last that was tried. */
static int try_ways(struct kernel *k, uint32_t attach_btf_id)
{
	const struct way ways[] = {
		/* kernels that take one of these take computed offsets, too; which programs for XDP use */
		{ .access = NETCAP_ACCESS_DIRECT, .var_stack = true },
		{ .access = NETCAP_ACCESS_DIRECT, .by_cast = true, .var_stack = true },
		{ .access = NETCAP_ACCESS_WINDOW, .var_stack = true },
		{ .access = NETCAP_ACCESS_WINDOW },
	};
	int r = -EINVAL;

	for (size_t i = 0; is_refusal(r) && i < sizeof(ways) / sizeof(*ways); i++)
		r = try_way(k, &ways[i], attach_btf_id);
	return r;
}

/* The first form of the programs and of filters that the kernel takes together. */
static int choose_access(struct kernel *k, char *why, size_t size)
{
	struct tracepoint tp;
	int r = tracepoint_find(k->tracepoints, "skb", "kfree_skb", &tp, why, size), error;

	if (r)
		return r;
	error = try_ways(k, tp.btf_id);
	while (is_refusal(error) && !template_set_older(k->templates)) {
		log_warning("the kernel refuses the capture programs in the form for its version (%s); an older form is tried",
			    strerror(-error));
		error = try_ways(k, tp.btf_id);
	}
	return error ? template_refused(error, "", why, size) : 0;
}

static int open_all(struct kernel *k, char *why, size_t size)
{
	int r;

	k->btf = btf__load_vmlinux_btf();
	if (!k->btf) {
		r = -errno;
		snprintf(why, size,
			 "the kernel has no readable type information (/sys/kernel/btf/vmlinux: %s); "
			 "a kernel with CONFIG_DEBUG_INFO_BTF=y is needed",
			 strerror(-r));
		return r;
	}
	k->tracepoints = tracepoint_index_new(k->btf);
	k->sites = sites_new(&k->functions);
	k->uprobes = uprobe_ways_new();
	if (!k->tracepoints || !k->sites || !k->uprobes || read_reasons(k) ||
	    function_list(k->btf, NULL, &k->functions)) {
		snprintf(why, size, "no memory for the kernel's types");
		return -ENOMEM;
	}
	k->templates = template_set_new(k->btf, why, size);
	if (!k->templates)
		return -errno;
	k->page_linear = pagemap_find(k->page_why, sizeof(k->page_why));
	return choose_access(k, why, size);
}

int kernel_open(struct kernel *k, char *why, size_t size)
{
	int r;

	memset(k, 0, sizeof(*k));
	r = open_all(k, why, size);
	if (r)
		kernel_close(k);
	return r;
}

void kernel_prepare(const struct kernel *k)
{
	struct module_set modules;
	bool traceable;

	if (module_set_open(&modules, k->btf))
		return;
	if (!sites_update(k->sites, &modules) && k->functions.count)
		sites_traceable(k->sites, (const char *[]){ k->functions.items[0].name }, 1, &traceable);
	module_set_close(&modules);
	malloc_trim(0); /* an idle daemon has no use for the megabytes that this took */
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	template_set_free(k->templates);
	sites_free(k->sites);
	free(k->uprobes);
	function_list_clear(&k->functions);
	tracepoint_index_free(k->tracepoints);
	free(k->reasons);
	btf__free(k->btf);
	memset(k, 0, sizeof(*k));
}
