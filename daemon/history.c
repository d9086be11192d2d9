/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sys/queue.h>

#include "daemon/history.h"

#define NS_PER_S 1000000000ULL
#define BUCKETS  1024 /* of the index; a power of 2 */

/* What is found anew at each start. */
struct slot {
	TAILQ_ENTRY(slot) age;
	LIST_ENTRY(slot) chain;
};

struct history {
	struct historyfile file; /* owned */
	struct slot slots[HISTORYFILE_ROWS];
	TAILQ_HEAD(ages, slot) ages; /* of rows in use, that which was idle longest first */
	LIST_HEAD(, slot) index[BUCKETS];
	struct history_counts changes[HISTORY_ROWS_AND_ONE];
	uint16_t changed[HISTORY_ROWS_AND_ONE]; /* the numbers of rows with changes */
	unsigned changed_count;
	bool is_changed[HISTORY_ROWS_AND_ONE]; /* it is in that list */
};

/* The rings of bins, the finest first. */
static const struct ring {
	uint32_t seconds; /* that a bin has */
	uint32_t bins;
	uint32_t first; /* the number of its first bin in the row */
} rings[] = {
	{ 1, HISTORYFILE_SECONDS, 0 },
	{ 60, HISTORYFILE_MINUTES, HISTORYFILE_SECONDS },
	{ 3600, HISTORYFILE_HOURS, HISTORYFILE_SECONDS + HISTORYFILE_MINUTES },
};

#define RINGS (sizeof(rings) / sizeof(*rings))

/* ---- bins ---- */

/* Where the bin with the count of this time, in units of the ring, is in a row. */
static uint32_t bin_at(const struct ring *ring, uint64_t unit)
{
	return ring->first + unit % ring->bins;
}

/* Empties the bins of the time that has passed. */
static void advance(struct historyfile_row *r, uint64_t second)
{
	if (second <= r->second)
		return;
	for (size_t i = 0; i < RINGS; i++) {
		const struct ring *ring = &rings[i];
		uint64_t from = r->second / ring->seconds, to = second / ring->seconds;

		if (to - from > ring->bins)
			from = to - ring->bins;
		while (++from <= to) {
			r->bin_packets[bin_at(ring, from)] = 0;
			r->bin_bytes[bin_at(ring, from)] = 0;
		}
	}
	r->second = second;
}

static void add_to_bin(struct historyfile_row *r, uint32_t bin, const struct history_counts *counts)
{
	uint64_t sum = r->bin_packets[bin] + counts->packets;

	r->bin_packets[bin] = sum < UINT32_MAX ? sum : UINT32_MAX;
	r->bin_bytes[bin] += counts->bytes;
}

static void add(struct historyfile_row *r, const struct history_counts *counts, uint64_t at)
{
	advance(r, at / NS_PER_S);
	for (size_t i = 0; i < RINGS; i++)
		add_to_bin(r, bin_at(&rings[i], r->second / rings[i].seconds), counts);
	r->packets += counts->packets;
	r->bytes += counts->bytes;
	if (at > r->last)
		r->last = at;
	if (!r->first)
		r->first = r->last;
}

/* What from has becomes to's. */
static void merge(struct historyfile_row *to, struct historyfile_row *from)
{
	advance(to, from->second);
	advance(from, to->second);
	for (uint32_t bin = 0; bin < HISTORYFILE_BINS; bin++) {
		const struct history_counts counts = { from->bin_packets[bin], from->bin_bytes[bin] };

		add_to_bin(to, bin, &counts);
	}
	to->packets += from->packets;
	to->bytes += from->bytes;
	if (from->last > to->last)
		to->last = from->last;
	if (from->first && (!to->first || from->first < to->first))
		to->first = from->first;
}

/* ---- rows ---- */

static unsigned number_of(const struct history *h, const struct slot *slot)
{
	return slot - h->slots;
}

