/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "daemon/gather.h"
#include "spec.h"

#define BUCKETS_MOST 65536 /* a power of two */
#define CALL_BUCKETS 1024
#define STEPS_FIRST  4
#define SLACK_NS     100000000 /* between the kernel's end of a way and ours: its last event may still come */

/* A step whose function has not returned. */
struct call {
	LIST_ENTRY(call) bucket;
	uint64_t frame;
	struct gather_packet *packet;
	unsigned step;
};

struct gather {
	size_t size;
	uint64_t timeout_ns;
	const __u64 *lost;
	uint64_t lost_before; /* when everything was read for the last time; what is read now may be as old */
	struct gather_callbacks callbacks;
	void *arg;
	struct gather_counts counts;
	size_t bytes;
	TAILQ_HEAD(, gather_packet) waiting; /* owned; the one not seen longest is first */
	LIST_HEAD(, call) calls[CALL_BUCKETS]; /* owned */
	size_t buckets_mask;
	LIST_HEAD(gather_bucket, gather_packet) *buckets; /* owned */
};

static size_t bucket_count(size_t size)
{
	size_t count = 64;

	while (count < size && count < BUCKETS_MOST)
		count *= 2;
	return count;
}

struct gather *gather_new(size_t size, uint64_t timeout_ns, const __u64 *lost,
			  const struct gather_callbacks *callbacks, void *arg)
{
	struct gather *g = calloc(1, sizeof(*g)); /* empty lists are zeroes */
	size_t buckets = bucket_count(size);

	if (!g)
		return NULL;
	TAILQ_INIT(&g->waiting);
	g->size = size;
	g->timeout_ns = timeout_ns;
	g->lost = lost;
	g->callbacks = *callbacks;
	g->arg = arg;
	g->buckets_mask = buckets - 1;
	g->buckets = calloc(buckets, sizeof(*g->buckets));
	if (g->buckets)
		return g;
	gather_free(g);
	return NULL;
}

/* Frames are stacks' addresses, 16 KiB and more apart, and not far from a stack's end. */
static unsigned call_bucket(uint64_t frame)
{
	return frame * 0x9e3779b97f4a7c15ull >> 32 & (CALL_BUCKETS - 1);
}

static struct call *find_call(struct gather *g, uint64_t frame)
{
	struct call *call;

	LIST_FOREACH(call, &g->calls[call_bucket(frame)], bucket)
		if (call->frame == frame)
			return call;
	return NULL;
}

static void forget_call(struct call *call)
{
	call->packet->calls--;
	LIST_REMOVE(call, bucket);
	free(call);
}

static void forget_calls(struct gather *g, struct gather_packet *p)
{
	for (unsigned i = 0; p->calls && i < p->count; i++) {
		const struct netcap_step *s = &p->steps[i].event;
		struct call *call = s->flags & NETCAP_F_CALL ? find_call(g, s->frame) : NULL;

		if (call && call->packet == p)
			forget_call(call);
	}
}

/* Out of memory: its return is not shown. */
static void remember_call(struct gather *g, struct gather_packet *p, unsigned step)
{
	uint64_t frame = p->steps[step].event.frame;
	struct call *call = find_call(g, frame);

	if (call)
		forget_call(call); /* it never returned */
	call = malloc(sizeof(*call));
	if (!call)
		return;
	call->frame = frame;
	call->packet = p;
	call->step = step;
	LIST_INSERT_HEAD(&g->calls[call_bucket(frame)], call, bucket);
	p->calls++;
}

static struct gather_bucket *bucket_of(struct gather *g, uint64_t number)
{
	return &g->buckets[number & g->buckets_mask];
}

static struct gather_packet *find(struct gather *g, uint64_t number)
{
	struct gather_packet *p;

	LIST_FOREACH(p, bucket_of(g, number), bucket)
		if (p->number == number)
			return p;
	return NULL;
}

static void take_out(struct gather *g, struct gather_packet *p)
{
	forget_calls(g, p);
	TAILQ_REMOVE(&g->waiting, p, age);
	LIST_REMOVE(p, bucket);
	g->bytes -= p->bytes;
	g->counts.open--;
}

static void packet_free(struct gather_packet *p)
{
	for (unsigned i = 0; i < p->count; i++)
		free(p->steps[i].stack);
	free(p->steps);
	free(p);
}

void gather_free(struct gather *g)
{
	struct gather_packet *p;

	if (!g)
		return;
	while ((p = TAILQ_FIRST(&g->waiting))) {
		take_out(g, p);
		packet_free(p);
	}
	free(g->buckets);
	free(g);
}

