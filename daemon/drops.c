/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_ether.h>
#include <netinet/in.h>

#include "daemon/deferred.h"
#include "daemon/dropreason.h"
#include "daemon/drops.h"
#include "daemon/jsonmake.h"
#include "daemon/netstats.h"
#include "varlink.h"

#define RECENT_MINUTES 30
#define NS_PER_MINUTE  60000000000ULL

/* One row of the answer: of one row of the history, or of several with the same key. */
struct item {
	struct ledger_key key; /* only what is the same in all of them */
	uint64_t address;      /* of the place of the first of them */
	char location[HISTORYFILE_TEXT_BYTES], reason[HISTORYFILE_TEXT_BYTES];
	char device[LEDGER_NAME_LEN]; /* the names of the first of them */
	struct history_counts counts;
	uint64_t last_minute;
	uint64_t first, last; /* nanoseconds of CLOCK_BOOTTIME */
	uint32_t recent[RECENT_MINUTES];
};

/* How an answer is made. */
struct plan {
	const struct ledger *ledger;
	enum dropsquery_by by;
	int64_t top; /* -1: all */
	int64_t sampled; /* as in struct dropsquery */
	uint64_t unsampled;
	const struct netstats *baseline; /* NULL: layers are not asked for */
	bool changes; /* only what changed since the last answer, instead of a time */
	bool has_since, has_until;
	struct dropsquery_times times;
};

/* What is counted, for the worker to make JSON of it. */
struct answer {
	struct plan plan;
	uint64_t packets, overflow, began;
	size_t count;
	struct item items[];
};

/* A caller that follows. */
struct follower {
	struct ledger_follower link;
	struct ledger *ledger;
	struct conn *conn;
	struct plan plan;
};

/* ---- rows ---- */

/* What is the same in rows that are summed. */
static struct ledger_key common(const struct ledger_key *key, enum dropsquery_by by)
{
	struct ledger_key same = {};

	if (by == DROPSQUERY_BY_NOTHING)
		same = *key;
	else if (by == DROPSQUERY_BY_REASON)
		same.reason = key->reason;
	else if (by == DROPSQUERY_BY_LOCATION)
		same.location = key->location;
	else if (by == DROPSQUERY_BY_PROTO)
		same.protocol = key->protocol;
	if (by == DROPSQUERY_BY_PROTO)
		same.transport = key->transport;
	if (by == DROPSQUERY_BY_DEV)
		same.ifindex = key->ifindex;
	if (by == DROPSQUERY_BY_DEV || by == DROPSQUERY_BY_NETNS)
		same.netns = key->netns;
	return same;
}

static struct history_counts counts_of(const struct plan *p, unsigned number)
{
	struct history *history = ledger_history(p->ledger);

	if (p->changes)
		return *history_change(history, number);
	return history_between(history_row(history, number), p->times.since, p->times.until, p->times.now);
}

static void fill(const struct plan *p, const struct historyfile_row *r, struct item *i)
{
	uint64_t minute = p->times.now > NS_PER_MINUTE ? p->times.now - NS_PER_MINUTE : 1;

	i->key = common(&r->key, p->by);
	i->address = r->key.location;
	memcpy(i->location, r->location, sizeof(i->location));
	memcpy(i->reason, r->reason, sizeof(i->reason));
	memcpy(i->device, r->device, sizeof(i->device));
	i->last_minute = history_between(r, minute, p->times.now, p->times.now).packets;
	i->first = r->first;
	i->last = r->last;
	history_minutes(r, p->times.now, i->recent, RECENT_MINUTES);
}

static void add(struct item *sum, const struct item *more)
{
	sum->counts.packets += more->counts.packets;
	sum->counts.bytes += more->counts.bytes;
	sum->last_minute += more->last_minute;
	if (more->first < sum->first)
		sum->first = more->first;
	if (more->last > sum->last)
		sum->last = more->last;
	for (int i = 0; i < RECENT_MINUTES; i++)
		sum->recent[i] += more->recent[i];
}

