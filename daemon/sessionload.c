/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base64.h"
#include "daemon/jsonmake.h"
#include "daemon/quota.h"
#include "daemon/report.h"
#include "daemon/sessionconfig.h"
#include "daemon/sessionload.h"
#include "daemon/userproc.h"
#include "daemon/wallclock.h"
#include "journey.h"

/* More trace points than this need a filter, or force. */
#define SESSIONLOAD_UNFILTERED_MOST 256

void sessionload_init(struct sessionload *l, const struct kernel *k, const struct spec *spec,
		      size_t *in_use)
{
	memset(l, 0, sizeof(*l));
	l->kernel = k;
	l->spec = spec;
	l->in_use = in_use;
	l->began = wallclock_monotonic();
	l->maps = (struct template_maps)MAPS_NONE;
}

static void fail(struct sessionload *l, const char *error, const char *field, const char *why)
{
	l->error = error;
	l->field = field;
	if (why)
		snprintf(l->why, sizeof(l->why), "%s", why);
}

static bool check_backend(struct sessionload *l)
{
	if (!hooks_backend_parse(l->spec->backend, &l->backend))
		return true;
	snprintf(l->why, sizeof(l->why),
		 "the backend \"%s\" is not known: give auto, fentry, kprobe.multi or kprobe",
		 l->spec->backend);
	fail(l, "InvalidSpec", "backend", NULL);
	return false;
}

/* Each is looked at for every report, and many are a load for the kernel. */
static bool take_quota(struct sessionload *l)
{
	size_t sum = __atomic_add_fetch(l->in_use, l->probes.count, __ATOMIC_RELAXED);

	l->counted = l->probes.count;
	if (sum <= QUOTA_POINTS_EXPANDED)
		return true;
	snprintf(l->why, sizeof(l->why),
		 "%zu trace points, with those of other sessions, are more than the %d that netcapd "
		 "takes: give narrower patterns, or end other sessions",
		 sum, QUOTA_POINTS_EXPANDED);
	fail(l, "LimitReached", "points", NULL);
	return false;
}

static bool resolve(struct sessionload *l)
{
	int r = module_set_open(&l->modules, l->kernel->btf);

	if (!r)
		r = probe_list_resolve(&l->probes, l->kernel, &l->modules, l->spec);
	if (!r) {
		l->points = calloc(l->probes.count + 1, sizeof(*l->points));
		r = l->points ? 0 : -ENOMEM;
	}
	if (r == -E2BIG) {
		snprintf(l->why, sizeof(l->why),
			 "the trace points are more than %d: give narrower patterns", PROBE_MOST);
		fail(l, "LimitReached", "points", NULL);
	} else if (r) {
		fail(l, "Failed", "points", "no memory for the trace points");
	}
	return !r;
}

/* Everything that passes everywhere is a way to stop a machine. */
static bool check_force(struct sessionload *l)
{
	if (l->filtered || l->spec->force || l->probes.count <= SESSIONLOAD_UNFILTERED_MOST)
		return true;
	snprintf(l->why, sizeof(l->why),
		 "%zu trace points without a filter would capture each packet that often: give a "
		 "filter with -e, or --force",
		 l->probes.count);
	fail(l, "PointRefused", "points", NULL);
	return false;
}

/* A way leads from one trace point to another. */
static bool check_gather(struct sessionload *l)
{
	size_t count = l->probes.count;

	if (!l->spec->gather || (count > 1 && count <= JOURNEY_POINTS_MOST))
		return true;
	if (count == 1)
		snprintf(l->why, sizeof(l->why),
			 "gathering shows the way from one trace point to another, and %s is the only one: give more",
			 l->probes.items[0].text);
	else
		snprintf(l->why, sizeof(l->why),
			 "gathering takes %d trace points at most, and these are %zu: give narrower patterns",
			 JOURNEY_POINTS_MOST, count);
	fail(l, "InvalidSpec", "points", NULL);
	return false;
}

/* Does a trace point need this kind of program? Functions may all fall back to kprobes. */
static bool is_used(const struct sessionload *l, enum template_kind kind)
{
	for (size_t i = 0; i < l->probes.count; i++) {
		const struct probe *p = &l->probes.items[i];

		if (p->error == PROBE_OK &&
		    (p->kind == kind || (kind == template_shared(p->kind) && probe_is_function(p))))
			return true;
	}
	return false;
}

static bool translate(struct sessionload *l)
{
	for (int kind = 0; l->filtered && kind < TEMPLATE_KINDS; kind++) {
		struct filter_target target;

		if (!is_used(l, kind))
			continue;
		kernel_target(l->kernel, kind, &target);
		if (filter_translate(&l->classic, &target, &l->code[kind], l->why,
				     sizeof(l->why))) {
			fail(l, "InvalidFilter", "filter", NULL);
			return false;
		}
	}
	return true;
}

