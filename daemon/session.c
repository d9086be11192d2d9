/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/closer.h"
#include "daemon/delivery.h"
#include "daemon/loadreport.h"
#include "daemon/report.h"
#include "daemon/session.h"
#include "daemon/sessionload.h"
#include "daemon/sessionlog.h"
#include "varlink.h"

#define STATS_S          1  /* between two looks at the counts, */
#define STATS_QUIET_S    16 /* which double up to this while nothing is hit */
#define PROGRESS_MS      250

enum state { COMPILING, LOADING, RUNNING, SETTLING, FLUSHING, ENDED };

static const char *const state_names[] = { "starting", "starting", "running",
					   "stopping", "stopping", "ended" };

struct session {
	struct session_host *host;
	uint64_t id;
	struct session_owner owner;
	struct session_callbacks callbacks;
	void *arg;
	bool orphaned;
	enum state state;
	const char *stopping; /* why it stops, NULL while it does not */
	time_t started;       /* seconds since 1970 */
	bool told;            /* the caller knows all trace points */
	struct counters counted;     /* of all trace points, when they were last read for session_counters() */
	struct counters counts_told; /* of all trace points, when the caller was last told */
	struct spec spec;     /* owned */
	struct filterproc_request *compiling;
	struct sessionload load; /* programs and maps; the worker's while LOADING and SETTLING */
	struct sessionlog log;
	bool using_symbols;
	int fd;               /* the caller's, until the delivery has it; -1: none */
	struct delivery delivery;
	struct json_object *gathering; /* owned; for the last reply, when the delivery has gone */
	struct event *stats;  /* looks at the counts while running */
	struct timeval interval; /* between its last look and the next */
	struct event *turn;   /* the first step, and those of FLUSHING */
};

/* ---- words to the caller ---- */

static int say(struct session *s, struct json_object *message, bool last)
{
	if (!message || s->orphaned) {
		json_object_put(message);
		return message ? 0 : -ENOMEM;
	}
	return s->callbacks.reply(s->arg, message, last);
}

static struct json_object *state_message(const char *state)
{
	struct json_object *o = json_object_new_object();

	if (o)
		json_object_object_add(o, "state", json_object_new_string(state));
	return o;
}

/* What packets' ways say; at the end that of the delivery, which has gone. */
static void add_gathering(struct session *s, struct json_object *session)
{
	struct json_object *gathering = s->state == RUNNING ? delivery_gathering(&s->delivery) : s->gathering;

	s->gathering = NULL;
	if (gathering && session)
		json_object_object_add(session, "gathering", gathering);
	else
		json_object_put(gathering);
}

static void say_state(struct session *s, const char *state, const char *reason, bool last)
{
	struct json_object *o = state_message(state);

	if (o)
		json_object_object_add(o, "session", session_to_json(s));
	if (o && s->state == RUNNING && !s->told)
		loadreport_add_times(&s->load, o);
	if (o && (last || (s->state == RUNNING && s->told && s->spec.gather_summary)))
		add_gathering(s, json_object_object_get(o, "session"));
	if (o && reason)
		json_object_object_add(o, "reason", json_object_new_string(reason));
	say(s, o ? varlink_reply(o, !last) : NULL, last);
}

static void end(struct session *s)
{
	s->state = ENDED;
	if (s->using_symbols)
		symbolcache_drop(s->host->symbols);
	s->using_symbols = false;
	s->callbacks.ended(s->arg, s);
}

static void fail(struct session *s, const char *error, struct json_object *parameters)
{
	sessionlog_refused(&s->log, error, parameters);
	say(s, varlink_error(error, parameters), true);
	end(s);
}

/* ---- packets ---- */

static int on_event(void *arg, struct json_object *event)
{
	struct session *s = arg;
	struct json_object *o = s->orphaned ? NULL : state_message("event"); /* nobody gets it: it is lost */

	if (!o) {
		json_object_put(event);
		return s->orphaned ? -EPIPE : -ENOMEM;
	}
	json_object_object_add(o, "event", event);
	return say(s, varlink_reply(o, true), false);
}

/* At the end, what a client that has gone did not read is counted only. */
static void on_lost(void *arg)
{
	struct session *s = arg;

	if (s->state == RUNNING)
		sessionlog_lost(&s->log);
}

static void on_stop(void *arg, const char *reason)
{
	session_stop(arg, reason);
}

/* The caller need not wake up for counts that it knows. */
static void on_stats(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	struct counters sum;

	sessionload_sum(&s->load, &sum);
	if (memcmp(&sum, &s->counts_told, sizeof(sum))) {
		say_state(s, "running", NULL, false);
		s->interval.tv_sec = STATS_S;
	} else if (s->interval.tv_sec < STATS_QUIET_S) {
		s->interval.tv_sec *= 2;
	}
	s->counts_told = sum;
	evtimer_add(s->stats, &s->interval);
}

