/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a session's delivery that puts packets' ways together, and counts what they say. */
#ifndef GATHERING_H
#define GATHERING_H

#include <json-c/json.h>

#include "daemon/handover.h"

struct gathering;

/* Of ways that end in one turn at the end of a session: their number, and bytes of packets, beside the last one's. */
#define GATHERING_DRAIN_MOST  20
#define GATHERING_DRAIN_BYTES 262144

struct gathering_callbacks {
	/* A way is over; journey is its text. The packet is gone after it. */
	void (*over)(void *arg, const struct gather_packet *p, const struct comment *journey);
	/* An event that belongs to no open way: it is lost. */
	void (*unplaced)(void *arg, uint32_t point);
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
/* At the end: ways that are open end, some in each turn. False: none is left. */
bool gathering_drain(struct gathering *g);
/* As type Gathering of the interface file. NULL: out of memory. */
struct json_object *gathering_json(struct gathering *g);

#endif