/* From an object to instructions that the verifier takes. */
static bool take_user(struct sessionload *l)
{
	struct userproc_request request;
	uint8_t *object;
	size_t size;
	int r;

	if (!l->spec->user_code)
		return true;
	object = base64_decode(l->spec->user_code, &size);
	if (!object) {
		fail(l, errno == ENOMEM ? "Failed" : "InvalidSpec", "userCode",
		     errno == ENOMEM ? "no memory for the user code" : "userCode is not base64");
		return false;
	}
	request = (struct userproc_request){
		.object = object,
		.size = size,
		.filter = l->spec->user_filter,
		.action = l->spec->user_action,
		.log = l->spec->user_log,
	};
	r = userproc_make(&request, &l->user, l->why, sizeof(l->why), &l->user_log);
	free(object);
	if (r)
		fail(l, r == -EINVAL ? "InvalidCode" : "Failed", "userCode", NULL);
	return !r;
}

static bool wants_returns(const struct sessionload *l)
{
	for (size_t i = 0; i < l->probes.count; i++)
		if (probe_is_return(&l->probes.items[i]))
			return true;
	return false;
}

static bool wants_entries(const struct sessionload *l)
{
	for (size_t i = 0; i < l->spec->sites.count; i++)
		if (l->spec->sites.items[i].is_return)
			return true;
	return false;
}

static bool make_maps(struct sessionload *l)
{
	int r = maps_make_shared(&l->maps, l->probes.count, l->spec->ring_bytes);

	if (!r && wants_returns(l))
		r = maps_make_calls(&l->maps);
	if (!r && wants_entries(l))
		r = maps_make_entered(&l->maps);
	if (!r && l->spec->gather)
		r = maps_make_gather(&l->maps, l->spec);
	else if (!r && l->spec->track)
		r = maps_make_track(&l->maps, l->spec->track_size, l->spec->track_ends);
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

static void on_progress(void *arg, size_t done)
{
	struct sessionload *l = arg;

	__atomic_store_n(&l->done, done, __ATOMIC_RELAXED);
}

static void make_plan(struct sessionload *l, struct hooks_plan *plan)
{
	*plan = (struct hooks_plan){
		.kernel = l->kernel,
		.maps = &l->maps,
		.probes = &l->probes,
		.filter = l->filtered ? l->code : NULL,
		.user = l->spec->user_code ? &l->user : NULL,
		.backend = l->backend,
		.spec = l->spec,
		.lent = &l->lent,
		.progress = on_progress,
		.arg = l,
	};
	sessionconfig_fill(&plan->config, l->spec, l->kernel, l->probes.count);
	sessionconfig_add_user(&plan->config, &l->user);
}

static bool attach(struct sessionload *l)
{
	bool follows = l->spec->track || spec_gathers_by_track(l->spec);
	struct hooks_plan plan;
	int r = 0;

	make_plan(l, &plan);
	if (follows)
		r = track_attach_functions(&l->track, &plan);
	plan.config.restarts = plan.config.gather && plan.config.gather != NETCAP_GATHER_CONTENT && !l->track.frees;
	if (!r)
		r = hooks_attach(&l->hooks, &plan);
	if (!r && follows)
		r = track_attach_tracepoints(&l->track, &plan);
	if (r) {
		fail(l, "Failed", "points", "no memory to attach the programs");
		return false;
	}
	__atomic_store_n(&l->control->active, 1, __ATOMIC_SEQ_CST);
	l->attached = wallclock_monotonic();
	return true;
}

/* One trace point that works is a session; none is an error, the first one's. */
static bool any_works(struct sessionload *l)
{
	static const char *const errors[] = { [PROBE_UNKNOWN] = "UnknownPoint",
					      [PROBE_REFUSED] = "PointRefused",
					      [PROBE_FAILED] = "Failed" };

	for (size_t i = 0; i < l->probes.count; i++)
		if (l->probes.items[i].error == PROBE_OK)
			return true;
	l->culprit = &l->probes.items[0];
	fail(l, errors[l->culprit->error], "points",
	     l->culprit->why ? l->culprit->why : "no memory to say what is wrong");
	return false;
}

static struct json_object *points_json(const struct sessionload *l)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; list && i < l->probes.count; i++)
		json_object_array_add(list, report_point(&l->probes.items[i], NULL));
	return list;
}

/* The filter is translated for each kind of program; the first trace point's is the one to show. */
static enum template_kind shown_kind(const struct sessionload *l)
{
	for (size_t i = 0; i < l->probes.count; i++) {
		const struct probe *p = &l->probes.items[i];

		if (p->error != PROBE_OK)
			continue;
		return p->hook == TEMPLATE_KPROBE_MULTI || p->hook == TEMPLATE_KPROBE_ONE ?
			       template_shared(p->kind) :
			       p->kind;
	}
	return TEMPLATE_TYPED;
}

static struct json_object *plan_json(const struct sessionload *l)
{
	struct filter_target target;
	struct json_object *o = json_object_new_object();
	enum template_kind kind;

	if (!o)
		return NULL;
	json_object_object_add(o, "state", json_object_new_string("planned"));
	json_object_object_add(o, "points", points_json(l));
	if (l->spec->user_code)
		jsonmake_add(o, "user", report_user(&l->user));
	if (!l->filtered)
		return o;
	kind = shown_kind(l);
	kernel_target(l->kernel, kind, &target);
	json_object_object_add(o, "programs",
			       report_programs(&l->classic, &l->code[kind], target.body));
	return o;
}

