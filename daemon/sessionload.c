/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/report.h"
#include "daemon/sessionload.h"

#define SETTLE_TRIES 200 /* of 1 ms: a program runs for microseconds */

void sessionload_init(struct sessionload *l, const struct kernel *k, const struct spec *spec)
{
	memset(l, 0, sizeof(*l));
	l->kernel = k;
	l->spec = spec;
	l->maps = (struct template_maps)MAPS_NONE;
}

static void fail(struct sessionload *l, const char *error, const char *field, const char *why)
{
	l->error = error;
	l->field = field;
	if (why)
		snprintf(l->why, sizeof(l->why), "%s", why);
}

static bool resolve(struct sessionload *l)
{
	l->points = calloc(l->spec->points.count, sizeof(*l->points));
	if (!l->points) {
		fail(l, "Failed", "points", "no memory for the trace points");
		return false;
	}
	for (size_t i = 0; i < l->spec->points.count; i++) {
		probe_resolve(&l->points[i].probe, l->kernel, l->spec->points.items[i]);
		l->count++;
	}
	return true;
}

/* raw_tp programs have addresses for pointers, which no verifier lets them dereference. */
static enum netcap_access access_of(const struct sessionload *l, enum template_kind kind)
{
	return kind == TEMPLATE_TP_BTF ? l->kernel->access : NETCAP_ACCESS_WINDOW;
}

static bool translate(struct sessionload *l)
{
	for (int kind = 0; l->filtered && kind < TEMPLATE_KINDS; kind++) {
		struct filter_target target = { .access = access_of(l, kind),
						.var_stack = l->kernel->var_stack };

		template_target(l->kernel->templates, kind, &target);
		if (filter_translate(&l->classic, &target, &l->code[kind], l->why,
				     sizeof(l->why))) {
			fail(l, "InvalidFilter", "filter", NULL);
			return false;
		}
	}
	return true;
}

static bool make_maps(struct sessionload *l)
{
	int r = maps_make_shared(&l->maps, l->count, l->spec->ring_bytes);

	if (!r) {
		l->control = maps_map_control(&l->maps);
		l->scratch = malloc(maps_counter_bytes());
		r = l->control && l->scratch ? 0 : -ENOMEM;
	}
	if (r) {
		snprintf(l->why, sizeof(l->why),
			 "the kernel made no maps for the session (ring of %lld bytes): %s",
			 (long long)l->spec->ring_bytes, strerror(-r));
		fail(l, "Failed", "ringBytes", NULL);
	}
	return !r;
}

static void fill_config(const struct sessionload *l, struct netcap_config *config)
{
	const struct spec *spec = l->spec;

	memset(config, 0, sizeof(*config));
	config->snaplen = spec->snaplen;
	config->netns = spec->netns;
	config->mark = spec->mark;
	config->mark_mask = spec->mark_mask;
	config->pid = spec->pid;
	config->count = spec->count;
	config->stack = spec->stack;
	config->page_linear = l->kernel->page_linear;
	config->match_dev = spec->interface != NULL;
	config->match_comm = spec->comm != NULL;
	if (spec->interface)
		strncpy(config->dev, spec->interface, sizeof(config->dev) - 1);
	if (spec->comm)
		strncpy(config->comm, spec->comm, sizeof(config->comm) - 1);
}

static void load_point(struct sessionload *l, uint32_t index)
{
	struct probe *p = &l->points[index].probe;
	struct netcap_config config;

	fill_config(l, &config);
	config.point = index;
	config.access = access_of(l, p->kind);
	probe_load(p, l->kernel, &l->maps, &config, l->filtered ? &l->code[p->kind] : NULL);
}

/* Programs load one after another, then attach together, so that all begin at nearly the same time. */
static void load_and_attach(struct sessionload *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->points[i].probe.error == PROBE_OK)
			load_point(l, i);
	for (size_t i = 0; i < l->count; i++)
		if (l->points[i].probe.error == PROBE_OK)
			probe_attach(&l->points[i].probe);
	__atomic_store_n(&l->control->active, 1, __ATOMIC_SEQ_CST);
}

