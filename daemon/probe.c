/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "daemon/functionpoint.h"
#include "daemon/probe.h"
#include "daemon/processpoint.h"
#include "daemon/programpoint.h"
#include "daemon/resolution.h"
#include "daemon/tracepoint.h"

#define PROTOTYPE_BYTES 320
#define WHY_BYTES       512

const char *const probe_socks[] = { "sock", "tcp_sock", NULL };
const char *const probe_flows[] = { "flowi", "flowi4", "flowi6", NULL };

void probe_fail(struct probe *p, enum probe_error error, const char *format, ...)
{
	va_list arguments;

	free(p->why);
	p->why = NULL;
	p->error = error;
	va_start(arguments, format);
	if (vasprintf(&p->why, format, arguments) < 0)
		p->why = NULL;
	va_end(arguments);
}

void probe_note(struct probe *p, const char *format, ...)
{
	va_list arguments;

	free(p->note);
	va_start(arguments, format);
	if (vasprintf(&p->note, format, arguments) < 0)
		p->note = NULL;
	va_end(arguments);
}

bool probe_is_function(const struct probe *p)
{
	return p->asked != POINTNAME_TRACEPOINT && !probe_is_program(p) && !probe_is_process(p);
}

bool probe_is_process(const struct probe *p)
{
	return p->process != 0;
}

bool probe_is_program(const struct probe *p)
{
	return p->asked == POINTNAME_PROG || p->asked == POINTNAME_PROGEXIT;
}

bool probe_is_return(const struct probe *p)
{
	return p->asked == POINTNAME_FEXIT || p->asked == POINTNAME_PROGEXIT;
}

bool probe_is_drop(const struct probe *p)
{
	return p->reason != NETCAP_NO_ARG || p->location != NETCAP_NO_ARG;
}

/* ---- tracepoints ---- */

static void suggest_tracepoints(struct probe *p, const struct kernel *k, const struct pointname *name)
{
	const struct tracepoint *nearest[PROBE_NEAREST];
	struct tracepoint_list list;
	char why[WHY_BYTES];
	size_t count;

	if (tracepoint_list(k->tracepoints, &list, why, sizeof(why)))
		return;
	count = tracepoint_nearest(&list, name->group, name->name, nearest, PROBE_NEAREST);
	for (size_t i = 0; i < count; i++)
		if (asprintf(&p->nearest[i], "tracepoint:%s:%s", nearest[i]->group,
			     nearest[i]->name) < 0)
			p->nearest[i] = NULL;
	tracepoint_list_clear(&list);
}

/* Which argument is the skb: the one that @N names, else the first that BTF says is one. */
static void use_tracepoint(struct probe *p, const struct kernel *k, const struct tracepoint *tp,
			   int arg)
{
	char prototype[PROTOTYPE_BYTES];

	if (tracepoint_prototype(k->btf, tp, prototype, sizeof(prototype)) < 0)
		snprintf(prototype, sizeof(prototype), "%s(...)", tp->name);
	p->skb = arg ? arg - 1 : tp->skb;
	p->name = strrchr(p->text, ':') + 1;
	p->btf_id = tp->btf_id;
	p->location = tp->location;
	p->reason = tp->reason;
	p->sock = tracepoint_pointer(k->btf, tp, probe_socks);
	p->flow = tracepoint_pointer(k->btf, tp, probe_flows);
	p->has_headers = tracepoint_has_headers(tp);
	p->kind = tp->btf_id ? TEMPLATE_TYPED : TEMPLATE_UNTYPED;
	p->hook = tp->btf_id ? TEMPLATE_TP_BTF : TEMPLATE_RAW_TP;
	if (!tp->btf_id && !arg)
		/* a module's tracepoint: BTF cannot say, the user must */
		probe_fail(p, PROBE_REFUSED,
			   "the kernel has no type information for %s: say which argument is the "
			   "skb, as in %s@1",
			   p->text, p->text);
	else if (!tp->btf_id)
		return;
	else if (!arg && p->skb == TRACEPOINT_NO_ARG)
		probe_fail(p, PROBE_REFUSED, "%s carries no struct sk_buff: its prototype is %s",
			   p->text, prototype);
	else if (arg > tp->args || (p->user != NETCAP_NO_ARG && p->user >= tp->args))
		probe_fail(p, PROBE_REFUSED, "%s has no argument %d: its prototype is %s", p->text,
			   arg > tp->args ? arg : p->user + 1, prototype);
	else if (!tracepoint_is_skb(k->btf, tp, p->skb))
		probe_fail(p, PROBE_REFUSED,
			   "argument %d of %s is no pointer to a struct sk_buff: its prototype is %s",
			   p->skb + 1, p->text, prototype);
}

