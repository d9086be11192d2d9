/* SPDX-License-Identifier: BSD-2-Clause */
#include "summary.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include "counters.h"
#include "duration.h"
#include "jsonget.h"
#include "limit.h"
#include "text.h"

static void print_filter(FILE *out, struct json_object *session)
{
	const char *filter = jsonget_string(session, "filter");

	if (filter) {
		fputs(" matching \"", out);
		text_print_safe(out, filter);
		putc('"', out);
	}
}

#define FAILED_SHOWN 10 /* trace points named one by one */
#define POINTS_SHOWN 20

static void print_remark(FILE *out, const char *what, const char *name, const char *why)
{
	fprintf(out, "%s: ", what);
	text_print_safe(out, name ? name : "?");
	fputs(": ", out);
	text_print_safe(out, why);
	putc('\n', out);
}

static void print_tracking_note(FILE *out, struct json_object *session)
{
	const char *note = jsonget_string(jsonget_object(session, "tracking"), "note");

	if (!note)
		return;
	fputs("not everything can be followed: ", out);
	text_print_safe(out, note);
	putc('\n', out);
}

void summary_attached(FILE *out, struct json_object *session)
{
	struct json_object *points = jsonget_array(session, "points");
	size_t count = points ? json_object_array_length(points) : 0, attached = 0, failed = 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *point = json_object_array_get_idx(points, i);
		const char *name = jsonget_string(point, "name");
		const char *reason = jsonget_string(point, "reason");
		const char *note = jsonget_string(point, "note");

		if (!reason)
			attached++;
		if (reason && ++failed <= FAILED_SHOWN)
			print_remark(out, "not attached", name, reason);
		else if (!reason && note)
			print_remark(out, "partly attached", name, note);
	}
	if (failed > FAILED_SHOWN)
		fprintf(out, "and %zu more were not attached\n", failed - FAILED_SHOWN);
	print_tracking_note(out, session);
	fprintf(out, "capturing at %zu trace point%s", attached, attached == 1 ? "" : "s");
	print_filter(out, session);
	fputs("; Ctrl-C ends it\n", out);
}

static void print_counters(FILE *out, const char *name, const struct counters *c)
{
	text_print_safe(out, name);
	fprintf(out,
		": %" PRIu64 " hits = %" PRIu64 " filtered + %" PRIu64 " captured + %" PRIu64
		" lost (%" PRIu64 " ring, %" PRIu64 " slow client) + %" PRIu64 " limited",
		c->hits, c->filtered, c->captured, c->lost_ring + c->lost_client, c->lost_ring,
		c->lost_client, c->limited);
	if (c->in_flight)
		fprintf(out, " + %" PRIu64 " on the way", c->in_flight);
	if (c->missed)
		fprintf(out, "; %" PRIu64 " missed", c->missed);
	putc('\n', out);
}

static void print_points(FILE *out, struct json_object *session)
{
	struct json_object *points = jsonget_array(session, "points"), *value;
	size_t count = points ? json_object_array_length(points) : 0, silent = 0;
	struct counters c;

	for (size_t i = 0; count > 1 && i < count; i++) {
		struct json_object *point = json_object_array_get_idx(points, i);
		const char *name = jsonget_string(point, "name");

		memset(&c, 0, sizeof(c));
		if (!name || !json_object_object_get_ex(point, "counters", &value) ||
		    counters_from_json(&c, value))
			continue;
		if (!c.hits && jsonget_string(point, "reason"))
			continue; /* it was told at the start that it could not be attached */
		if (!c.hits && count > POINTS_SHOWN) {
			silent++;
			continue;
		}
		fputs("  ", out);
		print_counters(out, name, &c);
	}
	silent += (size_t)jsonget_integer(session, "silent");
	if (silent)
		fprintf(out, "  %zu other trace points were never hit\n", silent);
}

static void print_tracking(FILE *out, struct json_object *session, const struct options *o)
{
	struct json_object *tracking = jsonget_object(session, "tracking");
	int64_t packets = jsonget_integer(tracking, "packets"), evicted = jsonget_integer(tracking, "evicted");
	int64_t missed = jsonget_integer(tracking, "missed");
	const char *more = "";

	if (!tracking)
		return;
	/* of those that were gathered it is said how many they were */
	if (!o->spec.gather && evicted && o->spec.track_size < LIMIT_TRACK_MAX)
		more = ": more could be followed at a time with a larger --track-size";
	if (!o->spec.gather || evicted)
		fprintf(out, "%" PRId64 " packet%s tracked, %" PRId64 " evicted%s.\n", packets, packets == 1 ? "" : "s",
			evicted, more);
	if (missed)
		fprintf(out,
			"%" PRId64 " times the kernel did not run a program that sees packets copied and freed, since it "
			"ran already: a copy may not have been followed, or a number may stand for two packets.\n",
			missed);
}

