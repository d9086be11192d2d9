/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "daemon/describe.h"
#include "daemon/gathertext.h"

#define NAMES_BYTES (1 << 20) /* of the strings of one way; what does not fit is left out */

/* One of a step's events, as describe.h takes it. */
union event {
	struct netcap_record record;
	uint8_t room[sizeof(struct netcap_record) + NETCAP_STACK_FRAMES * sizeof(uint64_t)];
};

struct gathertext {
	struct journey journey;
	struct describe_store store; /* of the step at hand */
	union event event;
	size_t used;                 /* bytes of names */
	char names[NAMES_BYTES];
	char text[JOURNEY_TEXT_MAX];
	struct comment comment;
};

struct gathertext *gathertext_new(void)
{
	return calloc(1, sizeof(struct gathertext));
}

void gathertext_free(struct gathertext *t)
{
	free(t);
}

/* A copy that lives as long as the way. */
static const char *keep(struct gathertext *t, const char *text)
{
	size_t len = text ? strlen(text) + 1 : 0;
	char *at = t->names + t->used;

	if (!text || len > sizeof(t->names) - t->used)
		return NULL;
	t->used += len;
	return memcpy(at, text, len);
}

static const struct netcap_record *as_record(struct gathertext *t, const struct gather_step *s)
{
	const struct netcap_step *e = &s->event;
	struct netcap_record *r = &t->event.record;

	memset(r, 0, sizeof(*r));
	r->time_ns = e->time_ns;
	r->skb = e->skb;
	r->location = e->location;
	r->reason = e->reason;
	r->flags = e->flags & (NETCAP_F_CALL | (s->stack ? NETCAP_F_STACK : 0));
	memcpy(r->dev, e->dev, sizeof(r->dev));
	r->stack_bytes = e->stack_bytes;
	if (s->stack)
		memcpy(r->stack, s->stack, e->stack_bytes);
	return r;
}

static void add_stack(struct gathertext *t, struct journey_step *step, const struct meta *m)
{
	struct journey *j = &t->journey;

	step->first_frame = j->frame_count;
	for (unsigned i = 0; i < m->frames && j->frame_count < JOURNEY_FRAMES_MOST; i++) {
		const char *name = keep(t, m->stack[i]);

		if (!name)
			break;
		j->frames[j->frame_count++] = name;
	}
	step->frames = j->frame_count - step->first_frame;
}

static void add_step(struct gathertext *t, const struct gather_step *s, uint64_t since_ns, const struct probe *p,
		     const struct kernel *k, const struct symbols *symbols)
{
	struct journey_step *step = &t->journey.steps[t->journey.count++];
	const struct netcap_record *r = as_record(t, s);
	struct meta m;

	describe_record(r, p, k, symbols, &t->store, &m);
	if (s->back_ns) {
		const struct netcap_return back = { s->back_ns, s->event.frame, s->value };

		describe_return(r, p, &back, &t->store, &m);
	}
	*step = (struct journey_step){
		.point = p->text,
		.since_ns = since_ns,
		.cpu = s->event.cpu,
		.ifindex = s->event.ifindex,
		.netns = s->event.netns,
		.pid = s->event.pid,
		.dev = keep(t, m.dev),
		.reason = keep(t, m.reason),
		.location = keep(t, m.location),
		.ret = keep(t, m.ret),
		.took_ns = m.took_ns,
		.skb = s->event.skb,
	};
	if (m.frames)
		add_stack(t, step, &m);
}

static void add_missing(struct gathertext *t, const struct gather_packet *p, const struct probe_list *probes)
{
	struct journey *j = &t->journey;
	uint64_t visited = 0;

	for (unsigned i = 0; i < p->count; i++)
		visited |= 1ull << (p->steps[i].event.point % JOURNEY_POINTS_MOST);
	for (size_t i = 0; i < probes->count && i < JOURNEY_POINTS_MOST; i++)
		if (!(visited & 1ull << i) && probes->items[i].error == PROBE_OK)
			j->missing[j->missing_count++] = probes->items[i].text;
	j->unsure = p->unsure && j->missing_count;
}

const struct comment *gathertext_make(struct gathertext *t, const struct gather_packet *p,
				      const struct probe_list *probes, const struct kernel *kernel,
				      const struct symbols *symbols)
{
	struct journey *j = &t->journey;
	uint64_t first = gather_step_ns(&p->steps[0]);
	int len;

	journey_clear(j);
	t->used = 0;
	j->end = p->end;
	j->more = p->more;
	for (unsigned i = 0; i < p->count; i++) {
		const struct gather_step *s = &p->steps[i];

		add_step(t, s, gather_step_ns(s) - first, &probes->items[s->event.point], kernel, symbols);
	}
	add_missing(t, p, probes);
	len = journey_format(j, t->text);
	t->comment = (struct comment){ t->text, len < 0 ? 0 : len };
	return &t->comment;
}