static void resolve_tracepoint_pattern(struct resolution *r, const struct pointname *name)
{
	struct pointname one = *name;
	struct tracepoint_list all;
	char why[WHY_BYTES];
	size_t before = r->list->count;
	struct probe *p;

	if (tracepoint_list(r->kernel->tracepoints, &all, why, sizeof(why))) {
		p = resolution_add(r, name);
		if (p)
			probe_fail(p, PROBE_REFUSED, "%s", why);
		return;
	}
	for (size_t i = 0; i < all.count && !r->error; i++) {
		const struct tracepoint *tp = &all.items[i];

		if (tp->skb == TRACEPOINT_NO_ARG || fnmatch(name->group, tp->group, 0) ||
		    fnmatch(name->name, tp->name, 0))
			continue;
		snprintf(one.group, sizeof(one.group), "%s", tp->group);
		snprintf(one.name, sizeof(one.name), "%s", tp->name);
		p = resolution_add(r, &one);
		if (p)
			use_tracepoint(p, r->kernel, tp, name->arg);
	}
	tracepoint_list_clear(&all);
	if (r->list->count > before || r->error)
		return;
	p = resolution_add(r, name);
	if (p)
		probe_fail(p, PROBE_UNKNOWN, "no tracepoint that carries a struct sk_buff matches %s",
			   p->text);
}

static void resolve_tracepoint(struct resolution *r, const struct pointname *name)
{
	struct tracepoint tp;
	char why[WHY_BYTES];
	struct probe *p;

	if (r->xdp) {
		p = resolution_add(r, name);
		if (p)
			probe_fail(p, PROBE_REFUSED,
				   "%s is a tracepoint, and none carries a packet of XDP: give a function; "
				   "netcapctl points --xdp lists them",
				   p->text);
		return;
	}
	if (pointname_is_pattern(name)) {
		resolve_tracepoint_pattern(r, name);
		return;
	}
	p = resolution_add(r, name);
	if (!p)
		return;
	if (!tracepoint_find(r->kernel->tracepoints, name->group, name->name, &tp, why,
			     sizeof(why))) {
		use_tracepoint(p, r->kernel, &tp, name->arg);
		return;
	}
	probe_fail(p, PROBE_UNKNOWN, "%s", why);
	suggest_tracepoints(p, r->kernel, name);
}

/* ---- lists ---- */

static void resolve(struct resolution *r, const char *text)
{
	struct pointname name;
	char why[WHY_BYTES];
	struct probe *p;
	bool bad = pointname_parse(text, &name, why, sizeof(why));

	r->xdp = r->all_xdp || (!bad && name.packets == POINTNAME_XDP);
	if (bad) {
		memset(&name, 0, sizeof(name));
		snprintf(name.name, sizeof(name.name), "%s", text);
		p = resolution_add(r, &name);
		if (p)
			probe_fail(p, PROBE_REFUSED, "%s", why);
	} else if (pointname_is_process(&name)) {
		processpoint_resolve(r, &name);
	} else if (name.arg2 && !r->user) {
		p = resolution_add(r, &name);
		if (p)
			probe_fail(p, PROBE_REFUSED,
				   "%s has two argument positions, and the second one is for user code, which was not given: "
				   "leave it out",
				   p->text);
	} else if (name.kind == POINTNAME_TRACEPOINT) {
		resolve_tracepoint(r, &name);
	} else if (name.kind == POINTNAME_PROG || name.kind == POINTNAME_PROGEXIT) {
		programpoint_resolve(r, &name);
	} else {
		functionpoint_resolve(r, &name);
	}
}

int probe_list_resolve(struct probe_list *list, const struct kernel *k,
		       const struct module_set *modules, const struct spec *spec)
{
	const struct jsonstrict_strings *texts = &spec->points;
	struct resolution r = { .list = list, .kernel = k, .modules = modules, .all_xdp = spec_is_xdp(spec),
				.user = spec->user_code != NULL, .spec = spec };

	memset(list, 0, sizeof(*list));
	for (size_t i = 0; i < texts->count && !r.error; i++) {
		r.before = list->count;
		r.entry = i;
		resolve(&r, texts->items[i]);
	}
	program_set_keep_used(&list->programs);
	if (r.error)
		probe_list_clear(list);
	return r.error;
}

void probe_list_clear(struct probe_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].text);
		free(list->items[i].why);
		free(list->items[i].note);
		for (int j = 0; j < PROBE_NEAREST; j++)
			free(list->items[i].nearest[j]);
	}
	free(list->items);
	program_set_close(&list->programs);
	memset(list, 0, sizeof(*list));
}
