/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "daemon/processpoint.h"

#define WHY_BYTES 512

/* An mbuf, an array of them, or bytes: the prefix and the number of arguments tell. */
static enum netcap_process packets_of(const struct pointname *name)
{
	if (name->packets == POINTNAME_RAW)
		return NETCAP_PROCESS_BYTES;
	return name->arg2 || name->kind == POINTNAME_URETPROBE ? NETCAP_PROCESS_MBUFS : NETCAP_PROCESS_MBUF;
}

static enum template_hook hook_of(const struct pointname *name)
{
	switch (name->kind) {
	case POINTNAME_URETPROBE:
		return TEMPLATE_URETPROBE;
	case POINTNAME_USDT:
		return TEMPLATE_USDT;
	default:
		return TEMPLATE_UPROBE;
	}
}

/* Has each of its places what it needs? Sites are checked for grammar already. */
static bool check_sites(struct probe *p, const struct spec *spec)
{
	bool any = false, length = p->process != NETCAP_PROCESS_MBUF;

	for (size_t i = 0; i < spec->sites.count; i++) {
		const struct uprobesite *s = &spec->sites.items[i];

		if (s->point != p->entry)
			continue;
		any = true;
		if (length && !s->length)
			probe_fail(p, PROBE_REFUSED, "a site of %s has no length, which says how many packets or bytes there are", p->text);
		if (s->is_return != (p->hook == TEMPLATE_URETPROBE))
			probe_fail(p, PROBE_REFUSED, "a site of %s is %s return, and the name says otherwise", p->text,
				   s->is_return ? "a" : "no");
	}
	if (!any)
		probe_fail(p, PROBE_REFUSED,
			   "%s is in user space, and the request has no sites for it: netcapctl finds them", p->text);
	return p->error == PROBE_OK;
}

void processpoint_resolve(struct resolution *r, const struct pointname *name)
{
	struct probe *p = resolution_add(r, name);
	char why[WHY_BYTES];

	if (!p)
		return;
	p->kind = TEMPLATE_PROCESS;
	p->hook = hook_of(name);
	p->process = packets_of(name);
	p->skb = name->arg ? name->arg - 1 : 0;
	p->user = NETCAP_NO_ARG;
	p->entry = r->entry;
	p->has_headers = true;
	p->because = "there is no other way to attach in user space";
	if (check_sites(p, r->spec) && template_set_need_process(r->kernel->templates, why, sizeof(why)))
		probe_fail(p, PROBE_FAILED, "%s", why);
}