/* ---- the end ---- */

static void finish(struct session *s)
{
	sessionlog_ended(&s->log, s->stopping);
	s->gathering = delivery_gathering(&s->delivery);
	/* the caller sees the end of its stream before it sees the last reply */
	delivery_close(&s->delivery);
	say_state(s, "ended", s->stopping, true);
	end(s);
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	enum delivery_turn turn = delivery_flush(&s->delivery, !s->orphaned);
	struct timeval when = { 0, turn == DELIVERY_WAIT ? DELIVERY_TURN_MS * 1000 : 0 };

	if (turn == DELIVERY_DONE)
		finish(s);
	else
		evtimer_add(s->turn, &when);
}

static void settle(void *arg)
{
	sessionload_settle(&((struct session *)arg)->load);
}

static void settle_done(void *arg)
{
	struct session *s = arg;
	struct timeval now = { 0, 0 };

	s->state = FLUSHING;
	s->turn = evtimer_new(s->host->base, on_flush, s);
	if (!s->turn || evtimer_add(s->turn, &now))
		finish(s);
}

static void begin_stop(struct session *s)
{
	s->state = SETTLING;
	delivery_stop(&s->delivery);
	if (s->stats)
		event_del(s->stats);
	sessionload_silence(&s->load);
	if (worker_submit(s->host->worker, settle, settle_done, s))
		settle_done(s);
}

void session_stop(struct session *s, const char *reason)
{
	if (s->stopping || s->state == ENDED)
		return;
	s->stopping = reason;
	if (s->state == RUNNING)
		begin_stop(s);
	/* while the filter is compiled or the worker loads, the next step sees it */
}

/* ---- the beginning ---- */

static int open_delivery(struct session *s)
{
	static const struct delivery_callbacks callbacks = { on_event, on_lost, on_stop };
	const struct handover_context context = {
		.base = s->host->base,
		.kernel = s->host->kernel,
		.symbols = s->host->symbols,
		.clock = &s->host->clock,
		.spec = &s->spec,
		.load = &s->load,
	};
	int fd = s->fd;

	s->fd = -1;
	return delivery_open(&s->delivery, &context, fd, &callbacks, s);
}

static void start_reading(void *arg)
{
	struct session *s = arg;

	if (s->state != RUNNING)
		return;
	if (!s->spec.quiet) {
		s->interval.tv_sec = STATS_S;
		s->stats = evtimer_new(s->host->base, on_stats, s);
	}
	if (s->stats)
		evtimer_add(s->stats, &s->interval);
	delivery_start(&s->delivery);
}

/* False: start_reading() is called when they are there. The ring keeps what comes until then. */
static bool use_symbols(struct session *s)
{
	s->using_symbols = sessionload_wants_symbols(&s->load);
	return !s->using_symbols || symbolcache_use(s->host->symbols, start_reading, s);
}

static void run(struct session *s)
{
	s->state = RUNNING;
	s->started = time(NULL);
	sessionlog_started(&s->log);
	say_state(s, "attached", NULL, false);
	s->told = true;
	if (s->stopping)
		begin_stop(s);
	else if (use_symbols(s))
		start_reading(s);
}

static void refuse_output(struct session *s, int error)
{
	char why[256];

	if (error == -ENOMEM)
		snprintf(why, sizeof(why), "no memory for the session's buffers");
	else
		snprintf(why, sizeof(why),
			 "the descriptor cannot be written to: %s; pass a socket, or a pipe that "
			 "the daemon may open",
			 strerror(-error));
	sessionload_silence(&s->load);
	fail(s, error == -ENOMEM ? "Failed" : "BadDescriptor", report_error("fd", why));
}

static void load_done(void *arg)
{
	struct session *s = arg;
	int error;

	if (s->stats)
		event_free(s->stats);
	s->stats = NULL;
	if (s->load.error) {
		fail(s, s->load.error, loadreport_error(&s->load));
		return;
	}
	if (s->spec.dry_run) {
		say(s, varlink_reply(s->load.plan, false), true);
		s->load.plan = NULL;
		end(s);
		return;
	}
	error = open_delivery(s);
	if (error)
		refuse_output(s, error);
	else
		run(s);
}

static void run_load(void *arg)
{
	struct session *s = arg;

	sessionload_run(&s->load);
}

static void on_progress(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	struct json_object *o = state_message("attaching");
	size_t done, total;

	sessionload_progress(&s->load, &done, &total);
	if (!o || !total) {
		json_object_put(o);
		return;
	}
	json_object_object_add(o, "done", json_object_new_int64(done));
	json_object_object_add(o, "total", json_object_new_int64(total));
	say(s, varlink_reply(o, true), false);
}