/* What would be tried first. The text of a large filter takes a while to make. */
static void plan(struct sessionload *l)
{
	struct hooks_plan plan;

	make_plan(l, &plan);
	for (size_t i = 0; i < l->probes.count; i++) {
		struct probe *p = &l->probes.items[i];

		if (p->error != PROBE_OK)
			continue;
		hooks_choose(&plan, p);
		hooks_check(p);
	}
	if (any_works(l))
		l->plan = plan_json(l);
}

static void run(struct sessionload *l)
{
	if (!check_backend(l) || !take_user(l) || !resolve(l) || !any_works(l) || !take_quota(l) || !check_force(l) || !check_gather(l) ||
	    !translate(l))
		return;
	if (l->spec->dry_run)
		plan(l);
	else if (make_maps(l) && attach(l))
		any_works(l);
}

void sessionload_run(struct sessionload *l)
{
	run(l);
	lent_clear(&l->lent); /* what is attached keeps its file */
}

void sessionload_silence(struct sessionload *l)
{
	if (l->control)
		__atomic_store_n(&l->control->active, 0, __ATOMIC_SEQ_CST);
}

void sessionload_settle(struct sessionload *l)
{
	const struct timespec long_enough = { 0, 200 * 1000000 }; /* a program runs for microseconds */

	/* those that saw "active" have counted their hits when they end */
	if (l->control && maps_wait_programs(&l->maps))
		nanosleep(&long_enough, NULL);
	l->missed_shared = hooks_missed(&l->hooks);
	if (l->maps.track >= 0) {
		l->track.left = maps_count_track(&l->maps);
		l->track.missed = hooks_missed(&l->track.hooks);
	}
	l->settled = true;
}

void sessionload_clear(struct sessionload *l)
{
	hooks_close(&l->hooks);
	track_close(&l->track);
	lent_clear(&l->lent);
	if (l->counted)
		__atomic_sub_fetch(l->in_use, l->counted, __ATOMIC_RELAXED);
	probe_list_clear(&l->probes);
	module_set_close(&l->modules);
	for (int kind = 0; kind < TEMPLATE_KINDS; kind++)
		filter_code_clear(&l->code[kind]);
	filter_programs_clear(&l->classic);
	usercode_clear(&l->user);
	free(l->user_log);
	maps_unmap_control(l->control);
	maps_close(&l->maps);
	json_object_put(l->plan);
	free(l->scratch);
	free(l->points);
	memset(l, 0, sizeof(*l));
	l->maps = (struct template_maps)MAPS_NONE;
}

static void clear(void *arg)
{
	sessionload_clear(arg);
	malloc_trim(0); /* a session at all functions leaves megabytes that an idle daemon has no use for */
}

void sessionload_dispose(struct sessionload *l, struct worker *reaper)
{
	struct sessionload *doomed = malloc(sizeof(*doomed));

	if (doomed) {
		*doomed = *l;
		doomed->spec = NULL; /* the session's, which goes now */
		memset(l, 0, sizeof(*l));
		l->maps = (struct template_maps)MAPS_NONE;
		if (!worker_submit(reaper, clear, free, doomed))
			return;
		*l = *doomed;
		free(doomed);
	}
	sessionload_clear(l);
}

void sessionload_progress(struct sessionload *l, size_t *done, size_t *count)
{
	*done = __atomic_load_n(&l->done, __ATOMIC_RELAXED);
	*count = *done ? l->probes.count : 0; /* before, the worker is still making the list */
}

bool sessionload_wants_symbols(const struct sessionload *l)
{
	for (size_t i = 0; i < l->probes.count; i++)
		if (l->probes.items[i].location != NETCAP_NO_ARG)
			return true;
	return l->spec->stack;
}

void sessionload_counters(struct sessionload *l, uint32_t point, struct counters *c)
{
	const struct sessionload_point *p = &l->points[point];
	struct netcap_counters k = {};

	memset(c, 0, sizeof(*c));
	if (!l->scratch || maps_read_counters(&l->maps, point, l->scratch, &k))
		return;
	c->hits = k.filtered + k.captured + k.lost + k.limited;
	c->filtered = k.filtered;
	c->lost_ring = k.lost + p->unplaced;
	/* what is in the histogram has arrived */
	c->captured = l->spec->histogram ? k.captured : p->delivered;
	c->lost_client = p->lost_client;
	c->limited = k.limited + p->limited;
	c->missed = l->probes.items[point].missed;
	c->in_flight = c->hits - c->filtered - c->lost_ring - c->captured - c->lost_client -
		       c->limited;
}

void sessionload_sum(struct sessionload *l, struct counters *sum)
{
	struct counters c;

	memset(sum, 0, sizeof(*sum));
	for (uint32_t i = 0; i < l->probes.count; i++) {
		sessionload_counters(l, i, &c);
		counters_add(sum, &c);
	}
}
