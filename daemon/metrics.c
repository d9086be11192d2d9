/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/deferred.h"
#include "daemon/dropreason.h"
#include "daemon/jsonmake.h"
#include "daemon/metrics.h"
#include "daemon/netstats.h"
#include "daemon/openmetrics.h"
#include "daemon/wallclock.h"
#include "version.h"

static const char no_memory[] = "the daemon has no memory for this call; try again later";

/* ---- in the event loop ---- */

static void take_drops(struct metrics *m, struct history *history)
{
	const struct historyfile_row *r = history_row(history, HISTORY_OVERFLOW);

	m->overflow = (struct history_counts){r->packets, r->bytes};
	m->drop_count = history_count(history);
	for (size_t i = 0; i < m->drop_count; i++) {
		struct metrics_drop *d = &m->drops[i];

		r = history_row(history, i);
		d->number = r->key.reason;
		d->netns = r->key.netns;
		memcpy(d->reason, r->reason, sizeof(d->reason));
		memcpy(d->device, r->device, sizeof(d->device));
		d->counts = (struct history_counts){r->packets, r->bytes};
	}
}

struct metrics *metrics_take(const struct methods *from)
{
	struct history *history = NULL;
	struct metrics *m;

	if (from->ledger)
		ledger_read(from->ledger);
	/* one that cannot be read any more would stand still as if nothing was dropped */
	if (from->ledger && !ledger_why(from->ledger))
		history = ledger_history(from->ledger);
	m = calloc(1, sizeof(*m) + (history ? history_count(history) : 0) * sizeof(m->drops[0]));
	if (!m)
		return NULL;
	m->kernel = from->host->kernel;
	m->source = &from->baseline->source;
	m->uptime = wallclock_monotonic() - from->started;
	m->sessions = sessions_count(from->sessions);
	sessions_counters(from->sessions, &m->captured);
	if (history) {
		m->ledger = from->ledger;
		take_drops(m, history);
	}
	return m;
}

/* ---- drops ---- */

static int by_labels(const void *left, const void *right)
{
	const struct metrics_drop *a = left, *b = right;

	return strcmp(a->reason, b->reason) ?: strcmp(a->subsystem, b->subsystem) ?:
	       strcmp(a->device, b->device) ?: (a->netns > b->netns) - (a->netns < b->netns);
}

/* A series is of all places, protocols and ports. */
static void sum_up(struct metrics *m)
{
	size_t kept = 0;

	qsort(m->drops, m->drop_count, sizeof(m->drops[0]), by_labels);
	for (size_t i = 0; i < m->drop_count; i++) {
		const struct metrics_drop *d = &m->drops[i];

		if (kept && !by_labels(&m->drops[kept - 1], d)) {
			m->drops[kept - 1].counts.packets += d->counts.packets;
			m->drops[kept - 1].counts.bytes += d->counts.bytes;
		} else {
			m->drops[kept++] = *d;
		}
	}
	m->drop_count = kept;
}

/* The names that the ledger would show, also of reasons that it still looks for. */
static void name_drops(struct metrics *m)
{
	char known[HISTORYFILE_TEXT_BYTES], made[HISTORYFILE_TEXT_BYTES];

	for (size_t i = 0; i < m->drop_count; i++) {
		struct metrics_drop *d = &m->drops[i];

		if (!d->reason[0] && dropreason_is_foreign(d->number))
			dropreason_search(m->kernel, d->number, d->reason, sizeof(d->reason));
		memcpy(known, d->reason, sizeof(known));
		snprintf(d->reason, sizeof(d->reason), "%s",
			 ledger_reason(m->ledger, d->number, known, made, sizeof(made)));
		snprintf(d->subsystem, sizeof(d->subsystem), "%s",
			 ledger_subsystem(m->ledger, d->number, made, sizeof(made)));
	}
}

static void write_drop(struct openmetrics *o, const struct metrics_drop *d, uint64_t value)
{
	char netns[12];
	const struct openmetrics_label labels[] = {
	    {"reason", d->reason}, {"subsystem", d->subsystem}, {"device", d->device}, {"netns", netns}, {}};

	snprintf(netns, sizeof(netns), "%u", d->netns);
	openmetrics_sample(o, labels, value);
}

static void write_drops(struct openmetrics *o, struct metrics *m)
{
	openmetrics_family(o, OPENMETRICS_GAUGE, "netcap_ledger_running", NULL,
			   "Whether the kernel's drops are counted: 1 or 0.");
	openmetrics_sample(o, NULL, m->ledger != NULL);
	if (!m->ledger)
		return;
	sum_up(m);
	openmetrics_family(o, OPENMETRICS_COUNTER, "netcap_drops_packets", "packets",
			   "Packets that the kernel dropped, of kinds that the drop ledger has room for.");
	for (size_t i = 0; i < m->drop_count; i++)
		write_drop(o, &m->drops[i], m->drops[i].counts.packets);
	openmetrics_family(o, OPENMETRICS_COUNTER, "netcap_drops_bytes", "bytes", "Bytes of these packets.");
	for (size_t i = 0; i < m->drop_count; i++)
		write_drop(o, &m->drops[i], m->drops[i].counts.bytes);
	openmetrics_family(o, OPENMETRICS_COUNTER, "netcap_drops_overflow_packets", "packets",
			   "Packets that the kernel dropped, of kinds that have no room, or no more.");
	openmetrics_sample(o, NULL, m->overflow.packets);
	openmetrics_family(o, OPENMETRICS_COUNTER, "netcap_drops_overflow_bytes", "bytes", "Bytes of these packets.");
	openmetrics_sample(o, NULL, m->overflow.bytes);
}