/* Few are out of place: events of several CPUs, and functions that return after those that they call. */
static void sort(struct gather_packet *p)
{
	for (unsigned i = 1; i < p->count; i++) {
		struct gather_step s;
		unsigned at = i;

		if (gather_step_ns(&p->steps[i - 1]) <= gather_step_ns(&p->steps[i]))
			continue;
		s = p->steps[i];
		for (; at && gather_step_ns(&p->steps[at - 1]) > gather_step_ns(&s); at--)
			p->steps[at] = p->steps[at - 1];
		p->steps[at] = s;
	}
}

static void finish(struct gather *g, struct gather_packet *p, enum journey_end end)
{
	take_out(g, p);
	p->end = end;
	p->unsure = p->lost != __atomic_load_n(g->lost, __ATOMIC_RELAXED);
	sort(p);
	g->callbacks.over(g->arg, p);
	packet_free(p);
}

static void unplaced(struct gather *g, uint32_t point, bool first)
{
	g->counts.unplaced++;
	g->callbacks.unplaced(g->arg, point, first);
}

static bool grow(struct gather *g, struct gather_packet *p)
{
	unsigned size = p->size ? 2 * p->size : STEPS_FIRST;
	struct gather_step *more = realloc(p->steps, size * sizeof(*more));

	if (!more)
		return false;
	p->bytes += (size - p->size) * sizeof(*more);
	g->bytes += (size - p->size) * sizeof(*more);
	p->steps = more;
	p->size = size;
	return true;
}

/* The steps' stacks are few, or asked for: a copy each. NULL: none, or no memory. */
static uint64_t *copy_stack(const __u64 *stack, size_t bytes)
{
	uint64_t *copy = bytes ? malloc(bytes) : NULL;

	if (copy)
		memcpy(copy, stack, bytes);
	return copy;
}

/* False: there is no room for it. */
static bool add_step(struct gather *g, struct gather_packet *p, const struct netcap_step *event, const __u64 *stack)
{
	struct gather_step *s;

	p->visited |= 1ull << (event->point % JOURNEY_POINTS_MOST);
	if (p->count == JOURNEY_STEPS_MOST || (p->count == p->size && !grow(g, p)))
		return false;
	s = &p->steps[p->count++];
	*s = (struct gather_step){ .event = *event };
	s->stack = copy_stack(stack, event->stack_bytes);
	if (!s->stack)
		s->event.stack_bytes = 0;
	p->bytes += s->event.stack_bytes;
	g->bytes += s->event.stack_bytes;
	if (event->flags & NETCAP_F_CALL)
		remember_call(g, p, p->count - 1);
	return true;
}

static void record_to_step(const struct netcap_record *r, struct netcap_step *s)
{
	*s = (struct netcap_step){
		.time_ns = r->time_ns,
		.track = r->track,
		.skb = r->skb,
		.location = r->location,
		.point = r->point,
		.reason = r->reason,
		.ifindex = r->ifindex,
		.netns = r->netns,
		.pid = r->pid,
		.cpu = r->cpu,
		.stack_bytes = r->flags & NETCAP_F_STACK ? r->stack_bytes : 0,
		.flags = r->flags & (NETCAP_F_STACK | NETCAP_F_CALL),
	};
	memcpy(s->dev, r->dev, sizeof(s->dev));
}

/* Something came of it. */
static void touch(struct gather *g, struct gather_packet *p, uint64_t seen_ns)
{
	if (seen_ns > p->seen_ns)
		p->seen_ns = seen_ns;
	TAILQ_REMOVE(&g->waiting, p, age);
	TAILQ_INSERT_TAIL(&g->waiting, p, age);
}

static void make_room(struct gather *g, size_t bytes)
{
	struct gather_packet *oldest;

	while ((oldest = TAILQ_FIRST(&g->waiting)) &&
	       (g->counts.open >= g->size || g->bytes + bytes > GATHER_BYTES_MOST)) {
		g->counts.evicted++;
		finish(g, oldest, JOURNEY_EVICTED);
	}
}

static struct gather_packet *begin(struct gather *g, const struct netcap_record *r, size_t len)
{
	size_t bytes = offsetof(struct gather_packet, record) + len;
	struct gather_packet *p;

