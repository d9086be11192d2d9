/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include <event2/event.h>

#include "daemon/gathering.h"
#include "daemon/gatherstat.h"
#include "daemon/gathertext.h"

#define EXPIRE_MS 100 /* between two looks for ways that are over, and how late they may be shown */

struct gathering {
	struct handover_context context;
	struct gathering_callbacks callbacks;
	void *arg;
	struct gather *gather;    /* owned, like the next four */
	struct gatherstat *stat;
	struct gathertext *text;
	struct event *expire;
	struct netcap_control *control; /* the session's, not owned */
};

static void on_over(void *arg, struct gather_packet *p)
{
	struct gathering *g = arg;
	const struct handover_context *c = &g->context;
	const struct gathertext_context context = { &c->load->probes, c->kernel, symbolcache_get(c->symbols) };

	if (!g->callbacks.wanted(g->arg, p))
		return;
	gatherstat_add(g->stat, p);
	g->callbacks.over(g->arg, p, gathertext_make(g->text, p, &context));
}

static void on_unplaced(void *arg, uint32_t point, bool first)
{
	struct gathering *g = arg;

	g->callbacks.unplaced(g->arg, point, first);
}

static void on_not_kept(void *arg, uint32_t point)
{
	struct gathering *g = arg;

	g->callbacks.not_kept(g->arg, point);
}

static void on_surplus(void *arg)
{
	struct gathering *g = arg;

	g->callbacks.surplus(g->arg);
}

/* Many may be due at once: the rest is for the next turn. */
static void arm(struct gathering *g, bool more)
{
	const struct timeval when = { 0, more ? 0 : EXPIRE_MS * 1000 };

	if (gather_due_ns(g->gather) && (more || !evtimer_pending(g->expire, NULL)))
		evtimer_add(g->expire, &when);
}

static void expire(struct gathering *g)
{
	uint64_t lost = __atomic_load_n(&g->control->gather_lost, __ATOMIC_SEQ_CST), now_ns;
	bool idle, more = true, room = true;

	now_ns = g->callbacks.now(g->arg, &idle);
	for (int i = 0; more && room && i < GATHERING_PORTION; i++) {
		more = gather_expire(g->gather, now_ns);
		room = g->callbacks.room(g->arg);
	}
	if (idle)
		gather_caught_up(g->gather, lost);
	arm(g, more && room);
}

static void on_expire(evutil_socket_t fd, short what, void *arg)
{
	struct gathering *g = arg;

	expire(g);
	g->callbacks.batch(g->arg);
}

struct gathering *gathering_new(const struct handover_context *context, const struct gathering_callbacks *callbacks,
				void *arg)
{
	static const struct gather_callbacks gather = { on_over, on_unplaced, on_not_kept, on_surplus };
	const struct spec *spec = context->spec;
	struct gathering *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->context = *context;
	g->callbacks = *callbacks;
	g->arg = arg;
	g->control = context->load->control;
	g->gather = gather_new(spec->gather_size, (uint64_t)spec->gather_timeout_ms * 1000000,
			       &g->control->gather_lost, &gather, g);
	g->stat = gatherstat_new(&context->load->probes);
	g->text = gathertext_new();
	g->expire = evtimer_new(context->base, on_expire, g);
	if (g->gather && g->stat && g->text && g->expire)
		return g;
	gathering_free(g);
	return NULL;
}

void gathering_free(struct gathering *g)
{
	if (!g)
		return;
	if (g->expire)
		event_free(g->expire);
	gather_free(g->gather);
	gatherstat_free(g->stat);
	gathertext_free(g->text);
	free(g);
}

struct gather *gathering_gather(struct gathering *g)
{
	return g->gather;
}

void gathering_batch(struct gathering *g)
{
	expire(g);
}

bool gathering_drain(struct gathering *g, bool reads)
{
	bool more = true;

	event_del(g->expire);
	for (int i = 0; more && i < GATHERING_PORTION && (!reads || g->callbacks.room(g->arg)); i++)
		more = gather_drain(g->gather);
	return more;
}

struct json_object *gathering_json(struct gathering *g)
{
	struct gather_counts counts;

	gather_counts(g->gather, &counts);
	if (g->context.spec->histogram) {
		counts.begun = __atomic_load_n(&g->control->tracked, __ATOMIC_RELAXED);
		counts.unplaced = __atomic_load_n(&g->control->gather_full, __ATOMIC_RELAXED);
		gatherstat_read(g->stat, &g->context.load->maps);
	}
	return gatherstat_json(g->stat, &counts);
}