/* ---- the others ---- */

static void write_lost(struct openmetrics *o, const char *where, uint64_t packets)
{
	const struct openmetrics_label labels[] = {{"where", where}, {}};

	openmetrics_sample(o, labels, packets);
}

static void write_packets(struct openmetrics *o, const char *name, const char *help, uint64_t packets)
{
	openmetrics_family(o, OPENMETRICS_COUNTER, name, "packets", help);
	openmetrics_sample(o, NULL, packets);
}

static void write_captures(struct openmetrics *o, const struct metrics *m)
{
	const struct counters *c = &m->captured;

	openmetrics_family(o, OPENMETRICS_GAUGE, "netcap_sessions", NULL, "Capture sessions that there are.");
	openmetrics_sample(o, NULL, m->sessions);
	write_packets(o, "netcap_capture_hits_packets", "Packets that reached a trace point of a session.", c->hits);
	write_packets(o, "netcap_capture_filtered_packets", "Of these, packets that were not asked for.", c->filtered);
	write_packets(o, "netcap_capture_captured_packets", "Of these, packets handed to a client.", c->captured);
	openmetrics_family(o, OPENMETRICS_COUNTER, "netcap_capture_lost_packets", "packets",
			   "Of these, packets lost because a ring was full or a client did not read.");
	write_lost(o, "ring", c->lost_ring);
	write_lost(o, "client", c->lost_client);
	write_packets(o, "netcap_capture_limited_packets", "Of these, packets after the limit of a session's count.",
		      c->limited);
	openmetrics_family(o, OPENMETRICS_GAUGE, "netcap_capture_in_flight_packets", "packets",
			   "Of these, packets on their way to a client.");
	openmetrics_sample(o, NULL, c->in_flight);
}

static void write_layers(struct openmetrics *o, const struct netcounter_list *layers)
{
	openmetrics_family(o, OPENMETRICS_COUNTER, "netcap_layer_lost", NULL,
			   "What layers of the kernel count as lost or late, since boot.");
	for (size_t i = 0; i < layers->count; i++) {
		const struct netcounter *c = &layers->counters[i];
		const struct openmetrics_label labels[] = {
		    {"layer", netcounter_layer_name(c->layer)}, {"device", c->device}, {"name", c->name}, {}};

		openmetrics_sample(o, labels, c->value);
	}
}

/* Where there are names that all programs use, these. */
static void write_own(struct openmetrics *o, const struct metrics *m, const struct selfusage *own)
{
	const struct openmetrics_label build[] = {{"version", NETCAPD_VERSION}, {}};

	openmetrics_family(o, OPENMETRICS_COUNTER, "process_cpu_seconds", "seconds",
			   "CPU time of netcapd, in user space and in the kernel, without that of BPF programs.");
	openmetrics_seconds(o, own->cpu);
	openmetrics_family(o, OPENMETRICS_GAUGE, "process_resident_memory_bytes", "bytes",
			   "Resident memory of netcapd.");
	openmetrics_sample(o, NULL, own->resident);
	openmetrics_family(o, OPENMETRICS_GAUGE, "process_open_fds", NULL, "Open descriptors of netcapd.");
	openmetrics_sample(o, NULL, own->descriptors);
	openmetrics_family(o, OPENMETRICS_GAUGE, "netcap_uptime_seconds", "seconds", "Time since netcapd started.");
	openmetrics_seconds(o, m->uptime);
	openmetrics_family(o, OPENMETRICS_INFO, "netcap_build", NULL, "The netcapd that runs.");
	openmetrics_sample(o, build, 1);
}

/* ---- on the worker ---- */

char *metrics_text(struct metrics *m, const struct netcounter_list *layers, const struct selfusage *own)
{
	struct openmetrics o;

	if (openmetrics_begin(&o))
		return NULL;
	write_drops(&o, m);
	write_captures(&o, m);
	write_layers(&o, layers);
	write_own(&o, m, own);
	return openmetrics_end(&o);
}

char *metrics_render(struct metrics *m)
{
	struct netstats layers;
	struct selfusage own;
	char *text = NULL;

	if (netstats_read(&layers, m->source))
		return NULL;
	netcounter_merge(&layers.list);
	selfusage_read(&own);
	name_drops(m);
	text = metrics_text(m, &layers.list, &own);
	netstats_clear(&layers);
	return text;
}

static void run(struct deferred_work *work)
{
	char *text = metrics_render(work->data);
	struct json_object *parameters = json_object_new_object();

	parameters = jsonmake_whole(parameters, text && jsonmake_text(parameters, "text", text));
	free(text);
	work->replies = json_object_new_array();
	if (jsonmake_append(work->replies, parameters))
		return;
	json_object_put(work->replies);
	work->replies = NULL;
	snprintf(work->why, sizeof(work->why), "%s", no_memory);
}

void metrics_call(const struct methods *m, struct conn *c)
{
	struct deferred_work work = {.data = metrics_take(m)};

	if (work.data)
		deferred_start(c, m->host->worker, &work, run);
	else
		conn_error(c, "Failed", "", "%s", no_memory);
}
