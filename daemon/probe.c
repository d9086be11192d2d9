/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon/probe.h"

#define PROTOTYPE_BYTES 320

__attribute__((format(printf, 3, 4))) static void fail(struct probe *p, enum probe_error error,
						       const char *format, ...)
{
	va_list arguments;

	p->error = error;
	va_start(arguments, format);
	vsnprintf(p->why, sizeof(p->why), format, arguments);
	va_end(arguments);
}

static void suggest(struct probe *p, const struct kernel *k, const struct pointname *name)
{
	const struct tracepoint *nearest[PROBE_NEAREST];
	struct tracepoint_list list;
	char why[PROBE_WHY_BYTES];
	size_t count;

	if (tracepoint_list(k->tracepoints, &list, why, sizeof(why)))
		return;
	count = tracepoint_nearest(&list, name->group, name->name, nearest, PROBE_NEAREST);
	for (size_t i = 0; i < count; i++)
		snprintf(p->nearest[i], sizeof(p->nearest[i]), "tracepoint:%s:%s",
			 nearest[i]->group, nearest[i]->name);
	p->nearest_count = count;
	tracepoint_list_clear(&list);
}

/* Which argument is the skb: the one that @N names, else the first that BTF says is one. */
static void choose_argument(struct probe *p, const struct kernel *k, const struct pointname *name)
{
	char prototype[PROTOTYPE_BYTES];

	if (tracepoint_prototype(k->btf, &p->tp, prototype, sizeof(prototype)) < 0)
		snprintf(prototype, sizeof(prototype), "%s(...)", p->tp.name);
	p->skb = name->arg ? name->arg - 1 : p->tp.skb;
	if (!p->tp.btf_id) {
		/* a module's tracepoint: BTF cannot say, the user must */
		p->kind = TEMPLATE_RAW_TP;
		if (!name->arg)
			fail(p, PROBE_REFUSED,
			     "the kernel has no type information for %s: say which argument is the "
			     "skb, as in %s@1",
			     p->text, p->text);
		return;
	}
	p->kind = TEMPLATE_TP_BTF;
	if (!name->arg && p->skb == TRACEPOINT_NO_ARG)
		fail(p, PROBE_REFUSED, "%s carries no struct sk_buff: its prototype is %s", p->text,
		     prototype);
	else if (name->arg > p->tp.args)
		fail(p, PROBE_REFUSED, "%s has no argument %d: its prototype is %s", p->text,
		     name->arg, prototype);
	else if (!tracepoint_is_skb(k->btf, &p->tp, p->skb))
		fail(p, PROBE_REFUSED,
		     "argument %d of %s is no pointer to a struct sk_buff: its prototype is %s",
		     p->skb + 1, p->text, prototype);
}

void probe_resolve(struct probe *p, const struct kernel *k, const char *text)
{
	struct pointname name;

	memset(p, 0, sizeof(*p));
	p->program = p->link = -1;
	snprintf(p->text, sizeof(p->text), "%s", text);
	if (pointname_parse(text, &name, p->why, sizeof(p->why))) {
		p->error = PROBE_REFUSED;
		return;
	}
	pointname_format(&name, p->text, sizeof(p->text));
	if (name.kind != POINTNAME_TRACEPOINT) {
		fail(p, PROBE_REFUSED,
		     "%s is a kernel function; this version traces tracepoints only, written "
		     "tracepoint:GROUP:NAME (netcapctl points lists them)",
		     p->text);
		return;
	}
	if (tracepoint_find(k->tracepoints, name.group, name.name, &p->tp, p->why,
			    sizeof(p->why))) {
		p->error = PROBE_UNKNOWN;
		suggest(p, k, &name);
		return;
	}
	choose_argument(p, k, &name);
}

void probe_load(struct probe *p, const struct kernel *k, struct template_maps *maps,
		struct netcap_config *config, const struct filter_code *filter)
{
	int r;

	config->skb_arg = p->skb;
	config->location_arg = p->tp.location;
	config->reason_arg = p->tp.reason;
	config->filtered = filter != NULL;
	r = maps_make_config(maps, config);
	if (r) {
		fail(p, PROBE_FAILED, "the kernel made no map for %s: %s", p->text, strerror(-r));
		return;
	}
	r = template_load(k->templates, p->kind, maps, filter, p->tp.btf_id, p->why,
			  sizeof(p->why));
	if (r < 0)
		p->error = PROBE_FAILED;
	else
		p->program = r;
}

void probe_attach(struct probe *p)
{
	/* with BTF the program itself says where it belongs (BPF_RAW_TRACEPOINT_OPEN, Linux 5.5) */
	p->link = bpf_raw_tracepoint_open(p->kind == TEMPLATE_RAW_TP ? p->tp.name : NULL,
					  p->program);
	if (p->link < 0) {
		int error = errno;

		p->link = -1;
		fail(p, PROBE_FAILED, "the kernel did not attach to %s: %s", p->text,
		     strerror(error));
	}
}

void probe_detach(struct probe *p)
{
	if (p->link >= 0)
		close(p->link);
	p->link = -1;
}

uint64_t probe_missed(const struct probe *p)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);

	if (p->program < 0 || bpf_obj_get_info_by_fd(p->program, &info, &length))
		return 0;
	return info.recursion_misses; /* Linux 5.12; 0 before */
}

void probe_close(struct probe *p)
{
	probe_detach(p);
	if (p->program >= 0)
		close(p->program);
	p->program = -1;
}

const char *probe_hook(const struct probe *p)
{
	return p->kind == TEMPLATE_RAW_TP ? "raw_tp" : "tp_btf";
}

bool probe_is_drop(const struct probe *p)
{
	return p->tp.reason != TRACEPOINT_NO_ARG || p->tp.location != TRACEPOINT_NO_ARG;
}
