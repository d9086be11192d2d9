/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/queue.h>

#include "daemon/droplog.h"

#define SECOND_NS    1000000000ULL
#define MINUTE_NS    (60 * SECOND_NS)
#define BUCKETS      256
#define REASON_BYTES 64
#define SUBSYSTEM_BYTES 32
#define LOCATION_BYTES 128
#define DEVICE_BYTES 16

/* A reason at a location on a device, which only its network namespace makes a certain one. */
struct key {
	LIST_ENTRY(key) link;
	uint32_t hash;
	char reason[REASON_BYTES], location[LOCATION_BYTES], device[DEVICE_BYTES];
	uint64_t netns;
	char subsystem[SUBSYSTEM_BYTES]; /* goes with the reason */
	bool told;        /* its first entry was made or suppressed */
	uint64_t packets; /* since the last summary */
	uint64_t total;   /* packets since it is known */
};

/* Lets through so many in any minute: the last so many were at these times. */
struct limiter {
	unsigned most, next;
	uint64_t count;  /* let through so far */
	uint64_t *times; /* owned; most of them */
};

/* None of the three takes another one's entries. */
struct budget {
	struct limiter seen, summaries, suppressed;
};

struct droplog {
	struct droplog_options options;
	droplog_send send;
	void *arg;
	LIST_HEAD(, key) buckets[BUCKETS]; /* keys are owned */
	struct key *keys[DROPLOG_KEYS_MOST]; /* the same, without gaps */
	size_t count;
	struct key others;
	struct budget budget;
	uint64_t began;              /* the interval */
	uint64_t counting_since;     /* what is suppressed */
	uint64_t suppressed_packets, suppressed_entries;
};

/* ---- how many entries ---- */

static bool limiter_init(struct limiter *l, unsigned most)
{
	*l = (struct limiter){ .most = most, .times = calloc(most ? most : 1, sizeof(*l->times)) };
	return l->times != NULL;
}

static bool limiter_pass(struct limiter *l, uint64_t now)
{
	if (!l->most || (l->count >= l->most && now - l->times[l->next] < MINUTE_NS))
		return false;
	l->times[l->next] = now;
	l->next = (l->next + 1) % l->most;
	l->count++;
	return true;
}

static void free_budget(struct budget *b)
{
	free(b->seen.times);
	free(b->summaries.times);
	free(b->suppressed.times);
}

/* One of a minute's entries is kept for what is suppressed; the others are shared. */
static bool share_budget(struct budget *b, unsigned lines)
{
	bool ok = limiter_init(&b->seen, lines / 2);

	ok = limiter_init(&b->summaries, lines ? lines - lines / 2 - 1 : 0) && ok;
	return limiter_init(&b->suppressed, lines ? 1 : 0) && ok;
}

/* ---- keys ---- */

static uint32_t hash_text(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619;
	return (hash ^ '@') * 16777619;
}

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void init_key(struct key *k, const struct droplog_row *row)
{
	memset(k, 0, sizeof(*k));
	copy(k->reason, sizeof(k->reason), row->reason);
	copy(k->location, sizeof(k->location), row->location);
	copy(k->device, sizeof(k->device), row->device);
	copy(k->subsystem, sizeof(k->subsystem), row->subsystem);
	k->netns = row->netns;
	k->hash = hash_text(hash_text(hash_text(2166136261, k->reason), k->location), k->device) ^ (uint32_t)k->netns;
}

static bool is_same(const struct key *a, const struct key *b)
{
	return a->hash == b->hash && a->netns == b->netns && !strcmp(a->reason, b->reason) &&
	       !strcmp(a->location, b->location) && !strcmp(a->device, b->device);
}

/* The key like this one, which is made if it is new; the others' if there is no room. */
static struct key *find_key(struct droplog *d, const struct key *wanted)
{
	struct key *k;

	LIST_FOREACH(k, &d->buckets[wanted->hash % BUCKETS], link)
	if (is_same(k, wanted))
		return k;
	k = d->count < DROPLOG_KEYS_MOST ? malloc(sizeof(*k)) : NULL;
	if (!k)
		return &d->others;
	*k = *wanted;
	LIST_INSERT_HEAD(&d->buckets[k->hash % BUCKETS], k, link);
	d->keys[d->count++] = k;
	return k;
}

static void forget_key(struct droplog *d, size_t at)
{
	struct key *k = d->keys[at];

	LIST_REMOVE(k, link);
	d->keys[at] = d->keys[--d->count];
	free(k);
}

/* ---- entries ---- */

static struct droplog_entry entry_of(const struct key *k, enum droplog_kind kind, uint64_t packets)
{
	return (struct droplog_entry){
		.kind = kind,
		.reason = k->reason,
		.subsystem = k->subsystem,
		.location = k->location,
		.device = k->device,
		.netns = k->netns,
		.packets = packets,
		.total = k->total,
	};
}

/* What comes first needs as many packets as a summary. Its packets stay for that. */
static void tell_first(struct droplog *d, struct key *k, uint64_t now, const struct droplog_row *row)
{
	struct droplog_entry e = entry_of(k, DROPLOG_SEEN, row->packets);

	if (k->told || k == &d->others || k->packets < d->options.threshold)
		return;
	k->told = true;
	if (!limiter_pass(&d->budget.seen, now)) {
		d->suppressed_entries++;
		return;
	}
	e.sample = row->sample;
	d->send(d->arg, &e);
}

