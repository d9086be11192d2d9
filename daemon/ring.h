/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The consumer of one session's ring, with interrupt moderation as NAPI has it.
 *
 * A wake-up per record is what makes a ring slow. So programs wake the daemon only when it has said
 * that it sleeps (netcap_control.armed). Once woken it looks every RING_WINDOW_MS on its own; after
 * two windows without a record it arms the flag and sleeps: no timer runs while nothing comes.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"

struct event_base;
struct ring;

#define RING_WINDOW_MS 1
#define RING_SLICE_NS  2000000 /* most time spent on one ring before others have their turn */

struct ring_callbacks {
	/* One record of len bytes; it must be used up before the return. */
	void (*record)(void *arg, const struct netcap_record *r, size_t len);
	/* A function returned that has such a record: it came before. */
	void (*returned)(void *arg, const struct netcap_return *back);
	/* A packet that was followed is gone: its records came before. */
	void (*ended)(void *arg, const struct netcap_end *end);
	/* With gather: a packet was seen again (len bytes, with its stack); and one was slow, and had been elsewhere. */
	void (*step)(void *arg, const struct netcap_step *step, size_t len);
	void (*history)(void *arg, const struct netcap_history *history);
	/* After some records: time to hand on what came. */
	void (*batch)(void *arg);
};

/*
 * fd is the ring's map, control the session's page; both must outlive the ring. Nothing is read until
 * ring_start(). NULL with errno.
 */
struct ring *ring_new(struct event_base *base, int fd, struct netcap_control *control,
		      const struct ring_callbacks *callbacks, void *arg);
void ring_free(struct ring *r);
/* Reads what is there and then waits for more. */
void ring_start(struct ring *r);
/* Stops waiting. Records stay in the ring. */
void ring_stop(struct ring *r);
/*
 * Reads for one slice of time, for use after ring_stop(). Returns 1 if the ring may hold more that can be
 * read, 0 if it does not.
 */
int ring_drain(struct ring *r);
/*
 * Is nothing in it, not even a record that a program has begun and not finished? ring_drain() stops at such
 * a record, whatever comes behind it.
 */
bool ring_is_empty(const struct ring *r);
/* For a callback: this slice ends with the record at hand, as if its time were over. */
void ring_yield(struct ring *r);

#endif