/* One trace point that works is a session; none is an error, the first one's. */
static bool any_works(struct sessionload *l)
{
	static const char *const errors[] = { [PROBE_UNKNOWN] = "UnknownPoint",
					      [PROBE_REFUSED] = "PointRefused",
					      [PROBE_FAILED] = "Failed" };

	for (size_t i = 0; i < l->count; i++)
		if (l->points[i].probe.error == PROBE_OK)
			return true;
	l->culprit = &l->points[0].probe;
	fail(l, errors[l->culprit->error], "points", l->culprit->why);
	return false;
}

void sessionload_run(struct sessionload *l)
{
	if (!resolve(l) || !any_works(l) || !translate(l) || l->spec->dry_run || !make_maps(l))
		return;
	load_and_attach(l);
	any_works(l);
}

void sessionload_silence(struct sessionload *l)
{
	if (l->control)
		__atomic_store_n(&l->control->active, 0, __ATOMIC_SEQ_CST);
}

/* Has every hit been counted as something, that is, does no program run any more? */
static bool settled(struct sessionload *l)
{
	struct netcap_counters c;

	for (uint32_t i = 0; i < l->count; i++)
		if (!maps_read_counters(&l->maps, i, l->scratch, &c) &&
		    c.hits != c.filtered + c.captured + c.lost + c.limited)
			return false;
	return true;
}

void sessionload_detach(struct sessionload *l)
{
	const struct timespec wait = { 0, 1000000 };

	for (size_t i = 0; i < l->count; i++)
		probe_detach(&l->points[i].probe);
	for (int i = 0; l->control && i < SETTLE_TRIES && !settled(l); i++)
		nanosleep(&wait, NULL);
	for (size_t i = 0; i < l->count; i++) {
		l->points[i].missed = probe_missed(&l->points[i].probe);
		probe_close(&l->points[i].probe);
	}
	l->detached = true;
}

void sessionload_clear(struct sessionload *l)
{
	for (size_t i = 0; i < l->count; i++)
		probe_close(&l->points[i].probe);
	for (int kind = 0; kind < TEMPLATE_KINDS; kind++)
		filter_code_clear(&l->code[kind]);
	filter_programs_clear(&l->classic);
	maps_unmap_control(l->control);
	maps_close(&l->maps);
	symbols_free(l->symbols);
	free(l->scratch);
	free(l->points);
	memset(l, 0, sizeof(*l));
	l->maps = (struct template_maps)MAPS_NONE;
}

void sessionload_counters(struct sessionload *l, uint32_t point, struct counters *c)
{
	const struct sessionload_point *p = &l->points[point];
	struct netcap_counters k = {};

	memset(c, 0, sizeof(*c));
	if (!l->scratch || maps_read_counters(&l->maps, point, l->scratch, &k))
		return;
	c->hits = k.hits;
	c->filtered = k.filtered;
	c->lost_ring = k.lost;
	c->captured = p->delivered;
	c->lost_client = p->lost_client;
	c->limited = k.limited + p->limited;
	c->missed = l->detached ? p->missed : probe_missed(&p->probe);
	c->in_flight = c->hits - c->filtered - c->lost_ring - c->captured - c->lost_client -
		       c->limited;
}

struct json_object *sessionload_error_json(const struct sessionload *l)
{
	struct json_object *o = report_error(l->field, l->why);
	struct json_object *nearest = NULL;

	if (!o || !l->culprit || l->culprit->error != PROBE_UNKNOWN)
		return o;
	nearest = json_object_new_array();
	for (unsigned i = 0; nearest && i < l->culprit->nearest_count; i++)
		json_object_array_add(nearest, json_object_new_string(l->culprit->nearest[i]));
	json_object_object_add(o, "nearest", nearest);
	return o;
}

static struct json_object *points_json(const struct sessionload *l)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; list && i < l->count; i++)
		json_object_array_add(list, report_point(&l->points[i].probe, NULL));
	return list;
}

struct json_object *sessionload_plan_json(const struct sessionload *l)
{
	struct filter_target target = {};
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_object_object_add(o, "state", json_object_new_string("planned"));
	json_object_object_add(o, "points", points_json(l));
	if (!l->filtered)
		return o;
	template_target(l->kernel->templates, TEMPLATE_TP_BTF, &target);
	json_object_object_add(o, "programs",
			       report_programs(&l->classic, &l->code[TEMPLATE_TP_BTF],
					       target.body));
	return o;
}
