/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a session's delivery that puts packets' ways together, and counts what they say. */
#ifndef GATHERING_H
#define GATHERING_H

#include <json-c/json.h>

#include "daemon/handover.h"

struct gathering;

#define GATHERING_PORTION 500 /* ways that end in one turn of the loop, for want of events or at the end of the session */

struct gathering_callbacks {
	/* Is it still asked for? */
	bool (*wanted)(void *arg, const struct gather_packet *p);
	/* A way is over that is; journey is its text. The packet is gone after it. */
	void (*over)(void *arg, const struct gather_packet *p, const struct comment *journey);
	/* As of struct gather_callbacks. */
	void (*unplaced)(void *arg, uint32_t point, bool first);
	void (*not_kept)(void *arg, uint32_t point);
	void (*surplus)(void *arg);
	/* Is there room for what one more way takes? */
	bool (*room)(void *arg);
	/* Up to when all events are here, CLOCK_MONOTONIC. idle: is nothing left to read? */
	uint64_t (*now)(void *arg, bool *idle);
	/* Ways were over for want of events: what over() was given may be handed on. */
	void (*batch)(void *arg);
};

/* What context points to outlives it. NULL: out of memory. */
struct gathering *gathering_new(const struct handover_context *context, const struct gathering_callbacks *callbacks,
				void *arg);
void gathering_free(struct gathering *g);
/* Where the events go. */
struct gather *gathering_gather(struct gathering *g);
/* After some events: ends ways that are due. */
void gathering_batch(struct gathering *g);
/*
 * At the end: ways that are open end, a portion at most, and while the caller reads as many as there is room for; else there is
 * no use in waiting for room, and what finds none is lost. False: none is left.
 */
bool gathering_drain(struct gathering *g, bool reads);
/* As type Gathering of the interface file. NULL: out of memory. */
struct json_object *gathering_json(struct gathering *g);

#endif
