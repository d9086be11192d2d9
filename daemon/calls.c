/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "daemon/calls.h"

#define BUCKETS 1024 /* a power of two */

struct call {
	TAILQ_ENTRY(call) age;
	LIST_ENTRY(call) bucket;
	size_t bytes;
	struct netcap_record record; /* the last member: bytes of it */
};

struct calls {
	calls_deliver *deliver;
	void *arg;
	size_t bytes;
	TAILQ_HEAD(, call) waiting; /* oldest first; owned */
	LIST_HEAD(, call) buckets[BUCKETS];
};

struct calls *calls_new(calls_deliver *deliver, void *arg)
{
	struct calls *c = calloc(1, sizeof(*c)); /* empty lists are zeroes */

	if (!c)
		return NULL;
	c->deliver = deliver;
	c->arg = arg;
	TAILQ_INIT(&c->waiting);
	return c;
}

/* Frames are stacks' addresses, 16 KiB and more apart, and not far from a stack's end. */
static unsigned bucket_of(uint64_t frame)
{
	return frame * 0x9e3779b97f4a7c15ull >> 32 & (BUCKETS - 1);
}

static struct call *find(struct calls *c, uint64_t frame)
{
	struct call *call;

	LIST_FOREACH(call, &c->buckets[bucket_of(frame)], bucket)
		if (call->record.frame == frame)
			return call;
	return NULL;
}

static void take_out(struct calls *c, struct call *call)
{
	TAILQ_REMOVE(&c->waiting, call, age);
	LIST_REMOVE(call, bucket);
	c->bytes -= call->bytes;
}

static void finish(struct calls *c, struct call *call, const struct netcap_return *back)
{
	take_out(c, call);
	c->deliver(c->arg, &call->record, back);
	free(call);
}

void calls_free(struct calls *c)
{
	struct call *call;

	if (!c)
		return;
	while ((call = TAILQ_FIRST(&c->waiting))) {
		take_out(c, call);
		free(call);
	}
	free(c);
}

void calls_enter(struct calls *c, const struct netcap_record *r, size_t len)
{
	struct call *old = find(c, r->frame), *call;

	if (old)
		finish(c, old, NULL);
	while (c->bytes + len > CALLS_BYTES_MOST && !TAILQ_EMPTY(&c->waiting))
		finish(c, TAILQ_FIRST(&c->waiting), NULL);
	call = malloc(offsetof(struct call, record) + len);
	if (!call) {
		c->deliver(c->arg, r, NULL);
		return;
	}
	call->bytes = len;
	memcpy(&call->record, r, len);
	TAILQ_INSERT_TAIL(&c->waiting, call, age);
	LIST_INSERT_HEAD(&c->buckets[bucket_of(r->frame)], call, bucket);
	c->bytes += len;
}

void calls_return(struct calls *c, const struct netcap_return *back)
{
	struct call *call = find(c, back->frame);

	if (call)
		finish(c, call, back);
}

bool calls_any(const struct calls *c)
{
	return !TAILQ_EMPTY(&c->waiting);
}

bool calls_drain(struct calls *c)
{
	struct call *call;
	size_t bytes = 0;

	for (int i = 0; i < CALLS_DRAIN_MOST && bytes < CALLS_DRAIN_BYTES; i++) {
		call = TAILQ_FIRST(&c->waiting);
		if (!call)
			return false;
		bytes += call->bytes;
		finish(c, call, NULL);
	}
	return calls_any(c);
}
