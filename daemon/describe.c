/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "daemon/describe.h"
#include "daemon/stream.h"
#include "pcapng.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Names come from the kernel in fixed fields that may be full. */
static const char *bounded(char *to, const char *from, size_t len)
{
	memcpy(to, from, len);
	to[len] = 0;
	return *to ? to : NULL;
}

/* What the kernel puts between a tracepoint and a BPF program, and the program itself. */
static bool is_tracer(const char *frame)
{
	static const char *const prefixes[] = { "bpf_prog_",	 "bpf_trace_run", "__traceiter_",
						"__bpf_trace_",	 "bpf_get_stack", "__bpf_get_stack",
						"trace_call_bpf", "0x" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(frame, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static void describe_stack(const struct netcap_record *r, const struct symbols *s,
			   struct describe_store *store, struct meta *m)
{
	unsigned count = r->stack_bytes / sizeof(r->stack[0]);

	if (count > META_MAX_FRAMES)
		count = META_MAX_FRAMES;
	for (unsigned i = 0; i < count; i++) {
		const char *name = symbols_name(s, r->stack[i], store->frames[m->frames],
						DESCRIBE_NAME_BYTES);

		if (s && !m->frames && is_tracer(name))
			continue;
		m->stack[m->frames++] = name;
	}
}

static const char *const made_names[] = { "ip", "ip-length", "tcp", "udp" };  /* enum netcap_made */
static const char *const tunnel_names[] = { "", "ipip", "gre", "vxlan", "geneve" }; /* enum netcap_tunnel */

/* The names of the bits, joined by "+"; NULL for none. text has room for all. */
static const char *bit_names(uint8_t bits, const char *const *names, size_t count, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (bits & 1U << i)
			used += snprintf(text + used, size - used, "%s%s", used ? "+" : "", names[i]);
	return used ? text : NULL;
}

void describe_record(const struct netcap_record *r, const struct probe *p, const struct kernel *k,
		     const struct symbols *s, struct describe_store *store, struct meta *m)
{
	memset(m, 0, offsetof(struct meta, stack));
	m->point = p->text;
	if (probe_is_drop(p) && r->reason)
		m->reason = kernel_reason(k, r->reason, store->reason, sizeof(store->reason));
	if (r->location && !(r->flags & NETCAP_F_CALL))
		m->location = symbols_name(s, r->location, store->location,
					   sizeof(store->location));
	m->dev = bounded(store->dev, r->dev, NETCAP_DEV_LEN);
	m->comm = bounded(store->comm, r->comm, NETCAP_COMM_LEN);
	m->link = r->link <= NETCAP_LINK_NONE ? pcapng_link_name(stream_link(r)) : NULL;
	m->made = bit_names(r->made, made_names, COUNT(made_names), store->made, sizeof(store->made));
	m->tunnel = bit_names(r->tunnels, tunnel_names, COUNT(tunnel_names), store->tunnel,
			      sizeof(store->tunnel));
	m->ifindex = probe_is_process(p) ? 0 : r->ifindex; /* there it only tells ports apart */
	m->netns = r->netns;
	m->cpu = r->cpu;
	m->pid = r->pid;
	m->tid = r->tid;
	m->mark = r->mark;
	m->protocol = r->protocol;
	m->skb = r->skb;
	m->track = r->track;
	m->partial = !!(r->flags & NETCAP_F_PARTIAL);
	if (r->flags & NETCAP_F_STACK)
		describe_stack(r, s, store, m);
}

void describe_user(const struct netcap_record *r, const struct usercode *user, struct describe_store *store,
		   struct meta *m)
{
	size_t slots = r->flags & NETCAP_F_STACK ? NETCAP_STACK_FRAMES : 0;

	if (r->flags & NETCAP_F_USER && usercode_text(user, r->stack + slots, store->user, sizeof(store->user)))
		m->user = store->user;
}

void describe_return(const struct netcap_record *r, const struct probe *p, const struct netcap_return *back,
		     struct describe_store *store, struct meta *m)
{
	m->ret = returned_text(&p->returned, back->value, store->ret, sizeof(store->ret));
	/* the kernel's clock may stand still, or step back a little between CPUs; 0 means "not seen" */
	m->took_ns = back->time_ns > r->time_ns ? back->time_ns - r->time_ns : 1;
}
