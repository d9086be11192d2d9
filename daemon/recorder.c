/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/recorder.h"

#define STACK_BYTES (NETCAP_STACK_FRAMES * sizeof(uint64_t))

struct recorder {
	struct bootfile file; /* owned */
	struct recorder_data *data; /* in it */
};

/* A sample as the kernel gives it. */
union whole {
	struct netcap_record record;
	uint64_t words[LEDGER_SAMPLE_RECORD / sizeof(uint64_t)];
};

_Static_assert(LEDGER_SAMPLE_RECORD % sizeof(uint64_t) == 0, "samples are of whole words");

/* Entries from one position to another; size is that of the memory at base. */
struct cursor {
	const uint8_t *base;
	uint64_t size, at, end;
};

/* ---- entries ---- */

static bool is_sample(const struct netcap_record *r)
{
	return r->flags & NETCAP_F_STACK && r->stack_bytes <= STACK_BYTES && r->stack_bytes % sizeof(uint64_t) == 0 &&
	       r->cap_len <= LEDGER_SAMPLE_BYTES && r->link <= NETCAP_LINK_NONE;
}

static uint64_t bytes_of(const struct netcap_record *r)
{
	return (sizeof(struct recorder_entry) + r->stack_bytes + r->cap_len + 7) / 8 * 8;
}

static void write_entry(void *to, const struct netcap_record *sample)
{
	struct recorder_entry *e = to;

	e->bytes = bytes_of(sample);
	e->record = *sample;
	memcpy(e->record.stack, sample->stack, sample->stack_bytes);
	memcpy((uint8_t *)e->record.stack + sample->stack_bytes, sample->stack + NETCAP_STACK_FRAMES, sample->cap_len);
}

static void read_entry(const struct recorder_entry *e, union whole *to)
{
	to->record = e->record;
	memcpy(to->record.stack, e->record.stack, e->record.stack_bytes);
	memcpy(to->record.stack + NETCAP_STACK_FRAMES, (const uint8_t *)e->record.stack + e->record.stack_bytes,
	       e->record.cap_len);
}

static const struct recorder_entry *entry_at(const struct cursor *c)
{
	return (const struct recorder_entry *)(c->base + c->at % c->size);
}

/* The entry that comes next, past the end of the ring if that is between; NULL: that was all. */
static const struct recorder_entry *peek(struct cursor *c)
{
	if (c->at < c->end && !entry_at(c)->bytes)
		c->at += c->size - c->at % c->size;
	return c->at < c->end ? entry_at(c) : NULL;
}

static struct cursor all_firsts(const struct recorder_data *d)
{
	return (struct cursor){ d->firsts, sizeof(d->firsts), 0, d->firsts_bytes };
}

static struct cursor all_of_ring(const struct recorder_data *d)
{
	return (struct cursor){ d->ring, sizeof(d->ring), d->tail, d->head };
}

/* ---- the file ---- */

static void begin(void *data, uint64_t now)
{
}

static bool is_entry(const struct cursor *c, const struct recorder_entry *e, uint64_t now)
{
	uint64_t room = c->size - c->at % c->size;

	return room >= sizeof(*e) && is_sample(&e->record) && e->bytes == bytes_of(&e->record) && e->bytes <= room &&
	       e->bytes <= c->end - c->at && e->record.time_ns <= now;
}

/* Entries follow one another, to the very end. */
static bool are_entries(struct cursor c, uint64_t now)
{
	const struct recorder_entry *e;

	while ((e = peek(&c))) {
		if (!is_entry(&c, e, now))
			return false;
		c.at += e->bytes;
	}
	return c.at == c.end;
}

static bool check(const void *data, uint64_t now)
{
	const struct recorder_data *d = data;

	return d->firsts_bytes <= sizeof(d->firsts) && d->firsts_bytes % 8 == 0 && d->head < INT64_MAX &&
	       d->tail <= d->head && d->head - d->tail <= sizeof(d->ring) && d->head % 8 == 0 && d->tail % 8 == 0 &&
	       are_entries(all_firsts(d), now) && are_entries(all_of_ring(d), now);
}

struct recorder *recorder_new(const char *path, uint64_t now, char *why, size_t size)
{
	static const struct bootfile_kind kind = {
		.magic = "netcapds",
		.version = 1,
		.unit_bytes = 1,
		.units = RECORDER_FIRSTS_BYTES + RECORDER_RING_BYTES,
		.bytes = sizeof(struct recorder_data),
		.name = "record of dropped packets",
		.begin = begin,
		.check = check,
	};
	struct recorder *r = calloc(1, sizeof(*r));

