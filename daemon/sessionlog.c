/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "daemon/journal.h"
#include "daemon/refusal.h"
#include "daemon/sessionlog.h"
#include "daemon/wallclock.h"
#include "quote.h"

#define POINTS_SHOWN 8

static void begin(struct journal_entry *e, enum journal_message message, int priority, const struct sessionlog *s)
{
	journal_begin(e, message, priority);
	journal_number(e, "NETCAP_SESSION", s->id);
	journal_number(e, "NETCAP_UID", s->owner->uid);
	if (s->owner->pid)
		journal_number(e, "NETCAP_PID", s->owner->pid);
	journal_text(e, "NETCAP_COMM", s->owner->comm);
}

/* What was asked for. Of the trace points, the first few, with commas between; whole names only. */
static void add_request(struct journal_entry *e, const struct sessionload *load)
{
	const struct probe_list *probes = &load->probes;
	char text[POINTS_SHOWN * 64] = "";
	size_t len = 0;

	for (size_t i = 0; i < probes->count && i < POINTS_SHOWN; i++) {
		const char *name = probes->items[i].text;

		if (len + strlen(name) + 2 > sizeof(text))
			break;
		len += snprintf(text + len, sizeof(text) - len, "%s%s", len ? "," : "", name);
	}
	journal_text(e, "NETCAP_FILTER", load->spec->filter);
	journal_text(e, "NETCAP_POINTS", text);
	journal_number(e, "NETCAP_POINT_COUNT", probes->count);
}

void sessionlog_init(struct sessionlog *s, uint64_t id, const struct session_owner *owner, struct sessionload *load)
{
	*s = (struct sessionlog){ .id = id, .owner = owner, .load = load, .began = wallclock_monotonic() };
}

void sessionlog_started(const struct sessionlog *s)
{
	const char *filter = s->load->spec->filter ? s->load->spec->filter : "";
	size_t count = s->load->probes.count;
	struct journal_entry e;
	struct quote quoted;

	begin(&e, JOURNAL_SESSION_STARTED, LOG_INFO, s);
	add_request(&e, s->load);
	journal_send(&e, "session %" PRIu64 " of uid %u started: %zu trace point%s, filter %s", s->id,
		     (unsigned)s->owner->uid, count, count == 1 ? "" : "s",
		     quote_text(&quoted, filter, strlen(filter)));
}

void sessionlog_lost(struct sessionlog *s)
{
	struct journal_entry e;

	if (s->stalled)
		return;
	s->stalled = true;
	begin(&e, JOURNAL_STALLED, LOG_NOTICE, s);
	journal_send(&e, "session %" PRIu64 " of uid %u loses packets: its client does not read fast enough", s->id,
		     (unsigned)s->owner->uid);
}

static void add_counters(struct journal_entry *e, const struct counters *c)
{
	journal_number(e, "NETCAP_HITS", c->hits);
	journal_number(e, "NETCAP_FILTERED", c->filtered);
	journal_number(e, "NETCAP_CAPTURED", c->captured);
	journal_number(e, "NETCAP_LOST_RING", c->lost_ring);
	journal_number(e, "NETCAP_LOST_CLIENT", c->lost_client);
	journal_number(e, "NETCAP_LIMITED", c->limited);
	journal_number(e, "NETCAP_MISSED", c->missed);
}

static void write_stall_end(const struct sessionlog *s, const struct counters *sum)
{
	struct journal_entry e;

	begin(&e, JOURNAL_STALL_ENDED, LOG_NOTICE, s);
	add_counters(&e, sum);
	journal_send(&e,
		     "session %" PRIu64 " of uid %u lost %" PRIu64 " packets because its client did not read fast "
		     "enough, and captured %" PRIu64,
		     s->id, (unsigned)s->owner->uid, sum->lost_client, sum->captured);
}

void sessionlog_ended(const struct sessionlog *s, const char *reason)
{
	uint64_t seconds = (wallclock_monotonic() - s->began) / 1000000000;
	struct journal_entry e;
	struct counters sum;

	sessionload_sum(s->load, &sum);
	sum.missed += s->load->missed_shared;
	if (s->stalled)
		write_stall_end(s, &sum);
	begin(&e, JOURNAL_SESSION_ENDED, LOG_INFO, s);
	journal_text(&e, "NETCAP_REASON", reason);
	journal_number(&e, "NETCAP_SECONDS", seconds);
	add_request(&e, s->load);
	add_counters(&e, &sum);
	journal_send(&e,
		     "session %" PRIu64 " of uid %u ended after %" PRIu64 " s (%s): %" PRIu64 " of %" PRIu64
		     " packets captured, %" PRIu64 " lost",
		     s->id, (unsigned)s->owner->uid, seconds, reason, sum.captured, sum.hits,
		     sum.lost_ring + sum.lost_client);
}

static const char *member(struct json_object *parameters, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(parameters, name, &value) || !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

void sessionlog_refused(const struct sessionlog *s, const char *error, struct json_object *parameters)
{
	struct peer peer = { .uid = s->owner->uid, .pid = s->owner->pid };

	memcpy(peer.comm, s->owner->comm, sizeof(peer.comm));
	refusal_log_session(&peer, s->id, error, member(parameters, "field"), member(parameters, "message"));
}
