/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/describe.h"
#include "daemon/gathertext.h"

#define WORDS_BITS  6
#define NAMES_BYTES (1 << 20) /* of the strings of one way; what does not fit is left out */

/* One of a step's events, as describe.h takes it. */
union event {
	struct netcap_record record;
	uint8_t room[sizeof(struct netcap_record) + NETCAP_STACK_FRAMES * sizeof(uint64_t)];
};

/* The words for a place and a reason. */
struct drop_words {
	bool known;
	const struct symbols *symbols;
	uint64_t location;
	uint32_t reason, point;
	char reason_text[32];
	char location_text[DESCRIBE_NAME_BYTES];
};

struct gathertext {
	struct journey journey;
	struct describe_store store; /* of the step at hand */
	union event event;
	const char *device;          /* of the step before */
	struct drop_words words[1 << WORDS_BITS]; /* each in its only place */
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

/* As describe.h takes it. */
static const struct netcap_record *as_record(struct gathertext *t, const struct gather_step *s)
{
	const struct netcap_step *e = &s->event;
	struct netcap_record *r = &t->event.record;

	memset(r, 0, sizeof(*r));
	r->time_ns = e->time_ns;
	r->location = e->location;
	r->reason = e->reason;
	r->flags = e->flags & (NETCAP_F_CALL | (s->stack ? NETCAP_F_STACK : 0));
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

/* A copy of the device's name, but where it is that of the step before. */
static const char *device(struct gathertext *t, const struct gather_step *s)
{
	char dev[NETCAP_DEV_LEN + 1] = {}; /* the kernel's field may be full */

	memcpy(dev, s->event.dev, NETCAP_DEV_LEN);
	if (t->device && !strcmp(dev, t->device))
		return t->device;
	t->device = *dev ? keep(t, dev) : NULL;
	return t->device;
}

/* What takes symbols, names of reasons, and types. */
static void add_words(struct gathertext *t, struct journey_step *step, const struct gather_step *s,
		      const struct gathertext_context *c)
{
	const struct probe *p = &c->probes->items[s->event.point];
	const struct netcap_record *r = as_record(t, s);
	struct meta m;

	describe_record(r, p, c->kernel, c->symbols, &t->store, &m);
	if (s->back_ns) {
		const struct netcap_return back = { s->back_ns, s->event.frame, s->value };

		describe_return(r, p, &back, &t->store, &m);
	}
	step->reason = keep(t, m.reason);
	step->location = keep(t, m.location);
	step->ret = keep(t, m.ret);
	step->took_ns = m.took_ns;
	if (m.frames)
		add_stack(t, step, &m);
}

static struct drop_words *words_of(struct gathertext *t, const struct netcap_step *e)
{
	uint64_t mixed = e->location ^ (uint64_t)e->reason << 32 ^ e->point;

	return &t->words[mixed * 0x9e3779b97f4a7c15u >> (64 - WORDS_BITS)];
}

/* Most packets are dropped where others were. */
static bool add_known_words(struct gathertext *t, struct journey_step *step, const struct netcap_step *e,
			    const struct symbols *symbols)
{
	struct drop_words *w = words_of(t, e);

	if (!w->known || w->symbols != symbols || w->location != e->location || w->reason != e->reason ||
	    w->point != e->point)
		return false;
	step->reason = *w->reason_text ? w->reason_text : NULL;
	step->location = *w->location_text ? w->location_text : NULL;
	return true;
}

static void know_words(struct gathertext *t, const struct journey_step *step, const struct netcap_step *e,
		       const struct symbols *symbols)
{
	struct drop_words *w = words_of(t, e);

	*w = (struct drop_words){ .known = true, .symbols = symbols, .location = e->location, .reason = e->reason,
				  .point = e->point };
	snprintf(w->reason_text, sizeof(w->reason_text), "%s", step->reason ? step->reason : "");
	snprintf(w->location_text, sizeof(w->location_text), "%s", step->location ? step->location : "");
}

static void add_step(struct gathertext *t, const struct gather_step *s, uint64_t since_ns,
		     const struct gathertext_context *c)
{
	struct journey_step *step = &t->journey.steps[t->journey.count++];
	const struct netcap_step *e = &s->event;

	*step = (struct journey_step){
		.point = c->probes->items[e->point].text,
		.since_ns = since_ns,
		.cpu = e->cpu,
		.ifindex = probe_is_process(&c->probes->items[e->point]) ? 0 : e->ifindex, /* as in describe.c */
		.netns = e->netns,
		.pid = e->pid,
		.dev = device(t, s),
		.skb = e->skb,
	};
	if (s->stack || e->flags & NETCAP_F_CALL)
		add_words(t, step, s, c);
	else if ((e->location || e->reason) && !add_known_words(t, step, e, c->symbols)) {
		add_words(t, step, s, c);
		know_words(t, step, e, c->symbols);
	}
}

static void add_missing(struct gathertext *t, const struct gather_packet *p, const struct probe_list *probes)
{
	struct journey *j = &t->journey;

	for (size_t i = 0; i < probes->count && i < JOURNEY_POINTS_MOST; i++)
		if (!(p->visited & 1ull << i) && probes->items[i].error == PROBE_OK)
			j->missing[j->missing_count++] = probes->items[i].text;
	j->unsure = p->unsure && j->missing_count;
}

const struct comment *gathertext_make(struct gathertext *t, const struct gather_packet *p,
				      const struct gathertext_context *c)
{
	struct journey *j = &t->journey;
	uint64_t first = gather_step_ns(&p->steps[0]);
	int len;

	journey_clear(j);
	t->used = 0;
	t->device = NULL;
	j->end = p->end;
	j->more = p->more;
	for (unsigned i = 0; i < p->count; i++) {
		const struct gather_step *s = &p->steps[i];

		add_step(t, s, gather_step_ns(s) - first, c);
	}
	add_missing(t, p, c->probes);
	len = journey_format(j, t->text);
	t->comment = (struct comment){ t->text, len < 0 ? 0 : len };
	return &t->comment;
}
