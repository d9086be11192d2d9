/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "daemon/sample.h"

static char point_text[] = SAMPLE_POINT;

/* What describe_record() asks of a trace point. */
static const struct probe point = {
	.text = point_text,
	.name = "skb:kfree_skb",
	.asked = POINTNAME_TRACEPOINT,
	.reason = 2,
	.location = 1,
};

void sample_describe(const struct netcap_record *r, const struct kernel *k, const struct symbols *s,
		     struct describe_store *store, struct meta *m)
{
	describe_record(r, &point, k, s, store, m);
	if (!k->reason_count)
		m->reason = NULL;
}

static void put_stack(const struct meta *m, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (unsigned i = 0; i < m->frames && i < SAMPLE_FRAMES; i++)
		used += snprintf(text + used, size - used, "%s%s", i ? "\n" : "", m->stack[i]);
}

struct droplog_sample sample_text(const struct netcap_record *r, const struct symbols *s, struct sample_text *text)
{
	static const struct kernel none;
	struct describe_store store;
	struct meta m;

	describe_record(r, &point, &none, s, &store, &m);
	if (!s)
		m.frames = 0;
	put_stack(&m, text->stack, sizeof(text->stack));
	flowtext_make(r->link, (const uint8_t *)(r->stack + NETCAP_STACK_FRAMES), r->cap_len, text->flow,
		      sizeof(text->flow));
	return (struct droplog_sample){ .flow = text->flow, .stack = text->stack };
}
