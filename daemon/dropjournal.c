/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>

#include "daemon/dropjournal.h"
#include "daemon/journal.h"

static void begin(struct journal_entry *j, enum journal_message message, const struct droplog_entry *e)
{
	journal_begin(j, message, LOG_INFO);
	journal_text(j, "NETCAP_REASON", e->reason);
	journal_text(j, "NETCAP_SUBSYSTEM", e->subsystem);
	journal_text(j, "NETCAP_LOCATION", e->location);
	journal_text(j, "NETCAP_DEVICE", e->device);
	if (e->netns)
		journal_number(j, "NETCAP_NETNS", e->netns);
	journal_number(j, "NETCAP_PACKETS", e->packets);
}

/* A number of packets or seconds, to a tenth. */
static void add_tenths(struct journal_entry *j, const char *name, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f", value);
	journal_text(j, name, text);
}

/* "NETFILTER_DROP at nf_hook_slow+0xa3 on eth0" */
static void describe_place(const struct droplog_entry *e, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s%s%s", e->reason, *e->location ? " at " : "", e->location,
		 *e->device ? " on " : "", e->device);
}

static void send_seen(const struct droplog_entry *e, const char *place)
{
	const char *flow = e->sample && e->sample->flow ? e->sample->flow : "";
	struct journal_entry j;

	begin(&j, JOURNAL_DROP_SEEN, e);
	journal_text(&j, "NETCAP_FLOW", flow);
	journal_text(&j, "NETCAP_STACK", e->sample ? e->sample->stack : NULL);
	journal_send(&j, "first drops for %s: %" PRIu64 " packet%s%s%s", place, e->packets,
		     e->packets == 1 ? "" : "s", *flow ? ", one of them " : "", flow);
}

static void send_summary(const struct droplog_entry *e, const char *place)
{
	double rate = e->seconds > 0 ? e->packets / e->seconds : 0;
	struct journal_entry j;

	begin(&j, JOURNAL_DROP_SUMMARY, e);
	journal_number(&j, "NETCAP_TOTAL", e->total);
	add_tenths(&j, "NETCAP_SECONDS", e->seconds);
	add_tenths(&j, "NETCAP_RATE", rate);
	journal_send(&j,
		     "dropped for %s: %" PRIu64 " packet%s in %.1f s (%.1f packets/s), %" PRIu64 " since it was first seen",
		     place, e->packets, e->packets == 1 ? "" : "s", e->seconds, rate, e->total);
}

static void send_suppressed(const struct droplog_entry *e)
{
	struct journal_entry j;

	begin(&j, JOURNAL_DROPS_SUPPRESSED, e);
	journal_number(&j, "NETCAP_SUPPRESSED", e->entries);
	add_tenths(&j, "NETCAP_SECONDS", e->seconds);
	journal_send(&j, "dropped besides, in %.1f s: %" PRIu64 " packet%s; %" PRIu64 " entries suppressed", e->seconds,
		     e->packets, e->packets == 1 ? "" : "s", e->entries);
}

void dropjournal_send(void *arg, const struct droplog_entry *e)
{
	char place[512];

	describe_place(e, place, sizeof(place));
	if (e->kind == DROPLOG_SEEN)
		send_seen(e, place);
	else if (e->kind == DROPLOG_SUMMARY)
		send_summary(e, place);
	else
		send_suppressed(e);
}
