/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>

#include <bpf/libbpf.h>
#include <event2/event.h>

#include "daemon/ring.h"
#include "daemon/wallclock.h"

#define QUIET_WINDOWS 2  /* empty windows before the daemon sleeps */
#define CLOCK_RECORDS 64 /* records, or */
#define CLOCK_BYTES   65536 /* bytes between two looks at the clock */

struct ring {
	int fd;               /* not owned */
	struct ring_buffer *buffer; /* owned */
	struct netcap_control *control;
	struct event *wake;   /* the ring has data and a program said so */
	struct event *window; /* moderation timer */
	struct ring_callbacks callbacks;
	void *arg;
	bool stopped;
	bool yielded;         /* this slice has been enough */
	unsigned quiet;       /* empty windows in a row */
	unsigned taken;       /* records in this slice */
	size_t bytes;         /* of records since the last look at the clock */
	uint64_t deadline;    /* end of this slice, CLOCK_MONOTONIC */
};

#define STACK_STEP_BYTES (sizeof(struct netcap_step) + NETCAP_STACK_FRAMES * sizeof(uint64_t))

/*
 * With user code there is an even number of words behind a record's head: so its length is 8 more than a multiple of 16, which
 * those of all others that are longer than the head are.
 */
_Static_assert(sizeof(struct netcap_record) % 16 == 8 && NETCAP_STACK_FRAMES * sizeof(uint64_t) % 16 == 0 &&
	       sizeof(struct netcap_step) % 16 == 0 && sizeof(struct netcap_history) % 16 == 0, "records are told by their lengths");

/* What it is shows in its length: records have others, by the sizes of record.bpf.h, and are longer with a stack. */
static void hand_over(struct ring *r, void *data, size_t len)
{
	const struct ring_callbacks *c = &r->callbacks;

	switch (len) {
	case sizeof(struct netcap_return):
		c->returned(r->arg, data);
		break;
	case sizeof(struct netcap_end):
		c->ended(r->arg, data);
		break;
	case sizeof(struct netcap_step):
	case STACK_STEP_BYTES:
		c->step(r->arg, data, len);
		break;
	case sizeof(struct netcap_history):
		c->history(r->arg, data);
		break;
	default:
		c->record(r->arg, data, len);
	}
}

static int on_record(void *context, void *data, size_t len)
{
	struct ring *r = context;

	hand_over(r, data, len);
	r->bytes += len;
	r->taken++;
	if (r->yielded)
		return -EAGAIN; /* libbpf has consumed this record and stops here */
	if (r->taken % CLOCK_RECORDS && r->bytes < CLOCK_BYTES)
		return 0;
	r->bytes = 0;
	return wallclock_monotonic() > r->deadline ? -EAGAIN : 0;
}

int ring_drain(struct ring *r)
{
	int n;

	r->taken = 0;
	r->bytes = 0;
	r->yielded = false;
	r->deadline = wallclock_monotonic() + RING_SLICE_NS;
	n = ring_buffer__consume(r->buffer);
	if (r->taken)
		r->callbacks.batch(r->arg);
	return n == -EAGAIN;
}

/* The kernel compares the positions of producers and of the consumer. */
bool ring_is_empty(const struct ring *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };

	return poll(&p, 1, 0) <= 0;
}

void ring_yield(struct ring *r)
{
	r->yielded = true;
}

/*
 * Says that the daemon sleeps. A record that came before the flag was seen woke nobody, but adding the
 * event makes epoll look at the ring, so it is not missed.
 */
static void sleep_now(struct ring *r)
{
	r->quiet = 0;
	if (r->stopped)
		return;
	__atomic_store_n(&r->control->armed, 1, __ATOMIC_SEQ_CST);
	event_add(r->wake, NULL);
}

static void next_window(struct ring *r, bool at_once)
{
	struct timeval when = { 0, at_once ? 0 : RING_WINDOW_MS * 1000 };

	if (!r->stopped) /* a callback may have done so */
		evtimer_add(r->window, &when);
}

static void on_window(evutil_socket_t fd, short what, void *arg)
{
	struct ring *r = arg;
	int more = ring_drain(r);

	r->quiet = r->taken ? 0 : r->quiet + 1;
	if (r->quiet >= QUIET_WINDOWS)
		sleep_now(r);
	else
		next_window(r, more);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct ring *r = arg;

	/* the flag may still be set: the record came before it was */
	__atomic_store_n(&r->control->armed, 0, __ATOMIC_SEQ_CST);
	event_del(r->wake);
	next_window(r, ring_drain(r));
}

struct ring *ring_new(struct event_base *base, int fd, struct netcap_control *control,
		      const struct ring_callbacks *callbacks, void *arg)
{
	struct ring *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->fd = fd;
	r->control = control;
	r->callbacks = *callbacks;
	r->arg = arg;
	r->buffer = ring_buffer__new(fd, on_record, r, NULL);
	r->wake = event_new(base, fd, EV_READ | EV_PERSIST, on_wake, r);
	r->window = evtimer_new(base, on_window, r);
	if (r->buffer && r->wake && r->window)
		return r;
	ring_free(r);
	errno = ENOMEM;
	return NULL;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	if (r->wake)
		event_free(r->wake);
	if (r->window)
		event_free(r->window);
	ring_buffer__free(r->buffer);
	free(r);
}

void ring_start(struct ring *r)
{
	next_window(r, true);
}

void ring_stop(struct ring *r)
{
	r->stopped = true;
	event_del(r->wake);
	event_del(r->window);
	__atomic_store_n(&r->control->armed, 0, __ATOMIC_SEQ_CST);
}
