/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "daemon/btftype.h"
#include "daemon/nearest.h"
#include "daemon/probe.h"
#include "daemon/sites.h"
#include "daemon/tracepoint.h"

#define PROTOTYPE_BYTES 320
#define WHY_BYTES       512

/* Types of arguments that say where a packet goes whose headers are not written yet. */
static const char *const probe_socks[] = { "sock", "tcp_sock", NULL };
static const char *const probe_flows[] = { "flowi", "flowi4", "flowi6", NULL };

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
	return p->asked != POINTNAME_TRACEPOINT;
}

bool probe_is_return(const struct probe *p)
{
	return p->asked == POINTNAME_FEXIT;
}

bool probe_is_drop(const struct probe *p)
{
	return p->reason != NETCAP_NO_ARG || p->location != NETCAP_NO_ARG;
}

/* What all the functions below work on. */
struct resolution {
	struct probe_list *list;
	const struct kernel *kernel;
	const struct module_set *modules;
	size_t before; /* trace points of the texts before this one */
	int error;     /* out of memory, too many */
};

/* Patterns overlap: what an earlier one gave is not given again. */
static bool is_there(const struct resolution *r, const char *text)
{
	for (size_t i = 0; i < r->before; i++)
		if (!strcmp(r->list->items[i].text, text))
			return true;
	return false;
}

/* A new trace point at the end of the list, or NULL: it is there already, or r->error says why. */
static struct probe *add(struct resolution *r, const struct pointname *name)
{
	struct probe_list *list = r->list;
	char text[PROBE_TEXT_BYTES];
	struct probe *p;

	pointname_format(name, text, sizeof(text));
	if (is_there(r, text))
		return NULL;
	if (list->count == PROBE_MOST) {
		r->error = -E2BIG;
		return NULL;
	}
	if (list->count % 64 == 0) {
		struct probe *more = realloc(list->items, (list->count + 64) * sizeof(*more));

		if (!more) {
			r->error = -ENOMEM;
			return NULL;
		}
		list->items = more;
	}
	p = &list->items[list->count];
	memset(p, 0, sizeof(*p));
	p->location = p->reason = p->sock = p->flow = NETCAP_NO_ARG;
	p->asked = name->kind;
	p->text = strdup(text);
	if (!p->text) {
		r->error = -ENOMEM;
		return NULL;
	}
	p->name = p->text;
	if (name->kind != POINTNAME_FUNCTION)
		p->name = strchr(p->text, ':') + 1;
	list->count++;
	return p;
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
	else if (arg > tp->args)
		probe_fail(p, PROBE_REFUSED, "%s has no argument %d: its prototype is %s", p->text,
			   arg, prototype);
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
		p = add(r, name);
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
		p = add(r, &one);
		if (p)
			use_tracepoint(p, r->kernel, tp, name->arg);
	}
	tracepoint_list_clear(&all);
	if (r->list->count > before || r->error)
		return;
	p = add(r, name);
	if (p)
		probe_fail(p, PROBE_UNKNOWN, "no tracepoint that carries a struct sk_buff matches %s",
			   p->text);
}