static int by_key(const void *a, const void *b)
{
	return memcmp(&((const struct item *)a)->key, &((const struct item *)b)->key, sizeof(struct ledger_key));
}

/* Most packets first; what has as many stays in one order. */
static int by_packets(const void *a, const void *b)
{
	uint64_t x = ((const struct item *)a)->counts.packets, y = ((const struct item *)b)->counts.packets;

	return x > y ? -1 : x < y ? 1 : by_key(a, b);
}

/* Sums items with the same key. Returns how many are left. */
static size_t sum_up(struct item *items, size_t count)
{
	size_t kept = 0;

	qsort(items, count, sizeof(*items), by_key);
	for (size_t i = 0; i < count; i++) {
		if (kept && !by_key(&items[kept - 1], &items[i]))
			add(&items[kept - 1], &items[i]);
		else
			items[kept++] = items[i];
	}
	return kept;
}

/* The rows that have something; their order and sums are for later. NULL: out of memory. */
static struct answer *collect(const struct plan *p)
{
	struct history *history = ledger_history(p->ledger);
	unsigned rows = history_count(history);
	struct answer *a = malloc(sizeof(*a) + rows * sizeof(a->items[0]));

	if (!a)
		return NULL;
	*a = (struct answer){ .plan = *p, .began = history_began(history) };
	a->overflow = counts_of(p, HISTORY_OVERFLOW).packets;
	for (unsigned i = 0; i < rows; i++) {
		struct history_counts counts = counts_of(p, i);

		if (!counts.packets)
			continue;
		fill(p, history_row(history, i), &a->items[a->count]);
		a->items[a->count++].counts = counts;
		a->packets += counts.packets;
	}
	return a;
}

/* Those with the most packets first, and no more than are wanted. */
static void arrange(struct answer *a)
{
	a->count = sum_up(a->items, a->count);
	qsort(a->items, a->count, sizeof(*a->items), by_packets);
	if (a->plan.top >= 0 && (size_t)a->plan.top < a->count)
		a->count = a->plan.top;
}

/* ---- JSON ---- */

static const char *protocol_text(uint16_t protocol, char *text, size_t size)
{
	switch (protocol) {
	case ETH_P_IP:
		return "ipv4";
	case ETH_P_IPV6:
		return "ipv6";
	case ETH_P_ARP:
		return "arp";
	}
	snprintf(text, size, "0x%04x", protocol);
	return text;
}

static const char *transport_text(uint8_t transport, char *text, size_t size)
{
	switch (transport) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	case IPPROTO_SCTP:
		return "sctp";
	case LEDGER_TRANSPORT_NONE:
		return "";
	}
	snprintf(text, size, "%u", transport);
	return text;
}

static int64_t microseconds(const struct plan *p, uint64_t boottime)
{
	return ((int64_t)boottime + p->times.offset) / 1000;
}

static struct json_object *recent_json(const struct item *i)
{
	struct json_object *array = json_object_new_array();
	bool ok = array;

	for (int m = 0; m < RECENT_MINUTES; m++)
		ok = ok && jsonmake_append(array, json_object_new_int64(i->recent[m]));
	return jsonmake_whole(array, ok);
}

/* The name, or the address: of a new place in an answer that the loop makes. */
static const char *location_text(const struct item *i, char *text, size_t size)
{
	return i->location[0] ? i->location : symbols_name(NULL, i->address, text, size);
}

