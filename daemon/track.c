/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "daemon/kprobe.h"
#include "daemon/perfprobe.h"
#include "daemon/sites.h"
#include "daemon/template.h"
#include "daemon/track.h"
#include "daemon/tracepoint.h"

#define WHY_BYTES 512

/* A place where the kernel copies or frees an sk_buff. */
struct place {
	const char *name;
	enum template_kind kind;
	uint8_t skb;   /* which argument is freed, from 0; copies are the first one, of the second */
	bool optional; /* some kernels have none, or a few packets only go through it */
};

/*
 * __copy_skb_header() is called for each clone and copy, with those made to change them, to cut them up and to put
 * them together. Pieces of IP packets are new sk_buffs that get the rest of their data one by one.
 *
 * An sk_buff is freed with its references (skb_release_head_state()), or, if it has none any more, without, and only
 * its memory is given back (kfree_skbmem(), or for the next one on this CPU napi_skb_cache_put()). Most go by two of
 * these, which is well so: the kernel skips a program that a task was preempted in. Packets that the stack put together
 * on the way in go by two others, and one that a driver uses again is never freed.
 */
static const struct place functions[] = {
	{ "__copy_skb_header", TEMPLATE_COPY, 0, false },
	{ "ip_copy_metadata", TEMPLATE_COPY, 0, true },
	{ "ip6_copy_metadata", TEMPLATE_COPY, 0, true },
	{ "skb_release_head_state", TEMPLATE_FREE, 0, false },
	{ "kfree_skbmem", TEMPLATE_FREE, 0, false },
	{ "napi_skb_cache_put", TEMPLATE_FREE, 0, true },
	{ "kfree_skb_partial", TEMPLATE_FREE, 0, false },
	{ "napi_skb_free_stolen_head", TEMPLATE_FREE, 0, false },
	{ "napi_reuse_skb", TEMPLATE_FREE, 1, true },
};

/* Less than all: TCP frees packets without a word. */
static const char *const tracepoints[] = { "consume_skb", "kfree_skb" };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A program; its descriptor or negative errno. */
static int load(const struct hooks_plan *plan, struct template_copy *copy, uint8_t skb)
{
	const struct netcap_config config = {
		.track = 1,
		.track_ends = plan->config.track_ends,
		.slower_ns = plan->config.slower_ns,
		.histogram = plan->config.histogram,
		.skb_arg = skb,
		.registers = copy->hook == TEMPLATE_KPROBE_ONE,
	};
	char why[WHY_BYTES];

	copy->config = &config;
	return template_load(plan->kernel->templates, copy, plan->maps, why, sizeof(why));
}

/* The program is kept for its count of runs that the kernel left out. */
static int attach_tracing(struct track *t, const char *name, int program)
{
	int r = hooks_keep_program(&t->hooks, program, NULL), link;

	if (r)
		return r;
	link = bpf_raw_tracepoint_open(name, program);
	return link < 0 ? -errno : hooks_keep_link(&t->hooks, link);
}

static int attach_fentry(struct track *t, const struct hooks_plan *plan, const struct place *p)
{
	const struct function *f = function_list_find(&plan->kernel->functions, p->name);
	struct template_copy copy = { .kind = p->kind, .hook = TEMPLATE_FENTRY };
	int program;

	if (plan->backend != HOOKS_AUTO && plan->backend != HOOKS_FENTRY)
		return -EOPNOTSUPP;
	if (!f || sites_are_several(plan->kernel->sites, p->name))
		return -ENOENT;
	copy.btf_id = f->id;
	program = load(plan, &copy, p->skb);
	return program < 0 ? program : attach_tracing(t, NULL, program);
}

/* In each place where there is a function of that name. */
static int attach_sites(struct track *t, const struct site_list *sites, int program)
{
	int pmu = perfprobe_pmu(), r = sites->count ? 0 : -ENOENT;

	for (size_t i = 0; !r && i < sites->count; i++)
		r = kprobe_attach_at(&t->hooks, pmu, sites->items[i].address, program);
	return r;
}

static int attach_kprobes(struct track *t, const struct hooks_plan *plan, const struct place *p)
{
	struct template_copy copy = { .kind = p->kind, .hook = TEMPLATE_KPROBE_ONE };
	struct site_list sites = {};
	int r, program;

	if (plan->backend == HOOKS_FENTRY)
		return -EOPNOTSUPP;
	r = sites_find(plan->kernel->sites, &p->name, 1, &sites);
	program = r ? r : load(plan, &copy, p->skb);
	r = program < 0 ? program : hooks_keep_program(&t->hooks, program, NULL);
	if (!r)
		r = attach_sites(t, &sites, program);
	site_list_clear(&sites);
	return r;
}

static void say(struct track *t, const char *sentence)
{
	size_t used = strlen(t->note);

	snprintf(t->note + used, sizeof(t->note) - used, "%s%s", used ? "; " : "", sentence);
}

int track_attach_functions(struct track *t, const struct hooks_plan *plan)
{
	bool copies = true;

	t->frees = true;
	for (size_t i = 0; i < COUNT(functions); i++) {
		const struct place *p = &functions[i];
		int r = attach_fentry(t, plan, p);

		if (r && r != -ENOMEM)
			r = attach_kprobes(t, plan, p);
		if (r == -ENOMEM)
			return r;
		if (r && !p->optional)
			*(p->kind == TEMPLATE_COPY ? &copies : &t->frees) = false;
	}
	if (!copies)
		say(t, "clones and copies are not followed: this kernel has neither fentry nor kprobes for "
		       "the function that makes them");
	return 0;
}

static int attach_tracepoint(struct track *t, const struct hooks_plan *plan, const char *name)
{
	struct template_copy copy = { .kind = TEMPLATE_FREE };
	struct tracepoint tp;
	char why[WHY_BYTES];
	int program, r = tracepoint_find(plan->kernel->tracepoints, "skb", name, &tp, why, sizeof(why));

	if (r)
		return r;
	copy.btf_id = tp.btf_id;
	copy.hook = tp.btf_id ? TEMPLATE_TP_BTF : TEMPLATE_RAW_TP;
	program = load(plan, &copy, 0);
	return program < 0 ? program : attach_tracing(t, tp.btf_id ? NULL : name, program);
}

int track_attach_tracepoints(struct track *t, const struct hooks_plan *plan)
{
	if (t->frees)
		return 0;
	for (size_t i = 0; i < COUNT(tracepoints); i++)
		if (attach_tracepoint(t, plan, tracepoints[i]) == -ENOMEM)
			return -ENOMEM;
	say(t, "of packets that the kernel frees without a tracepoint, as most of TCP's, the end is not seen, and "
	       "another one in the same memory may be taken for them");
	return 0;
}

void track_close(struct track *t)
{
	hooks_close(&t->hooks);
}
