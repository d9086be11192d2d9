/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands in front of another sink and gives it the events of one packet one after another, when the packet is done:
 * after the daemon said that it is freed, when nothing has come of it for a second, or at the end. What waits is
 * bounded; then the packet goes on that nothing has come of longest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include "message.h"
#include "sink.h"

#define BUCKETS     4096 /* a power of two */
#define BYTES_MOST  (16 << 20)
#define IDLE_MS     1000
#define FREED_MS    100 /* for the returns (fexit) of functions that freed it */
#define MS_NS       1000000

struct event {
	TAILQ_ENTRY(event) link;
	struct pcapng_event block; /* of raw */
	uint16_t link_type;
	uint8_t raw[];
};

TAILQ_HEAD(events, event);

struct group {
	TAILQ_ENTRY(group) age;
	LIST_ENTRY(group) bucket;
	uint64_t track;
	uint64_t due_ns;   /* CLOCK_MONOTONIC */
	bool freed;
	unsigned count;
	size_t bytes;
	struct events events; /* owned; by their time */
};

TAILQ_HEAD(groups, group);

struct groupsink {
	struct sink sink; /* first */
	struct sink *to;  /* owned */
	size_t bytes;
	struct groups waiting; /* owned; by due_ns, each list: packets that live, and that were freed */
	struct groups freed;
	LIST_HEAD(, group) buckets[BUCKETS];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct groups *list_of(struct groupsink *s, const struct group *g)
{
	return g->freed ? &s->freed : &s->waiting;
}

static struct group *find(struct groupsink *s, uint64_t track)
{
	struct group *g;

	LIST_FOREACH(g, &s->buckets[track % BUCKETS], bucket)
		if (g->track == track)
			return g;
	return NULL;
}

/* The events go with it. */
static void drop(struct groupsink *s, struct group *g)
{
	struct event *e;

	TAILQ_REMOVE(list_of(s, g), g, age);
	LIST_REMOVE(g, bucket);
	s->bytes -= g->bytes;
	while ((e = TAILQ_FIRST(&g->events))) {
		TAILQ_REMOVE(&g->events, e, link);
		free(e);
	}
	free(g);
}

/* What the sink behind has done is what this one has done. */
static int give(struct groupsink *s, const struct pcapng_event *e, const struct packet *p)
{
	int err = s->to->take(s->to, e, p);

	s->sink.packets = s->to->packets;
	s->sink.skipped = s->to->skipped;
	return err;
}

static int give_event(struct groupsink *s, const struct event *e, const struct packet_place *place)
{
	const struct pcapng_packet *block = &e->block.packet;
	char store[META_TEXT_MAX];
	struct packet p;

	p.block = block;
	p.link = e->link_type;
	p.place = place;
	/* it was read when it came, or it would have no number */
	if (meta_parse(&p.meta, block->comment, block->comment_len, store, sizeof(store)))
		return -EBADMSG;
	return give(s, &e->block, &p);
}

/* Hands a packet on. */
static int show(struct groupsink *s, struct group *g)
{
	struct packet_place place = {.track = g->track, .events = g->count};
	uint64_t last = 0;
	struct event *e;
	int err = 0;

	TAILQ_FOREACH(e, &g->events, link)
	{
		place.since_ns = place.number ? e->block.packet.time_ns - last : 0;
		place.number++;
		last = e->block.packet.time_ns;
		err = give_event(s, e, &place);
		if (err)
			break;
	}
	drop(s, g);
	return err;
}

static int show_all(struct groupsink *s)
{
	struct group *g;
	int err = 0;

	while (!err && ((g = TAILQ_FIRST(&s->freed)) || (g = TAILQ_FIRST(&s->waiting))))
		err = show(s, g);
	return err;
}

static int show_due(struct groupsink *s, struct groups *groups)
{
	uint64_t now = now_ns();
	struct group *g;
	int err = 0;

	while (!err && (g = TAILQ_FIRST(groups)) && g->due_ns <= now)
		err = show(s, g);
	return err;
}

/* Something came of it: it is due later. */
static void put_off(struct groupsink *s, struct group *g, unsigned ms)
{
	g->due_ns = now_ns() + (uint64_t)ms * MS_NS;
	TAILQ_INSERT_TAIL(list_of(s, g), g, age);
}

static struct group *group_of(struct groupsink *s, uint64_t track)
{
	struct group *g = find(s, track);

	if (g) {
		if (g->freed)
			return g; /* it stays due */
		TAILQ_REMOVE(list_of(s, g), g, age);
	} else {
		g = calloc(1, sizeof(*g));
		if (!g)
			return NULL;
		g->track = track;
		g->bytes = sizeof(*g);
		s->bytes += g->bytes;
		TAILQ_INIT(&g->events);
		LIST_INSERT_HEAD(&s->buckets[track % BUCKETS], g, bucket);
	}
	put_off(s, g, IDLE_MS);
	return g;
}

/* A copy of the block, with pointers into the copy. */
static struct event *keep(const struct pcapng_event *block, uint16_t link_type)
{
	struct event *e = malloc(sizeof(*e) + block->raw_len);