/* The members that say of which kind the drops are; empty where they differ. */
static bool add_kind(const struct plan *p, const struct item *i, struct json_object *o)
{
	static const char *const ports[] = { "", "system", "user", "dynamic" };
	bool all = p->by == DROPSQUERY_BY_NOTHING, reason = all || p->by == DROPSQUERY_BY_REASON,
	     proto = all || p->by == DROPSQUERY_BY_PROTO;
	char name[HISTORYFILE_TEXT_BYTES], subsystem[HISTORYFILE_TEXT_BYTES], address[24], protocol[8],
		transport[8];

	return jsonmake_text(o, "reason", 
			     reason ? ledger_reason(p->ledger, i->key.reason, i->reason, name, sizeof(name)) : "") &&
	       jsonmake_text(o, "subsystem",
			     reason ? ledger_subsystem(p->ledger, i->key.reason, subsystem, sizeof(subsystem)) : "") &&
	       jsonmake_text(o, "location", 
			     all || p->by == DROPSQUERY_BY_LOCATION ? location_text(i, address, sizeof(address)) : "") &&
	       jsonmake_name(o, "device", all || p->by == DROPSQUERY_BY_DEV ? i->device : "") &&
	       jsonmake_number(o, "ifindex", i->key.ifindex) && jsonmake_number(o, "netns", i->key.netns) &&
	       jsonmake_text(o, "protocol",
			     proto ? protocol_text(i->key.protocol, protocol, sizeof(protocol)) : "") &&
	       jsonmake_text(o, "transport",
			     proto ? transport_text(i->key.transport, transport, sizeof(transport)) : "") &&
	       jsonmake_text(o, "ports", ports[i->key.ports % 4]);
}

static struct json_object *item_json(const struct plan *p, const struct item *i)
{
	struct json_object *o = json_object_new_object();

	return jsonmake_whole(o, add_kind(p, i, o) && jsonmake_number(o, "packets", i->counts.packets) &&
				 jsonmake_number(o, "bytes", i->counts.bytes) &&
				 jsonmake_number(o, "lastMinute", i->last_minute) &&
				 jsonmake_number(o, "first", microseconds(p, i->first)) &&
				 jsonmake_number(o, "last", microseconds(p, i->last)) &&
				 jsonmake_add(o, "recent", recent_json(i)));
}

static struct json_object *rows_json(const struct answer *a)
{
	struct json_object *rows = json_object_new_array();
	bool ok = rows;

	for (size_t i = 0; ok && i < a->count; i++)
		ok = jsonmake_append(rows, item_json(&a->plan, &a->items[i]));
	return jsonmake_whole(rows, ok);
}

static unsigned resolution(const struct plan *p)
{
	if (!p->changes && p->has_since)
		return history_resolution(p->times.since, p->times.now);
	return !p->changes && p->has_until ? history_resolution(p->times.until, p->times.now) : 1;
}

/* The parameters of a reply. NULL: out of memory. */
static struct json_object *answer_json(struct answer *a)
{
	struct json_object *o = json_object_new_object();
	bool ok;

	arrange(a);
	ok = jsonmake_add(o, "rows", rows_json(a)) && jsonmake_number(o, "packets", a->packets) &&
	     jsonmake_number(o, "overflow", a->overflow) &&
	     jsonmake_number(o, "resolution", resolution(&a->plan)) &&
	     jsonmake_number(o, "began", microseconds(&a->plan, a->began)) &&
	     (!a->plan.baseline || jsonmake_add(o, "layers", netstats_json(a->plan.baseline)));
	if (a->plan.sampled >= 0)
		ok = ok && jsonmake_number(o, "samples", a->plan.sampled) &&
		     jsonmake_number(o, "unsampled", a->plan.unsampled);
	return jsonmake_whole(o, ok);
}

/* ---- the call ---- */

/* Names that the ledger does not have yet, as their rows are new: it asks for them at the same time. */
static void name_new(struct answer *a, const struct kernel *k)
{
	struct symbols *symbols = NULL;
	bool tried = false;

	for (size_t n = 0; n < a->count; n++) {
		struct item *i = &a->items[n];

		if (!i->location[0]) {
			if (!tried)
				symbols = symbols_new();
			tried = true;
			symbols_name(symbols, i->address, i->location, sizeof(i->location));
		}
		if (!i->reason[0] && dropreason_is_foreign(i->key.reason))
			dropreason_search(k, i->key.reason, i->reason, sizeof(i->reason));
	}
	symbols_free(symbols);
}

