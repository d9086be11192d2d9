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
#include "daemon/programpoint.h"
#include "daemon/quota.h"
#include "daemon/sites.h"
#include "daemon/tracepoint.h"

#define NO_SKB      "it carries no struct sk_buff"
#define NO_TYPE     "its arguments are not in the kernel's type information; say which with @N"
#define NO_PROGRAM_TYPE "it has no type information: compile it with clang -g"
#define NO_HOOKS    "this kernel has no way to attach to it (netcapctl features says more)"
#define UNTRACEABLE "the kernel does not let it be traced: it is inlined, or part of the tracer"

#define NAME_BYTES      256
#define PROTOTYPE_BYTES 1024

/* A list of replies that is being made. */
struct listing {
	struct deferred_work *work;
	struct json_object *points; /* of the reply that is being filled; not owned */
	bool fentry, fexit, kprobe_multi, kprobe; /* does the kernel have them? */
	bool failed;                /* out of memory */
};

/* A trace point. argument is from 1; 0 with a reason: it cannot be traced. */
struct listed {
	const char *name;
	const char *prototype;
	int argument;
	const char *reason;
	struct json_object *hooks; /* what it can be attached by; owned */
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

static void add_point(struct listing *l, struct listed *p)
{
	struct json_object *point = json_object_new_object();
	bool ok;

	if (l->points && l->work->more && json_object_array_length(l->points) == QUOTA_POINTS_REPLY)
		l->points = add_reply(l->work->replies);
	ok = jsonmake_add(point, "hooks", p->hooks) && jsonmake_text(point, "name", p->name) &&
	     jsonmake_text(point, "prototype", p->prototype) &&
	     jsonmake_number(point, "argument", p->argument) &&
	     jsonmake_text(point, "reason", p->reason);
	if (!jsonmake_append(l->points, jsonmake_whole(point, ok)))
		l->failed = true;
}

static void add_hook(struct json_object *hooks, bool there, enum template_hook hook)
{
	if (there)
		jsonmake_append(hooks, json_object_new_string(template_hook_name(hook)));
}

static struct json_object *tracepoint_hooks(const struct tracepoint *tp)
{
	struct json_object *hooks = json_object_new_array();