	if (!e)
		return NULL;
	memcpy(e->raw, block->raw, block->raw_len);
	e->link_type = link_type;
	e->block = *block;
	e->block.raw = e->raw;
	e->block.packet.data = e->raw + (block->packet.data - block->raw);
	e->block.packet.comment =
		(const char *)e->raw + ((const uint8_t *)block->packet.comment - block->raw);
	e->block.packet.journey = NULL; /* who gathers, groups nothing */
	return e;
}

/* Events of several CPUs may come a little out of order. */
static void insert(struct group *g, struct event *e)
{
	struct event *before = TAILQ_LAST(&g->events, events);

	while (before && before->block.packet.time_ns > e->block.packet.time_ns)
		before = TAILQ_PREV(before, events, link);
	if (before)
		TAILQ_INSERT_AFTER(&g->events, before, e, link);
	else
		TAILQ_INSERT_HEAD(&g->events, e, link);
	g->count++;
}

static int take_packet(struct groupsink *s, const struct pcapng_event *block, const struct packet *p)
{
	struct event *e = keep(block, p->link);
	struct group *g = e ? group_of(s, p->meta.track) : NULL, *oldest;
	size_t bytes = sizeof(*e) + block->raw_len;
	int err = 0;

	if (!g) {
		free(e);
		message("out of memory.");
		return -ENOMEM;
	}
	insert(g, e);
	g->bytes += bytes;
	s->bytes += bytes;
	while (!err && s->bytes > BYTES_MOST &&
	       ((oldest = TAILQ_FIRST(&s->freed)) || (oldest = TAILQ_FIRST(&s->waiting))))
		err = show(s, oldest);
	return err;
}

static void take_end(struct groupsink *s, uint64_t track)
{
	struct group *g = find(s, track);

	if (!g || g->freed)
		return;
	TAILQ_REMOVE(&s->waiting, g, age);
	g->freed = true;
	put_off(s, g, FREED_MS);
}

static int groupsink_take(struct sink *sink, const struct pcapng_event *e, const struct packet *p)
{
	struct groupsink *s = (struct groupsink *)sink;
	int err = 0;

	if (p && p->meta.point && p->meta.track)
		return take_packet(s, e, p);
	if (e->type == PCAPNG_END)
		take_end(s, e->end.track);
	/* the counts stand behind the packets, and no packet comes after them */
	if (e->type == PCAPNG_STATISTICS)
		err = show_all(s);
	return err ? err : give(s, e, p);
}

static int groupsink_flush(struct sink *sink)
{
	struct groupsink *s = (struct groupsink *)sink;
	int err = show_due(s, &s->freed);

	if (!err)
		err = show_due(s, &s->waiting);
	return err ? err : s->to->flush(s->to);
}

static int groupsink_finish(struct sink *sink)
{
	struct groupsink *s = (struct groupsink *)sink;
	int err = show_all(s);

	err = err ? err : s->to->finish(s->to);
	sink->packets = s->to->packets;
	return err;
}

static int groupsink_wait_ms(const struct sink *sink)
{
	const struct groupsink *s = (const struct groupsink *)sink;
	const struct group *freed = TAILQ_FIRST(&s->freed), *waiting = TAILQ_FIRST(&s->waiting);
	uint64_t due = UINT64_MAX, now = now_ns();

	if (freed)
		due = freed->due_ns;
	if (waiting && waiting->due_ns < due)
		due = waiting->due_ns;
	if (due == UINT64_MAX)
		return -1;
	return due <= now ? 0 : (int)((due - now) / MS_NS) + 1;
}

static void groupsink_free(struct sink *sink)
{
	struct groupsink *s = (struct groupsink *)sink;
	struct group *g;

	while ((g = TAILQ_FIRST(&s->freed)) || (g = TAILQ_FIRST(&s->waiting)))
		drop(s, g);
	s->to->free(s->to);
	free(s);
}

struct sink *groupsink_new(struct sink *to)
{
	struct groupsink *s = calloc(1, sizeof(*s)); /* empty buckets are zeroes */

	if (!s) {
		message("out of memory.");
		to->free(to);
		return NULL;
	}
	s->sink = (struct sink){
		.take = groupsink_take,
		.flush = groupsink_flush,
		.wait_ms = groupsink_wait_ms,
		.finish = groupsink_finish,
		.free = groupsink_free,
		.wants_meta = true,
	};
	s->to = to;
	TAILQ_INIT(&s->waiting);
	TAILQ_INIT(&s->freed);
	return &s->sink;
}