static void resolve_tracepoint(struct resolution *r, const struct pointname *name)
{
	struct tracepoint tp;
	char why[WHY_BYTES];
	struct probe *p;

	if (pointname_is_pattern(name)) {
		resolve_tracepoint_pattern(r, name);
		return;
	}
	p = add(r, name);
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

/* ---- functions ---- */

/* Has the structure that this argument points to a member struct sk_buff *? Then *at is its place. */
static bool holds_skb(const struct function *f, unsigned argument, uint16_t *at)
{
	const struct btf_type *proto = function_proto(f);
	const struct btf_type *t;

	t = btf__type_by_id(f->btf, btftype_strip(f->btf, btf_params(proto)[argument].type));
	if (!t || !btf_is_ptr(t))
		return false;
	t = btf__type_by_id(f->btf, btftype_strip(f->btf, t->type));
	if (!t || !btf_is_struct(t))
		return false;
	for (int i = 0; i < btf_vlen(t); i++) {
		uint32_t bit = btf_member_bit_offset(t, i);

		if (!btftype_is_pointer_to(f->btf, btf_members(t)[i].type, "sk_buff") ||
		    bit / 8 > UINT16_MAX)
			continue;
		*at = bit / 8;
		return true;
	}
	return false;
}

/* Is argument (from 0) an skb, or something that leads to one? */
static bool take_argument(struct probe *p, const struct function *f, unsigned argument)
{
	if (argument >= f->args)
		return false;
	p->skb = argument;
	p->indirect_at = 0;
	if (function_is_skb(f, argument, &p->indirect))
		return true;
	p->indirect = holds_skb(f, argument, &p->indirect_at);
	return p->indirect;
}

static bool choose_argument(struct probe *p, const struct function *f, int arg)
{
	if (arg)
		return take_argument(p, f, arg - 1);
	if (f->skb != FUNCTION_NO_ARG)
		return take_argument(p, f, f->skb);
	for (unsigned i = 0; i < f->args; i++)
		if (take_argument(p, f, i))
			return true;
	return false;
}

static void use_function(struct probe *p, const struct kernel *k, const struct function *f,
			 int btf_fd, int arg)
{
	char prototype[PROTOTYPE_BYTES];

	p->btf_id = f->id;
	p->btf_fd = btf_fd;
	p->copies = sites_are_several(k->sites, p->name);
	returned_init(&p->returned, f);
	p->sock = function_pointer(f, probe_socks);
	p->flow = function_pointer(f, probe_flows);
	if (choose_argument(p, f, arg)) {
		p->kind = p->indirect ? TEMPLATE_UNTYPED : TEMPLATE_TYPED;
		return;
	}
	if (function_prototype(f, prototype, sizeof(prototype)) < 0)
		snprintf(prototype, sizeof(prototype), "%s(...)", f->name);
	if (arg > f->args)
		probe_fail(p, PROBE_REFUSED, "%s has no argument %d: its prototype is %s", p->text,
			   arg, prototype);
	else if (arg)
		probe_fail(p, PROBE_REFUSED,
			   "argument %d of %s is no pointer to a struct sk_buff: its prototype is %s",
			   arg, p->text, prototype);
	else
		probe_fail(p, PROBE_REFUSED, "%s takes no struct sk_buff: its prototype is %s",
			   p->text, prototype);
}

static void add_matches(struct resolution *r, const struct pointname *name,
			const struct function_list *functions, const char *module, int btf_fd)
{
	struct pointname one = *name;
	struct probe *p;

	snprintf(one.group, sizeof(one.group), "%s", module);
	for (size_t i = 0; i < functions->count && !r->error; i++) {
		if (fnmatch(name->name, functions->items[i].name, 0))
			continue;
		snprintf(one.name, sizeof(one.name), "%s", functions->items[i].name);
		p = add(r, &one);
		if (p)
			use_function(p, r->kernel, &functions->items[i], btf_fd, name->arg);
	}
}

static void resolve_function_pattern(struct resolution *r, const struct pointname *name)
{
	size_t before = r->list->count;
	struct probe *p;

	if (!*name->group)
		add_matches(r, name, &r->kernel->functions, "", 0);
	for (size_t i = 0; i < r->modules->count; i++) {
		const struct module *m = &r->modules->items[i];

		if (!*name->group || !fnmatch(name->group, m->name, 0))
			add_matches(r, name, &m->list, m->name, m->fd);
	}
	if (r->list->count > before || r->error)
		return;
	p = add(r, name);
	if (p)
		probe_fail(p, PROBE_UNKNOWN,
			   "no function that takes a struct sk_buff matches %s; netcapctl points "
			   "lists them",
			   p->text);
}

/* Looks in the kernel and in its modules. False: BTF knows no such function. */
static bool find_function(const struct resolution *r, const struct pointname *name,
			  struct function *f, int *btf_fd)
{
	const struct function *known = function_list_find(&r->kernel->functions, name->name);

	*btf_fd = 0;
	if (!*name->group && known) {
		*f = *known;
		return true;
	}
	if (!*name->group && !function_find(r->kernel->btf, NULL, name->name, f))
		return true;
	for (size_t i = 0; i < r->modules->count; i++) {
		const struct module *m = &r->modules->items[i];

		*btf_fd = m->fd;
		if ((!*name->group || !strcmp(name->group, m->name)) &&
		    !function_find(m->btf, r->kernel->btf, name->name, f))
			return true;
	}
	return false;
}

static void suggest_functions(struct probe *p, const struct kernel *k, const struct pointname *name)
{
	struct nearest best;

	nearest_init(&best, PROBE_NEAREST);
	for (size_t i = 0; i < k->functions.count; i++)
		nearest_offer(&best, name->name, k->functions.items[i].name);
	for (size_t i = 0; i < best.count; i++)
		p->nearest[i] = strdup(best.names[i]);
}

/* A function that has no type information: it exists, or it does not. */
static void use_symbol(struct probe *p, const struct kernel *k, const struct pointname *name)
{
	const char *symbol = p->name;
	struct site_list sites = {};
	int error = sites_find(k->sites, &symbol, 1, &sites);

	p->kind = TEMPLATE_KPROBE;
	p->skb = name->arg - 1;
	if (!error && !sites.count) {
		probe_fail(p, PROBE_UNKNOWN, "this kernel has no function %s; netcapctl points lists "
			   "what it has", p->name);
		suggest_functions(p, k, name);
	} else if (!name->arg) {
		probe_fail(p, PROBE_REFUSED,
			   "the kernel has no type information for %s: say which argument is the "
			   "skb, as in %s@1",
			   p->text, p->text);
	}
	site_list_clear(&sites);
}

static void resolve_function(struct resolution *r, const struct pointname *name)
{
	struct function f;
	struct probe *p;
	int btf_fd;

	/* where addresses cannot be read, attaching by them says so */
	sites_update(r->kernel->sites, r->modules);
	if (pointname_is_pattern(name)) {
		resolve_function_pattern(r, name);
		return;
	}
	p = add(r, name);
	if (!p)
		return;
	if (find_function(r, name, &f, &btf_fd))
		use_function(p, r->kernel, &f, btf_fd, name->arg);
	else
		use_symbol(p, r->kernel, name);
}

/* ---- lists ---- */

static void resolve(struct resolution *r, const char *text)
{
	struct pointname name;
	char why[WHY_BYTES];
	struct probe *p;

	if (pointname_parse(text, &name, why, sizeof(why))) {
		memset(&name, 0, sizeof(name));
		snprintf(name.name, sizeof(name.name), "%s", text);
		p = add(r, &name);
		if (p)
			probe_fail(p, PROBE_REFUSED, "%s", why);
	} else if (name.arg2) {
		/* for user code and functions of user space, which are not there yet */
		p = add(r, &name);
		if (p)
			probe_fail(p, PROBE_REFUSED,
				   "%s has two argument positions: this version uses one, leave the "
				   "second out",
				   p->text);
	} else if (name.kind == POINTNAME_TRACEPOINT) {
		resolve_tracepoint(r, &name);
	} else {
		resolve_function(r, &name);
	}
}

int probe_list_resolve(struct probe_list *list, const struct kernel *k,
		       const struct module_set *modules, const struct jsonstrict_strings *texts)
{
	struct resolution r = { .list = list, .kernel = k, .modules = modules };

	memset(list, 0, sizeof(*list));
	for (size_t i = 0; i < texts->count && !r.error; i++) {
		r.before = list->count;
		resolve(&r, texts->items[i]);
	}
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
	memset(list, 0, sizeof(*list));
}
