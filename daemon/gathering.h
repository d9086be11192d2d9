/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a session's delivery that puts packets' ways together, and counts what they say. */
#ifndef GATHERING_H
#define GATHERING_H

#include <json-c/json.h>

#include "daemon/comments.h"
#include "daemon/gather.h"
#include "daemon/kernel.h"
#include "daemon/sessionload.h"
#include "daemon/symbolcache.h"
#include "spec.h"

struct event_base;
struct gathering;

#define GATHERING_DRAIN_MOST 1000 /* ways that end in one turn at the end of a session */

struct gathering_callbacks {
	/* A way is over; journey is its text. The packet is gone after it. */
	void (*over)(void *arg, const struct gather_packet *p, const struct comment *journey);
	/* An event that belongs to no open way: it is lost. */
	void (*unplaced)(void *arg, uint32_t point);
	/* Up to when all events are here, CLOCK_MONOTONIC. */
	uint64_t (*now)(void *arg);
	/* Ways were over for want of events: what over() was given may be handed on. */
	void (*batch)(void *arg);
};

/* What it needs and does not own. */
struct gathering_context {
	struct event_base *base;
	const struct kernel *kernel;
	const struct symbolcache *symbols;
	const struct spec *spec;
	const struct sessionload *load; /* loaded */
};

/* NULL: out of memory. */
struct gathering *gathering_new(const struct gathering_context *context, const struct gathering_callbacks *callbacks,
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
