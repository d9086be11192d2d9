/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data plane of a session: records of the ring become pcapng on the caller's descriptor, or
 * messages where it passed none. It decides and counts what becomes of each.
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "daemon/handover.h"

struct calls;
struct event;
struct gathering;
struct ring;

#define DELIVERY_RETURN_S  2    /* returns of the last packets that a limit allows are waited for */
#define DELIVERY_LINGER_MS 2000 /* a caller that takes nothing for so long at the end loses the rest */
#define DELIVERY_BEGUN_MS  1000 /* at the end a record that a program has begun is waited for */
#define DELIVERY_TURN_MS   10

struct delivery_callbacks {
	/* Hands an Event over; takes it. 0 or -ENOBUFS: the caller does not read. */
	int (*event)(void *arg, struct json_object *event);
	/* A packet is lost because the caller does not read, or for want of memory. */
	void (*lost)(void *arg);
	/* Time to stop: reason is "count" or "client". */
	void (*stop)(void *arg, const char *reason);
};

struct delivery {
	struct handover_context context; /* what it points to outlives the delivery */
	struct delivery_callbacks callbacks;
	void *arg;
	struct handover handover; /* owned: where packets go */
	struct ring *ring;     /* owned; NULL once it has been emptied */
	struct calls *calls;   /* owned; NULL: no trace point is a return */
	struct event *overdue; /* owned; goes with calls */
	struct gathering *gathering; /* owned; NULL: each event goes by itself */
	uint64_t newest_ns;    /* time of the newest event that was read, CLOCK_MONOTONIC */
	uint64_t progress;     /* bytes written when the caller last took some */
	unsigned stalled_ms;   /* waited for it since */
	bool unread;           /* a program did not finish its record, and hides what is behind it */
	unsigned begun_ms;     /* waited for programs to finish their records, at the end */
};

/*
 * Takes over fd (-1: messages), also on error. 0; -ENOMEM; or what opening the caller's pipe anew gave.
 * In any case delivery_close() is due.
 */
int delivery_open(struct delivery *d, const struct handover_context *context, int fd,
		  const struct delivery_callbacks *callbacks, void *arg);
/* Records flow. */
void delivery_start(struct delivery *d);
/* No more records are taken, until delivery_flush(). */
void delivery_stop(struct delivery *d);

/* What the packets' ways say, as type Gathering of the interface file. NULL: they are not gathered, or out of memory. */
struct json_object *delivery_gathering(struct delivery *d);

enum delivery_turn { DELIVERY_AGAIN, DELIVERY_WAIT, DELIVERY_DONE };

/*
 * One turn at the end, when no program begins a record any more: from the ring while the caller keeps up, then the
 * final counts, then what waits. AGAIN: call at once; WAIT: call in DELIVERY_TURN_MS; DONE: everything
 * was handed over or counted as lost. there: false when the caller has gone.
 */
enum delivery_turn delivery_flush(struct delivery *d, bool there);
/* Closes the caller's descriptor and frees all. Takes one that is all zero. */
void delivery_close(struct delivery *d);

#endif