static void watch_progress(struct session *s)
{
	struct timeval interval = { 0, PROGRESS_MS * 1000 };

	s->stats = event_new(s->host->base, -1, EV_PERSIST, on_progress, s);
	if (s->stats)
		event_add(s->stats, &interval);
}

static void load(struct session *s)
{
	s->state = LOADING;
	if (s->stopping) {
		finish(s);
		return;
	}
	if (!s->spec.dry_run)
		watch_progress(s);
	if (worker_submit(s->host->worker, run_load, load_done, s))
		fail(s, "Failed", report_error("points", "no memory to start the session"));
}

static void compiled(void *arg, int error, struct filter_programs *programs, const char *why)
{
	struct session *s = arg;
	struct json_object *parameters;

	s->compiling = NULL;
	if (error) {
		parameters = report_error("filter", why);
		if (parameters)
			json_object_object_add(parameters, "filter",
					       json_object_new_string(s->spec.filter));
		fail(s, error == -EINVAL || error == -ETIMEDOUT ? "InvalidFilter" : "Failed",
		     parameters);
		return;
	}
	s->load.classic = *programs;
	s->load.filtered = true;
	memset(programs, 0, sizeof(*programs));
	load(s);
}

static void begin(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	event_free(s->turn);
	s->turn = NULL;
	if (!s->spec.filter) {
		load(s);
		return;
	}
	s->compiling = filterproc_compile(s->host->filters, s->spec.filter, compiled, s);
	if (!s->compiling)
		fail(s, "Failed", report_error("filter", "no memory to compile the filter"));
}

struct session *session_new(struct session_host *host, uint64_t id, struct spec *spec, int fd,
			    struct lent *lent, const struct session_owner *owner,
			    const struct session_callbacks *callbacks, void *arg)
{
	struct session *s = calloc(1, sizeof(*s));
	struct timeval now = { 0, 0 };

	if (!s) {
		closer_close(fd);
		return NULL;
	}
	s->host = host;
	s->id = id;
	s->spec = *spec;
	memset(spec, 0, sizeof(*spec));
	s->fd = fd;
	s->owner = *owner;
	s->callbacks = *callbacks;
	s->arg = arg;
	s->started = time(NULL);
	sessionload_init(&s->load, host->kernel, &s->spec, &host->points);
	lent_move(&s->load.lent, lent);
	sessionlog_init(&s->log, id, &s->owner, &s->load);
	/* the event is there for nothing else yet, and callbacks may come only later */
	s->turn = evtimer_new(host->base, begin, s);
	if (s->turn && !evtimer_add(s->turn, &now))
		return s;
	session_free(s);
	return NULL;
}

void session_orphan(struct session *s)
{
	s->orphaned = true;
	session_stop(s, "client");
}

void session_free(struct session *s)
{
	if (!s)
		return;
	filterproc_cancel(s->compiling);
	if (s->stats)
		event_free(s->stats);
	if (s->turn)
		event_free(s->turn);
	delivery_close(&s->delivery);
	json_object_put(s->gathering);
	sessionload_dispose(&s->load, s->host->reaper);
	if (s->fd >= 0)
		closer_close(s->fd);
	spec_clear(&s->spec);
	free(s);
}

uint64_t session_id(const struct session *s)
{
	return s->id;
}

const struct session_owner *session_owner(const struct session *s)
{
	return &s->owner;
}

/* While the worker is at it, the points are the worker's. */
static bool points_are_readable(const struct session *s)
{
	return s->state == RUNNING || s->state == FLUSHING || s->state == ENDED;
}

void session_counters(struct session *s, struct counters *sum)
{
	/* until it is told, the worker may be making the points */
	if (s->told && points_are_readable(s))
		sessionload_sum(&s->load, &s->counted);
	*sum = s->counted;
}

struct json_object *session_to_json(struct session *s)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_object_object_add(o, "id", json_object_new_int64(s->id));
	json_object_object_add(o, "uid", json_object_new_int64(s->owner.uid));
	json_object_object_add(o, "pid", json_object_new_int64(s->owner.pid));
	json_object_object_add(o, "state", json_object_new_string(state_names[s->state]));
	json_object_object_add(o, "started", json_object_new_int64(s->started));
	if (s->spec.filter)
		json_object_object_add(o, "filter", json_object_new_string(s->spec.filter));
	if (s->state == RUNNING)
		s->load.missed_shared = hooks_missed(&s->load.hooks);
	if (points_are_readable(s))
		loadreport_add(&s->load, s->told, o);
	else
		loadreport_add_nothing(o);
	return o;
}