static void tell_summary(struct droplog *d, struct key *k, uint64_t now)
{
	struct droplog_entry e = entry_of(k, DROPLOG_SUMMARY, k->packets);

	if (!k->packets)
		return;
	k->packets = 0;
	if (e.packets < d->options.threshold) {
		d->suppressed_packets += e.packets;
		return;
	}
	if (!limiter_pass(&d->budget.summaries, now)) {
		d->suppressed_packets += e.packets;
		d->suppressed_entries++;
		return;
	}
	e.seconds = (double)(now - d->began) / SECOND_NS;
	d->send(d->arg, &e);
}

static void tell_suppressed(struct droplog *d, uint64_t now, bool last)
{
	const struct droplog_entry e = {
		.kind = DROPLOG_SUPPRESSED,
		.reason = "",
		.subsystem = "",
		.location = "",
		.device = "",
		.packets = d->suppressed_packets,
		.entries = d->suppressed_entries,
		.seconds = (double)(now - d->counting_since) / SECOND_NS,
	};

	if ((!e.packets && !e.entries) || (!limiter_pass(&d->budget.suppressed, now) && !last))
		return;
	d->suppressed_packets = d->suppressed_entries = 0;
	d->counting_since = now;
	d->send(d->arg, &e);
}

static int by_packets(const void *a, const void *b)
{
	const struct key *const *x = a, *const *y = b;

	return ((*x)->packets < (*y)->packets) - ((*x)->packets > (*y)->packets);
}

/* When all are in use, those that were silent make room. If they come again, they are new. */
static void make_room(struct droplog *d)
{
	if (d->count < DROPLOG_KEYS_MOST)
		return;
	for (size_t i = d->count; i-- > 0;)
		if (!d->keys[i]->packets)
			forget_key(d, i);
}

/* The places with most packets come first, so that they are not the ones without an entry. */
static void end_interval(struct droplog *d, uint64_t now, bool last)
{
	make_room(d);
	qsort(d->keys, d->count, sizeof(*d->keys), by_packets);
	for (size_t i = 0; i < d->count; i++)
		tell_summary(d, d->keys[i], now);
	tell_summary(d, &d->others, now);
	tell_suppressed(d, now, last);
	d->began = now;
}

/* ---- rows ---- */

static bool is_ignored(const struct droplog_options *o, const struct key *k)
{
	char place[REASON_BYTES + LOCATION_BYTES], device[sizeof(place) + DEVICE_BYTES];

	if (!o->ignore_count)
		return false;
	snprintf(place, sizeof(place), "%s@%s", k->reason, k->location);
	snprintf(device, sizeof(device), "%s@%s", place, k->device);
	for (size_t i = 0; i < o->ignore_count; i++)
		if (!fnmatch(o->ignore[i], k->reason, 0) || !fnmatch(o->ignore[i], place, 0) ||
		    !fnmatch(o->ignore[i], device, 0))
			return true;
	return false;
}

static void take_row(struct droplog *d, uint64_t now, const struct droplog_row *row)
{
	struct key wanted, *k;

	init_key(&wanted, row);
	if (!row->packets || is_ignored(&d->options, &wanted))
		return;
	k = find_key(d, &wanted);
	k->packets += row->packets;
	k->total += row->packets;
	tell_first(d, k, now, row);
}

/* Is there anything that is in no entry yet? */
static bool is_pending(const struct droplog *d)
{
	if (d->others.packets || d->suppressed_packets || d->suppressed_entries)
		return true;
	for (size_t i = 0; i < d->count; i++)
		if (d->keys[i]->packets)
			return true;
	return false;
}

uint64_t droplog_due(const struct droplog *d)
{
	return d->options.drops && is_pending(d) ? d->began + d->options.interval_s * SECOND_NS : 0;
}

void droplog_feed(struct droplog *d, uint64_t now, const struct droplog_row *rows, size_t count)
{
	if (!d->options.drops)
		return;
	if (now - d->began >= d->options.interval_s * SECOND_NS && !is_pending(d)) {
		/* nothing happened for longer than that */
		make_room(d);
		d->began = now;
	}
	for (size_t i = 0; i < count; i++)
		take_row(d, now, &rows[i]);
	if (now - d->began >= d->options.interval_s * SECOND_NS)
		end_interval(d, now, false);
}

void droplog_end(struct droplog *d, uint64_t now)
{
	end_interval(d, now, true);
}

int droplog_configure(struct droplog *d, const struct droplog_options *options, uint64_t now)
{
	unsigned lines = d->options.lines_per_minute;
	struct budget budget;

	end_interval(d, now, !options->drops); /* nothing follows when they are turned off */
	d->options = *options;
	if (options->lines_per_minute == lines)
		return 0;
	if (!share_budget(&budget, options->lines_per_minute)) {
		free_budget(&budget);
		d->options.lines_per_minute = lines;
		return -ENOMEM;
	}
	free_budget(&d->budget);
	d->budget = budget;
	return 0;
}

struct droplog *droplog_new(const struct droplog_options *options, uint64_t now, droplog_send send, void *arg)
{
	const struct droplog_row others = { .reason = DROPLOG_OTHERS };
	struct droplog *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->options = *options;
	d->send = send;
	d->arg = arg;
	d->began = d->counting_since = now;
	init_key(&d->others, &others);
	if (share_budget(&d->budget, options->lines_per_minute))
		return d;
	droplog_free(d);
	return NULL;
}

void droplog_free(struct droplog *d)
{
	if (!d)
		return;
	while (d->count)
		forget_key(d, d->count - 1);
	free_budget(&d->budget);
	free(d);
}