static void print_advice(FILE *out, const struct counters *c, const struct options *o)
{
	if (c->lost_ring && o->spec.ring_bytes < LIMIT_RING_MAX)
		fprintf(out,
			"%" PRIu64 " packets were lost because the ring was full: a larger one may "
			"help (--ring-size, now %" PRId64 " bytes), or a narrower filter (-e).\n",
			c->lost_ring, o->spec.ring_bytes);
	else if (c->lost_ring)
		fprintf(out, "%" PRIu64 " packets were lost because the ring was full: narrow the "
			     "filter (-e).\n", c->lost_ring);
	if (c->lost_client)
		fprintf(out,
			"%" PRIu64
			" packets were lost because they were not taken fast enough: %s.\n",
			c->lost_client,
			o->write_path ? "write to a faster disk, or narrow the filter (-e)" :
					"write to a file (-w FILE), or narrow the filter (-e)");
	if (c->missed)
		fprintf(out,
			"%" PRIu64 " more were not seen at all: the kernel does not run a program "
			"inside itself.\n",
			c->missed);
}

/* What was not looked at in user space. */
static void print_user_space(FILE *out, struct json_object *session)
{
	struct json_object *read = jsonget_object(session, "userSpace");
	int64_t unreadable = jsonget_integer(read, "unreadable"), beyond = jsonget_integer(read, "beyond");

	if (unreadable)
		fprintf(out,
			"%" PRId64 " packets in user space could not be read (a wrong address, or memory that is not there yet), and "
			"count as filtered.\n",
			unreadable);
	if (beyond)
		fprintf(out,
			"%" PRId64 " packets in user space were behind the first %d of an array, and were not looked at: or its length is "
			"wrong.\n",
			beyond, LIMIT_BURST);
}

/* Captured are events, of which the stream holds whole packets: those that were asked for. */
static void print_gathered(FILE *out, struct json_object *session, const struct options *o, uint64_t received)
{
	int64_t packets = jsonget_integer(jsonget_object(session, "gathering"), "packets");
	char slower[DURATION_TEXT];

	if (o->spec.slower_ns)
		fprintf(out, "%" PRIu64 " packets were slower than %s.\n", received,
			duration_format((uint64_t)o->spec.slower_ns, " ", slower));
	else if (!o->spec.histogram && (int64_t)received != packets)
		fprintf(out, "the data stream held %" PRIu64 " of the %" PRId64 " packets that were gathered.\n",
			received, packets);
}

static void print_delivery(FILE *out, const struct counters *c, const struct options *o,
			   const struct sink *sink, uint64_t received)
{
	if (!o->spec.gather && received != c->captured)
		fprintf(out, "the data stream held %" PRIu64 " of the %" PRIu64
			     " captured packets.\n", received, c->captured);
	if (o->write_path)
		fprintf(out, "%" PRIu64 " packets written to %s.\n", sink->packets,
			strcmp(o->write_path, "-") ? o->write_path : "standard output");
	else if (sink->packets != received)
		fprintf(out, "%" PRIu64 " of %" PRIu64 " packets were printed.\n", sink->packets,
			received);
	if (sink->skipped)
		fprintf(out,
			"%" PRIu64 " packets without packet headers were left out: classic pcap "
			"cannot hold them, pcapng can.\n",
			sink->skipped);
}

void summary_ended(FILE *out, struct json_object *session, const char *reason,
		   const struct options *o, const struct sink *sink, uint64_t received)
{
	struct json_object *value = NULL;
	struct counters c = {0};
	char name[64];

	if (!json_object_object_get_ex(session, "counters", &value) ||
	    counters_from_json(&c, value)) {
		fputs("the daemon sent no final counts.\n", out);
		return;
	}
	snprintf(name, sizeof(name), "session %" PRId64 " ended (%s)",
		 jsonget_integer(session, "id"), reason ? reason : "no reason given");
	print_counters(out, name, &c);
	print_points(out, session);
	print_tracking(out, session, o);
	print_user_space(out, session);
	print_advice(out, &c, o);
	if (!c.lost_ring && !c.lost_client)
		fputs("nothing was lost.\n", out);
	if (o->spec.gather)
		print_gathered(out, session, o, received);
	print_delivery(out, &c, o, sink, received);
}