	if (!r || bootfile_open(&r->file, &kind, path, now, why, size)) {
		free(r);
		return NULL;
	}
	r->data = r->file.data;
	return r;
}

struct recorder *recorder_copy(const struct recorder *r)
{
	char why[8];
	struct recorder *copy = recorder_new(NULL, 0, why, sizeof(why));

	if (copy)
		memcpy(copy->data, r->data, sizeof(*copy->data));
	return copy;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	bootfile_close(&r->file);
	free(r);
}

/* ---- samples in ---- */

static bool has_first(const struct recorder_data *d, const struct netcap_record *sample)
{
	struct cursor c = all_firsts(d);
	const struct recorder_entry *e;

	for (; (e = peek(&c)); c.at += e->bytes)
		if (e->record.location == sample->location && e->record.reason == sample->reason)
			return true;
	return false;
}

/*
 * The daemon may be killed between any two writes, and then what is there must be whole: an entry counts when it has been
 * written, and what gives way no longer counts before it is overwritten.
 */
static void publish(uint64_t *position, uint64_t value)
{
	__atomic_store_n(position, value, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void make_room(struct recorder_data *d, uint64_t bytes)
{
	struct cursor c = all_of_ring(d);
	const struct recorder_entry *e;

	while (d->head - c.at + bytes > sizeof(d->ring) && (e = peek(&c)))
		c.at += e->bytes;
	publish(&d->tail, c.at);
}

static void add_to_ring(struct recorder_data *d, const struct netcap_record *sample)
{
	uint64_t at = d->head % sizeof(d->ring), left = sizeof(d->ring) - at, bytes = bytes_of(sample);

	if (bytes > left) {
		make_room(d, left + bytes);
		((struct recorder_entry *)(d->ring + at))->bytes = 0;
		publish(&d->head, d->head + left);
		at = 0;
	} else {
		make_room(d, bytes);
	}
	write_entry(d->ring + at, sample);
	publish(&d->head, d->head + bytes);
}

void recorder_add(struct recorder *r, const struct netcap_record *sample)
{
	struct recorder_data *d = r->data;

	if (!is_sample(sample))
		return;
	if (d->firsts_bytes + bytes_of(sample) <= sizeof(d->firsts) && !has_first(d, sample)) {
		write_entry(d->firsts + d->firsts_bytes, sample);
		publish(&d->firsts_bytes, d->firsts_bytes + bytes_of(sample));
	} else {
		add_to_ring(d, sample);
	}
}

/* ---- samples out ---- */

/* The older one of two that come next; NULL: that was all. */
static const struct recorder_entry *next(struct cursor *a, struct cursor *b)
{
	const struct recorder_entry *x = peek(a), *y = peek(b);
	bool first = x && (!y || x->record.time_ns <= y->record.time_ns);
	const struct recorder_entry *e = first ? x : y;

	if (e)
		*(first ? &a->at : &b->at) += e->bytes;
	return e;
}

size_t recorder_each(const struct recorder *r, uint64_t since, uint64_t until,
		     bool (*take)(void *arg, const struct netcap_record *sample), void *arg)
{
	struct cursor firsts = all_firsts(r->data), ring = all_of_ring(r->data);
	const struct recorder_entry *e;
	union whole sample;
	size_t count = 0;

	while ((e = next(&firsts, &ring))) {
		if (e->record.time_ns < since || e->record.time_ns > until)
			continue;
		read_entry(e, &sample);
		if (!take(arg, &sample.record))
			break;
		count++;
	}
	return count;
}

static bool is_like(const struct netcap_record *r, const struct ledger_key *key)
{
	return r->reason == key->reason && r->location == key->location && r->netns == key->netns &&
	       r->ifindex == key->ifindex;
}

bool recorder_latest(const struct recorder *r, const struct ledger_key *key, const struct symbols *symbols,
		     struct sample_text *text, struct droplog_sample *sample)
{
	struct cursor firsts = all_firsts(r->data), ring = all_of_ring(r->data);
	const struct recorder_entry *e, *latest = NULL;
	union whole whole;

	while ((e = next(&firsts, &ring)))
		if (is_like(&e->record, key))
			latest = e;
	if (!latest)
		return false;
	read_entry(latest, &whole);
	*sample = sample_text(&whole.record, symbols, text);
	return true;
}