	add_hook(hooks, tp->skb != TRACEPOINT_NO_ARG,
		 tp->btf_id ? TEMPLATE_TP_BTF : TEMPLATE_RAW_TP);
	return hooks;
}

static void add_tracepoints(struct listing *l, const struct btf *btf,
			    const struct tracepoint_list *list)
{
	char name[NAME_BYTES], prototype[PROTOTYPE_BYTES];

	for (size_t i = 0; i < list->count && !l->failed; i++) {
		const struct tracepoint *tp = &list->items[i];
		bool has_skb = tp->skb != TRACEPOINT_NO_ARG;
		struct listed point = {
			.name = name,
			.prototype = prototype,
			.argument = has_skb ? tp->skb + 1 : 0,
			.reason = has_skb ? NULL : tp->btf_id ? NO_SKB : NO_TYPE,
		};

		if (l->work->text && !points_match(l->work->text, tp->group, tp->name))
			continue;
		snprintf(name, sizeof(name), "tracepoint:%s:%s", tp->group, tp->name);
		tracepoint_prototype(btf, tp, prototype, sizeof(prototype));
		point.hooks = tracepoint_hooks(tp);
		add_point(l, &point);
	}
}

/* By programs of its own (typed: its type can be named to the kernel), and by shared ones. */
static void set_function_hooks(const struct listing *l, struct listed *p, bool typed)
{
	struct sites *sites = l->work->kernel->sites;
	bool alone = typed && !sites_are_several(sites, p->name), traceable;

	p->hooks = json_object_new_array();
	if (!sites_traceable(sites, &p->name, 1, &traceable) && !traceable) {
		p->reason = UNTRACEABLE;
		return;
	}
	add_hook(p->hooks, alone && l->fentry, TEMPLATE_FENTRY);
	add_hook(p->hooks, alone && l->fexit, TEMPLATE_FEXIT);
	add_hook(p->hooks, l->kprobe_multi, TEMPLATE_KPROBE_MULTI);
	add_hook(p->hooks, l->kprobe, TEMPLATE_KPROBE_ONE);
	if (!p->hooks || !json_object_array_length(p->hooks))
		p->reason = NO_HOOKS;
}

/* Is a function with such packets meant by the pattern? */
static bool is_meant(const struct listing *l, const struct function *f, const char *name)
{
	const char *pattern = l->work->text;

	return function_packet(f, l->work->xdp) != FUNCTION_NO_ARG &&
	       (!pattern || !fnmatch(pattern, name, 0) || !fnmatch(pattern, f->name, 0));
}

static void add_functions(struct listing *l, const struct function_list *functions,
			  const char *module, bool typed)
{
	char name[NAME_BYTES], prototype[PROTOTYPE_BYTES];

	for (size_t i = 0; i < functions->count && !l->failed; i++) {
		const struct function *f = &functions->items[i];
		struct listed point = { .name = name, .prototype = prototype };

		snprintf(name, sizeof(name), "%s%s%s", module, *module ? ":" : "", f->name);
		if (!is_meant(l, f, name))
			continue;
		if (function_prototype(f, prototype, sizeof(prototype)) < 0)
			snprintf(prototype, sizeof(prototype), "%s(...)", f->name);
		set_function_hooks(l, &point, typed);
		point.argument = point.reason ? 0 : function_packet(f, l->work->xdp) + 1;
		add_point(l, &point);
	}
}

static void add_all_functions(struct listing *l, const struct kernel *k)
{
	struct module_set modules;

	l->fentry = !hooktrial_fentry(k);
	l->fexit = !hooktrial_fexit(k);
	l->kprobe_multi = !hooktrial_kprobe_multi(k);
	l->kprobe = !hooktrial_kprobe(k);

	if (module_set_open(&modules, k->btf)) {
		l->failed = true;
		return;
	}
	sites_update(k->sites, &modules);
	add_functions(l, &k->functions, "", true);
	for (size_t i = 0; i < modules.count; i++)
		add_functions(l, &modules.items[i].list, modules.items[i].name,
			      modules.items[i].fd >= 0);
	module_set_close(&modules);
}

/* Without CAP_SYS_ADMIN none can be seen, and none is listed. */
static void add_programs(struct listing *l)
{
	char name[NAME_BYTES], prototype[PROTOTYPE_BYTES];
	struct program_set programs;

	if (program_set_open(&programs))
		return;
	for (size_t i = 0; i < programs.count && !l->failed; i++) {
		const struct program *p = &programs.items[i];
		struct listed point = { .name = name, .prototype = prototype };

		programpoint_format(POINTNAME_PROG, p, name, sizeof(name));
		if (p->xdp != l->work->xdp || (l->work->text && fnmatch(l->work->text, name, 0) &&
					       fnmatch(l->work->text, p->name, 0)))
			continue;
		if (!p->btf || function_prototype(&p->function, prototype, sizeof(prototype)) < 0)
			snprintf(prototype, sizeof(prototype), "%s(...)", p->name);
		point.hooks = json_object_new_array();
		add_hook(point.hooks, p->btf && l->fentry, TEMPLATE_FENTRY);
		add_hook(point.hooks, p->btf && l->fexit, TEMPLATE_FEXIT);
		point.reason = !p->btf ? NO_PROGRAM_TYPE : !l->fentry && !l->fexit ? NO_HOOKS : NULL;
		point.argument = point.reason ? 0 : 1;
		add_point(l, &point);
	}
	program_set_close(&programs);
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
	if (!work->xdp) /* no tracepoint carries one */
		add_tracepoints(&l, btf, &tracepoints);
	tracepoint_list_clear(&tracepoints);
	if (!l.failed && work->kernel->templates)
		add_all_functions(&l, work->kernel);
	if (!l.failed && work->kernel->templates)
		add_programs(&l);
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
