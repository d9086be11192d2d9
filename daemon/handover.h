/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last step of a session's delivery: a packet goes to the caller, as pcapng on its descriptor or as a message, and
 * what becomes of it is counted at each trace point that it was seen at.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "daemon/comments.h"
#include "daemon/gather.h"
#include "daemon/kernel.h"
#include "daemon/sessionload.h"
#include "daemon/symbolcache.h"
#include "daemon/wallclock.h"
#include "spec.h"

struct event_base;
struct output;
struct stream;

struct handover_callbacks {
	/* Hands an Event over; takes it. 0 or -ENOBUFS: the caller does not read. */
	int (*event)(void *arg, struct json_object *event);
	/* A packet is lost because the caller does not read, or for want of memory. */
	void (*lost)(void *arg);
	/* The same of a session with a count: another packet may take its place. */
	void (*replaced)(void *arg);
	/* The caller closed its end. */
	void (*broken)(void *arg);
};

/* What it needs and does not own. */
struct handover_context {
	struct event_base *base;
	const struct kernel *kernel;
	const struct symbolcache *symbols; /* for the functions in records */
	struct wallclock *clock;
	const struct spec *spec;
	struct sessionload *load;          /* loaded: maps and control page are there */
};

struct handover {
	struct handover_context context;
	struct handover_callbacks callbacks;
	void *arg;
	struct output *output; /* owned; NULL: events as messages */
	struct stream *stream; /* owned; goes with output */
	struct comments *comments; /* owned; goes with output */
	uint8_t *scratch;      /* owned; for packets as messages */
	uint64_t flushed_at;   /* bytes that the output had got when they were last handed on */
	uint64_t passed_on;    /* packets towards the caller, lost ones not counted */
};

/*
 * Takes over fd (-1: messages), also on error. 0; -ENOMEM; or what opening the caller's pipe anew gave. In any case
 * handover_close() is due.
 */
int handover_open(struct handover *h, const struct handover_context *context, int fd,
		  const struct handover_callbacks *callbacks, void *arg);
/* Closes the caller's descriptor and frees all. Takes one that is all zero. */
void handover_close(struct handover *h);
/* One packet. back: the return of the function, where one was asked for and seen, and whose time is the packet's. */
void handover_packet(struct handover *h, const struct netcap_record *r, const struct netcap_return *back);
/* Is the packet still asked for? If not, its events are counted as limited. */
bool handover_wants(struct handover *h, const struct gather_packet *p);
/* An event that its way only counts, as it has too many steps: it counts as limited. */
void handover_not_kept(struct handover *h, uint32_t point);
/* A record that was taken for a packet of its own, and is none: another one may take its place (count). */
void handover_surplus(struct handover *h);
/* Is there room for what one packet takes, with its way? */
bool handover_has_room(const struct handover *h);
/* One packet that is, with its way, journey as text. Its time is that of the first event. */
void handover_way(struct handover *h, const struct gather_packet *p, const struct comment *journey);
/* A packet that was followed is gone. A caller without room for it will see that no more of the packet comes. */
void handover_end(struct handover *h, const struct netcap_end *end);
/* Has the caller got all that it asked for? */
bool handover_limit_reached(const struct handover *h);
/* Is there so much that it should be flushed before more comes? */
bool handover_is_due(const struct handover *h);
void handover_flush(struct handover *h);

#endif
