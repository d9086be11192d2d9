/* SPDX-License-Identifier: BSD-2-Clause */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "daemon/btftype.h"
#include "daemon/functionpoint.h"
#include "daemon/nearest.h"
#include "daemon/sites.h"

#define PROTOTYPE_BYTES 320

/* What holds the packets that are meant, as part of a sentence. */
static const char *holder(bool xdp)
{
	return xdp ? "struct xdp_buff or xdp_frame" : "struct sk_buff";
}

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

/* Is argument (from 0) a packet of XDP? Lists of them, as drivers get them for sending, are none. */
static bool take_xdp(struct probe *p, const struct function *f, unsigned argument)
{
	p->skb = argument;
	p->source = function_xdp(f, argument);
	return p->source != SOURCE_SKB;
}

static bool choose_argument(struct probe *p, const struct function *f, int arg, bool xdp)
{
	if (xdp)
		return take_xdp(p, f, arg ? (unsigned)arg - 1 : f->xdp);
	if (arg)
		return take_argument(p, f, arg - 1);
	if (f->skb != FUNCTION_NO_ARG)
		return take_argument(p, f, f->skb);
	for (unsigned i = 0; i < f->args; i++)
		if (take_argument(p, f, i))
			return true;
	return false;
}

static void refuse_argument(struct probe *p, const struct function *f, int arg, bool xdp)
{
	const char *other = function_packet(f, !xdp) == FUNCTION_NO_ARG ? "" :
			    xdp ? "; netcapctl skb captures there" : "; netcapctl xdp captures there";
	char prototype[PROTOTYPE_BYTES];

	if (function_prototype(f, prototype, sizeof(prototype)) < 0)
		snprintf(prototype, sizeof(prototype), "%s(...)", f->name);
	if (arg > f->args)
		probe_fail(p, PROBE_REFUSED, "%s has no argument %d: its prototype is %s", p->text,
			   arg, prototype);
	else if (arg)
		probe_fail(p, PROBE_REFUSED,
			   "argument %d of %s is no pointer to a %s: its prototype is %s", arg, p->text,
			   holder(xdp), prototype);
	else
		probe_fail(p, PROBE_REFUSED, "%s takes no %s: its prototype is %s%s", p->text,
			   holder(xdp), prototype, other);
}

static void use_function(const struct resolution *r, struct probe *p, const struct function *f,
			 int btf_fd, int arg)
{
	p->btf_id = f->id;
	p->btf_fd = btf_fd;
	p->copies = sites_are_several(r->kernel->sites, p->name);
	returned_init(&p->returned, f);
	p->sock = function_pointer(f, probe_socks);
	p->flow = function_pointer(f, probe_flows);
	if (p->user != NETCAP_NO_ARG && p->user >= f->args)
		refuse_argument(p, f, p->user + 1, r->xdp);
	else if (!choose_argument(p, f, arg, r->xdp))
		refuse_argument(p, f, arg, r->xdp);
	else if (r->xdp)
		p->kind = TEMPLATE_XDP;
	else
		p->kind = p->indirect ? TEMPLATE_UNTYPED : TEMPLATE_TYPED;
}

static void add_matches(struct resolution *r, const struct pointname *name,
			const struct function_list *functions, const char *module, int btf_fd)
{
	struct pointname one = *name;
	struct probe *p;

	snprintf(one.group, sizeof(one.group), "%s", module);
	for (size_t i = 0; i < functions->count && !r->error; i++) {
		if (function_packet(&functions->items[i], r->xdp) == FUNCTION_NO_ARG ||
		    fnmatch(name->name, functions->items[i].name, 0))
			continue;
		snprintf(one.name, sizeof(one.name), "%s", functions->items[i].name);
		p = resolution_add(r, &one);
		if (p)
			use_function(r, p, &functions->items[i], btf_fd, name->arg);
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
	p = resolution_add(r, name);
	if (p)
		probe_fail(p, PROBE_UNKNOWN,
			   "no function that takes a %s matches %s; netcapctl points%s lists them",
			   holder(r->xdp), p->text, r->xdp ? " --xdp" : "");
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

static void suggest_functions(const struct resolution *r, struct probe *p, const struct pointname *name)
{
	const struct function_list *list = &r->kernel->functions;
	struct nearest best;

	nearest_init(&best, PROBE_NEAREST);
	for (size_t i = 0; i < list->count; i++)
		if (function_packet(&list->items[i], r->xdp) != FUNCTION_NO_ARG)
			nearest_offer(&best, name->name, list->items[i].name);
	for (size_t i = 0; i < best.count; i++)
		p->nearest[i] = strdup(best.names[i]);
}

/* A function that has no type information: it exists, or it does not. */
static void use_symbol(const struct resolution *r, struct probe *p, const struct pointname *name)
{
	const char *symbol = p->name;
	struct site_list sites = {};
	int error = sites_find(r->kernel->sites, &symbol, 1, &sites);

	p->kind = TEMPLATE_KPROBE;
	p->skb = name->arg - 1;
	if (!error && !sites.count) {
		probe_fail(p, PROBE_UNKNOWN, "this kernel has no function %s; netcapctl points lists "
			   "what it has", p->name);
		suggest_functions(r, p, name);
	} else if (r->xdp) {
		probe_fail(p, PROBE_REFUSED,
			   "the kernel has no type information for %s, which would say whether it gets a "
			   "struct xdp_buff or a struct xdp_frame", p->text);
	} else if (!name->arg) {
		probe_fail(p, PROBE_REFUSED,
			   "the kernel has no type information for %s: say which argument is the "
			   "skb, as in %s@1",
			   p->text, p->text);
	}
	site_list_clear(&sites);
}

void functionpoint_resolve(struct resolution *r, const struct pointname *name)
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
	p = resolution_add(r, name);
	if (!p)
		return;
	if (find_function(r, name, &f, &btf_fd))
		use_function(r, p, &f, btf_fd, name->arg);
	else
		use_symbol(r, p, name);
}
