/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "daemon/function.h"
#include "daemon/hooktrial.h"
#include "daemon/jsonmake.h"
#include "daemon/modules.h"
#include "daemon/points.h"
#include "daemon/quota.h"
#include "daemon/sites.h"
#include "daemon/tracepoint.h"

#define NO_SKB      "it carries no struct sk_buff"
#define NO_TYPE     "its arguments are not in the kernel's type information; say which with @N"
#define NO_HOOKS    "this kernel has neither fentry nor kprobes (netcapctl features says more)"
#define UNTRACEABLE "the kernel does not let it be traced: it is inlined, or part of the tracer"

#define NAME_BYTES      256
#define PROTOTYPE_BYTES 1024

/* A list of replies that is being made. */
struct listing {
	struct deferred_work *work;
	struct json_object *points; /* of the reply that is being filled; not owned */
	bool failed;                /* out of memory */
};

bool points_match(const char *pattern, const char *group, const char *name)
{
	char full[NAME_BYTES];

	snprintf(full, sizeof(full), "tracepoint:%s:%s", group, name);
	return !fnmatch(pattern, name, 0) || !fnmatch(pattern, full, 0) ||
	       !fnmatch(pattern, full + sizeof("tracepoint:") - 1, 0);
}

/* The array of points in a new reply, or NULL. */
static struct json_object *add_reply(struct json_object *replies)
{
	struct json_object *reply = json_object_new_object(), *points = json_object_new_array();
	bool ok = jsonmake_add(reply, "points", points);

	return jsonmake_append(replies, reply) && ok ? points : NULL;
}

/* argument: from 1; 0 with a reason: it cannot be traced. */
static void add_point(struct listing *l, const char *name, const char *prototype, int argument,
		      const char *reason)
{
	struct json_object *point = json_object_new_object();

	if (l->points && l->work->more && json_object_array_length(l->points) == QUOTA_POINTS_REPLY)
		l->points = add_reply(l->work->replies);
	if (l->points && jsonmake_text(point, "name", name) &&
	    jsonmake_text(point, "prototype", prototype) &&
	    jsonmake_number(point, "argument", argument) &&
	    jsonmake_text(point, "reason", reason) && jsonmake_append(l->points, point))
		return;
	l->failed = true;
}

static void add_tracepoints(struct listing *l, const struct btf *btf,
			    const struct tracepoint_list *list)
{
	char name[NAME_BYTES], prototype[PROTOTYPE_BYTES];

	for (size_t i = 0; i < list->count && !l->failed; i++) {
		const struct tracepoint *tp = &list->items[i];
		bool has_skb = tp->skb != TRACEPOINT_NO_ARG;

		if (l->work->text && !points_match(l->work->text, tp->group, tp->name))
			continue;
		snprintf(name, sizeof(name), "tracepoint:%s:%s", tp->group, tp->name);
		tracepoint_prototype(btf, tp, prototype, sizeof(prototype));
		add_point(l, name, prototype, has_skb ? tp->skb + 1 : 0,
			  has_skb ? NULL : tp->btf_id ? NO_SKB : NO_TYPE);
	}
}

static void add_functions(struct listing *l, const struct function_list *functions,
			  const char *module, bool hooks)
{
	struct sites *sites = l->work->kernel->sites;
	char name[NAME_BYTES], prototype[PROTOTYPE_BYTES];

	for (size_t i = 0; i < functions->count && !l->failed; i++) {
		const struct function *f = &functions->items[i];
		const char *asked = name, *reason = NULL;
		bool traceable;

		snprintf(name, sizeof(name), "%s%s%s", module, *module ? ":" : "", f->name);
		if (l->work->text && fnmatch(l->work->text, name, 0) &&
		    fnmatch(l->work->text, f->name, 0))
			continue;
		if (!hooks)
			reason = NO_HOOKS;
		else if (!sites_traceable(sites, &asked, 1, &traceable) && !traceable)
			reason = UNTRACEABLE;
		if (function_prototype(f, prototype, sizeof(prototype)) < 0)
			snprintf(prototype, sizeof(prototype), "%s(...)", f->name);
		add_point(l, name, prototype, reason ? 0 : f->skb + 1, reason);
	}
}

static void add_all_functions(struct listing *l, const struct kernel *k)
{
	bool hooks = !hooktrial_fentry(k) || !hooktrial_kprobe(k);
	struct module_set modules;

	if (module_set_open(&modules, k->btf)) {
		l->failed = true;
		return;
	}
	sites_update(k->sites, &modules);
	add_functions(l, &k->functions, "", hooks);
	for (size_t i = 0; i < modules.count; i++)
		add_functions(l, &modules.items[i].list, modules.items[i].name, hooks);
	module_set_close(&modules);
}

static void list_points(struct deferred_work *work, const struct btf *btf,
			const struct tracepoint_index *index)
{
	struct listing l = { .work = work };
	struct tracepoint_list tracepoints;

	if (tracepoint_list(index, &tracepoints, work->why, sizeof(work->why)))
		return;
	work->replies = json_object_new_array();
	l.points = work->replies ? add_reply(work->replies) : NULL;
	l.failed = !l.points;
	add_tracepoints(&l, btf, &tracepoints);
	tracepoint_list_clear(&tracepoints);
	if (!l.failed && work->kernel->templates)
		add_all_functions(&l, work->kernel);
	if (!l.failed)
		return;
	json_object_put(work->replies);
	work->replies = NULL;
	snprintf(work->why, sizeof(work->why), "no memory for the list of trace points");
}

/* Types are all that is needed, and they may be readable when nothing else works. */
static void list_by_own_types(struct deferred_work *work)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct tracepoint_index *index = btf ? tracepoint_index_new(btf) : NULL;

	if (index)
		list_points(work, btf, index);
	else
		snprintf(work->why, sizeof(work->why),
			 "the kernel's type information (/sys/kernel/btf/vmlinux) cannot be read; "
			 "netcapctl features says what is missing");
	tracepoint_index_free(index);
	btf__free(btf);
}

void points_run(struct deferred_work *work)
{
	if (work->kernel->tracepoints)
		list_points(work, work->kernel->btf, work->kernel->tracepoints);
	else
		list_by_own_types(work);
}