	make_room(g, bytes);
	p = malloc(bytes);
	if (!p)
		return NULL;
	memset(p, 0, offsetof(struct gather_packet, record));
	memcpy(&p->record, r, len);
	p->number = r->track;
	p->seen_ns = r->time_ns;
	p->lost = g->lost_before;
	p->bytes = bytes;
	g->bytes += bytes;
	g->counts.begun++;
	g->counts.open++;
	TAILQ_INSERT_TAIL(&g->waiting, p, age);
	LIST_INSERT_HEAD(bucket_of(g, p->number), p, bucket);
	return p;
}

/* A step that is not kept is counted in the way. */
static void add_or_count(struct gather *g, struct gather_packet *p, const struct netcap_step *event, const __u64 *stack)
{
	if (add_step(g, p, event, stack))
		return;
	p->more++;
	g->callbacks.not_kept(g->arg, event->point);
}

void gather_record(struct gather *g, const struct netcap_record *r, size_t len)
{
	struct gather_packet *p = r->track ? find(g, r->track) : NULL;
	struct netcap_step first;

	record_to_step(r, &first);
	if (p) {
		/* two CPUs took two copies of a packet for the first; both are of it */
		touch(g, p, r->time_ns);
		add_or_count(g, p, &first, r->stack);
		g->callbacks.surplus(g->arg);
		return;
	}
	p = begin(g, r, len);
	if (!p) {
		unplaced(g, r->point, true);
		return;
	}
	if (!add_step(g, p, &first, r->stack)) {
		take_out(g, p);
		packet_free(p);
		unplaced(g, r->point, true);
	} else if (!r->track) {
		finish(g, p, JOURNEY_EVICTED); /* the kernel had no number for it */
	}
}

void gather_step(struct gather *g, const struct netcap_step *s, size_t len)
{
	struct gather_packet *p = find(g, s->track);

	if (!p) {
		unplaced(g, s->point, false);
		return;
	}
	touch(g, p, s->time_ns);
	add_or_count(g, p, s, s->stack);
}

void gather_history(struct gather *g, const struct netcap_history *h)
{
	struct gather_packet *p = find(g, h->track);

	for (uint32_t i = 0; p && i < h->count && i < NETCAP_KEPT_MOST; i++) {
		const struct netcap_step s = {
			.time_ns = h->kept[i].time_ns,
			.track = h->track,
			.point = h->kept[i].point,
			.cpu = h->kept[i].cpu,
			.flags = NETCAP_F_KEPT,
		};

		/* two CPUs may have taken one place, and left the next one empty */
		if (!s.time_ns || !add_step(g, p, &s, NULL))
			p->more++;
	}
	if (!p)
		return;
	p->more += h->dropped;
	p->visited |= h->visited;
}

void gather_return(struct gather *g, const struct netcap_return *back)
{
	struct call *call = find_call(g, back->frame);
	struct gather_packet *p = call ? call->packet : NULL;

	if (!p)
		return;
	p->steps[call->step].back_ns = back->time_ns;
	p->steps[call->step].value = back->value;
	forget_call(call);
	if (p->freed && !p->calls)
		finish(g, p, JOURNEY_FREED);
	else
		touch(g, p, back->time_ns);
}

void gather_freed(struct gather *g, const struct netcap_end *end)
{
	struct gather_packet *p = find(g, end->track);

	if (p && !p->calls)
		finish(g, p, JOURNEY_FREED);
	else if (p)
		p->freed = true;
}

void gather_caught_up(struct gather *g, uint64_t lost)
{
	g->lost_before = lost;
}

uint64_t gather_due_ns(const struct gather *g)
{
	const struct gather_packet *p = TAILQ_FIRST(&g->waiting);

	return p ? p->seen_ns + g->timeout_ns + SLACK_NS : 0;
}

bool gather_expire(struct gather *g, uint64_t now_ns)
{
	struct gather_packet *p = TAILQ_FIRST(&g->waiting);

	if (!p || p->seen_ns + g->timeout_ns + SLACK_NS > now_ns)
		return false;
	finish(g, p, p->freed ? JOURNEY_FREED : JOURNEY_IDLE);
	return true;
}

bool gather_drain(struct gather *g)
{
	struct gather_packet *p = TAILQ_FIRST(&g->waiting);

	if (p)
		finish(g, p, p->freed ? JOURNEY_FREED : JOURNEY_STOPPED);
	return p;
}

uint64_t gather_most_bytes(const struct spec *spec)
{
	uint64_t bytes = spec->gather_size * (GATHER_WAY_BYTES + spec->snaplen);

	return spec->histogram ? 0 : bytes < GATHER_BYTES_MOST ? bytes : GATHER_BYTES_MOST;
}

void gather_counts(const struct gather *g, struct gather_counts *counts)
{
	*counts = g->counts;
}