static unsigned bucket_of(const struct ledger_key *key)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)], hash = 0;

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15;
	return hash >> 32 & (BUCKETS - 1);
}

static struct slot *find(struct history *h, const struct ledger_key *key)
{
	struct slot *slot;

	LIST_FOREACH(slot, &h->index[bucket_of(key)], chain)
	if (!memcmp(&h->file.data->row[number_of(h, slot)].key, key, sizeof(*key)))
		return slot;
	return NULL;
}

static void enter(struct history *h, struct slot *slot)
{
	const struct ledger_key *key = &h->file.data->row[number_of(h, slot)].key;

	LIST_INSERT_HEAD(&h->index[bucket_of(key)], slot, chain);
	TAILQ_INSERT_TAIL(&h->ages, slot, age);
}

static void note_change(struct history *h, unsigned number, const struct history_counts *counts)
{
	struct history_counts *change = &h->changes[number];

	if (!h->is_changed[number])
		h->changed[h->changed_count++] = number;
	h->is_changed[number] = true;
	change->packets += counts->packets;
	change->bytes += counts->bytes;
}

/*
 * Empties a row. The daemon may be killed between any two writes: first goes first, since it may never be after last, and
 * the row is empty before its counts are added elsewhere, so that they may be lost, but never count twice.
 */