/* On the worker. */
static void run(struct deferred_work *work)
{
	name_new(work->data, work->kernel);
	work->replies = json_object_new_array();
	if (jsonmake_append(work->replies, answer_json(work->data)))
		return;
	json_object_put(work->replies);
	work->replies = NULL;
	snprintf(work->why, sizeof(work->why), "the daemon has no memory for this answer; ask for fewer rows (top)");
}

static struct json_object *changes_reply(const struct plan *p, bool more)
{
	struct answer *a = collect(p);
	struct json_object *parameters = a ? answer_json(a) : NULL;

	free(a);
	/* NULL would become an empty object */
	return parameters ? varlink_reply(parameters, more) : NULL;
}

static void forget(struct follower *f)
{
	ledger_unfollow(f->ledger, &f->link);
	free(f);
}

static void changed(struct ledger_follower *link, bool last)
{
	struct follower *f = (struct follower *)link;
	int r;

	dropsquery_read_clocks(&f->plan.times);
	r = conn_send(f->conn, changes_reply(&f->plan, !last), last);
	if (r && !last)
		conn_error(f->conn, "Failed", "",
			   "the replies do not fit into the daemon's buffer; read faster, or ask for fewer rows (top)");
	if (r || last)
		forget(f);
}

/* The caller wants no more, but what there is. */
static void half_closed(void *arg)
{
	struct follower *f = arg;

	ledger_read(f->ledger);
	changed(&f->link, true);
}

static void abandoned(void *arg)
{
	forget(arg);
}

static void follow(struct ledger *ledger, struct conn *c, const struct plan *plan)
{
	static const struct conn_operation operation = { .half_closed = half_closed, .abandoned = abandoned };
	struct follower *f = calloc(1, sizeof(*f));

	if (!f) {
		conn_error(c, "Failed", "", "the daemon has no memory for this call; try again later");
		return;
	}
	*f = (struct follower){ .link.changed = changed, .ledger = ledger, .conn = c, .plan = *plan };
	f->plan.changes = true;
	if (f->plan.top < 0 || f->plan.top > DROPS_FOLLOWED_ROWS)
		f->plan.top = DROPS_FOLLOWED_ROWS;
	ledger_follow(ledger, &f->link);
	conn_defer(c, &operation, f);
}

static void answer(struct ledger *ledger, const struct kernel *k, struct worker *worker, struct conn *c,
		   struct plan *plan, const struct dropsquery *query)
{
	struct deferred_work work = { .kernel = k };

	ledger_read(ledger);
	dropsquery_read_times(query, &plan->times);
	work.data = collect(plan);
	if (work.data)
		deferred_start(c, worker, &work, run);
	else
		conn_error(c, "Failed", "", "the daemon has no memory for this call; try again later");
}

void drops_call(struct ledger *ledger, const char *why, const struct netstats *baseline, const struct session_host *host,
		struct conn *c, const struct dropsquery *query, bool more)
{
	struct plan plan = {
		.ledger = ledger,
		.by = dropsquery_by(query->by),
		.top = query->top,
		.has_since = query->since >= 0,
		.has_until = query->until >= 0,
		.sampled = query->sampled,
		.unsampled = query->unsampled,
	};

	if (query->layers)
		plan.baseline = baseline;
	if (!dropsquery_check(c, query, more))
		return;
	if (!ledger || ledger_why(ledger))
		conn_error(c, "Failed", "", "%s", ledger ? ledger_why(ledger) : why);
	else if (more)
		follow(ledger, c, &plan);
	else
		answer(ledger, host->kernel, host->worker, c, &plan, query);
}