static void empty(struct historyfile_row *row)
{
	__atomic_store_n(&row->first, 0, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memset(row, 0, sizeof(*row));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* The row that was idle longest, emptied for another kind. */
static struct slot *reuse(struct history *h)
{
	struct slot *slot = TAILQ_FIRST(&h->ages);
	unsigned number = number_of(h, slot);
	struct history_counts *change = &h->changes[number];
	struct historyfile_row *row = &h->file.data->row[number], gone = *row;

	LIST_REMOVE(slot, chain);
	TAILQ_REMOVE(&h->ages, slot, age);
	empty(row);
	merge(&h->file.data->overflow, &gone);
	if (change->packets)
		note_change(h, HISTORY_OVERFLOW, change);
	change->packets = change->bytes = 0;
	return slot;
}

static struct slot *make(struct history *h, const struct ledger_key *key, uint64_t at)
{
	struct historyfile_data *d = h->file.data;
	bool full = d->count == HISTORYFILE_ROWS;
	struct slot *slot = full ? reuse(h) : &h->slots[d->count];
	struct historyfile_row *row = &d->row[number_of(h, slot)];

	if (!full)
		empty(row);
	row->key = *key;
	row->second = at / NS_PER_S;
	if (!full)
		d->count++;
	enter(h, slot);
	return slot;
}

unsigned history_add(struct history *h, const struct ledger_key *key, const struct history_counts *counts,
		     uint64_t at, bool *is_new)
{
	struct slot *slot = find(h, key);
	unsigned number;

	*is_new = !slot;
	if (!slot)
		slot = make(h, key, at);
	number = number_of(h, slot);
	TAILQ_REMOVE(&h->ages, slot, age);
	TAILQ_INSERT_TAIL(&h->ages, slot, age);
	add(&h->file.data->row[number], counts, at);
	note_change(h, number, counts);
	return number;
}

void history_add_overflow(struct history *h, const struct history_counts *counts, uint64_t at)
{
	add(&h->file.data->overflow, counts, at);
	note_change(h, HISTORY_OVERFLOW, counts);
}

unsigned history_count(const struct history *h)
{
	return h->file.data->count;
}

struct historyfile_row *history_row(struct history *h, unsigned number)
{
	return number == HISTORY_OVERFLOW ? &h->file.data->overflow : &h->file.data->row[number];
}

uint64_t history_began(const struct history *h)
{
	return h->file.data->began;
}

const struct history_counts *history_change(const struct history *h, unsigned number)
{
	return &h->changes[number];
}

bool history_has_changes(const struct history *h)
{
	return h->changed_count > 0;
}

void history_forget_changes(struct history *h)
{
	for (unsigned i = 0; i < h->changed_count; i++) {
		h->changes[h->changed[i]] = (struct history_counts){};
		h->is_changed[h->changed[i]] = false;
	}
	h->changed_count = 0;
}

/* ---- its beginning and end ---- */

static int by_age(const void *a, const void *b, void *arg)
{
	const struct historyfile_data *d = arg;
	uint64_t x = d->row[*(const uint16_t *)a].last, y = d->row[*(const uint16_t *)b].last;

	return x < y ? -1 : x > y;
}

/* Enters the rows that the file has. */
static void take_over(struct history *h)
{
	struct historyfile_data *d = h->file.data;
	uint16_t order[HISTORYFILE_ROWS];

	for (unsigned i = 0; i < d->count; i++)
		order[i] = i;
	qsort_r(order, d->count, sizeof(*order), by_age, d);
	for (unsigned i = 0; i < d->count; i++)
		enter(h, &h->slots[order[i]]);
}

struct history *history_new(struct historyfile *file)
{
	struct history *h = calloc(1, sizeof(*h));

	if (!h) {
		historyfile_close(file);
		return NULL;
	}
	h->file = *file;
	*file = (struct historyfile){ .file.fd = -1 };
	TAILQ_INIT(&h->ages);
	take_over(h);
	return h;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	historyfile_close(&h->file);
	free(h);
}

/* ---- questions ---- */

/* The finest ring that has this second. */
static const struct ring *ring_of(uint64_t second, uint64_t now)
{
	const struct ring *ring = rings;

	while (ring < &rings[RINGS - 1] && now / ring->seconds - second / ring->seconds >= ring->bins)
		ring++;
	return ring;
}

/* What a ring has from this unit of time on. */
static struct history_counts sum_from(const struct historyfile_row *r, const struct ring *ring, uint64_t unit)
{
	uint64_t last = r->second / ring->seconds;
	struct history_counts sum = {};

	if (last >= ring->bins && unit <= last - ring->bins)
		unit = last - ring->bins + 1;
	for (; unit <= last; unit++) {
		sum.packets += r->bin_packets[bin_at(ring, unit)];
		sum.bytes += r->bin_bytes[bin_at(ring, unit)];
	}
	return sum;
}

/* What a row has from a time on: with the bin that the time is in, or, when it is excluded, from the next. */
static struct history_counts from(const struct historyfile_row *r, uint64_t at, uint64_t now, bool exclude)
{
	const struct ring *ring;
	uint64_t length;

	if (at <= r->first)
		return (struct history_counts){ r->packets, r->bytes };
	if (at >= now)
		return (struct history_counts){};
	ring = ring_of(at / NS_PER_S, now / NS_PER_S);
	length = ring->seconds * NS_PER_S;
	return sum_from(r, ring, (at + (exclude ? length - 1 : 0)) / length);
}

struct history_counts history_between(const struct historyfile_row *r, uint64_t since, uint64_t until,
				      uint64_t now)
{
	struct history_counts sum = from(r, since, now, false), after = from(r, until, now, true);

	/* bins that are full make it less */
	sum.packets -= after.packets < sum.packets ? after.packets : sum.packets;
	sum.bytes -= after.bytes < sum.bytes ? after.bytes : sum.bytes;
	return sum;
}

unsigned history_resolution(uint64_t since, uint64_t now)
{
	return ring_of((since < now ? since : now) / NS_PER_S, now / NS_PER_S)->seconds;
}

void history_minutes(const struct historyfile_row *r, uint64_t now, uint32_t *packets, unsigned count)
{
	const struct ring *ring = &rings[1];
	uint64_t last = r->second / ring->seconds, unit = now / NS_PER_S / ring->seconds + 1 - count;

	for (unsigned i = 0; i < count; i++, unit++)
		packets[i] = unit <= last && unit + ring->bins > last ?
				     r->bin_packets[bin_at(ring, unit)] : 0;
}
