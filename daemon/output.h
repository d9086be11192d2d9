/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's end of the data plane: a bounded buffer in front of its pipe or socket, which knows
 * which packets have left it whole.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct event_base;
struct output;

#define OUTPUT_LIMIT_BYTES 4194304 /* waiting for a client that does not read; then packets are lost */

struct output_callbacks {
	/* A packet of this trace point has been handed over whole. */
	void (*delivered)(void *arg, uint32_t point);
	/* It never will be. */
	void (*lost)(void *arg, uint32_t point);
	/* Writing failed for good (errno): the client closed its end. Nothing more is written. */
	void (*broken)(void *arg, int error);
};

/*
 * Takes over fd. A socket is written to without blocking; a pipe is opened anew for that, because its
 * other holders could make it block. NULL with errno: EACCES when that is not permitted, ENOMEM.
 */
struct output *output_new(struct event_base *base, int fd, const struct output_callbacks *callbacks,
			  void *arg);
/* Closes the descriptor. Packets that wait are dropped without a call. Takes NULL. */
void output_free(struct output *o);
/* To append to; at most OUTPUT_LIMIT_BYTES wait. */
struct buf *output_buf(struct output *o);
/* Makes room for so many marks. 0 or -ENOMEM. */
int output_reserve_marks(struct output *o, size_t marks);
/*
 * What was appended since the last mark is one packet of this trace point; more marks for the same bytes are more
 * trace points that it was seen at. Room was made before.
 */
void output_mark(struct output *o, uint32_t point);
/* Writes what can be written now; the rest follows from the event loop. */
void output_flush(struct output *o);
/* Bytes that wait. */
size_t output_pending(struct output *o);
/* Bytes written so far. */
uint64_t output_written(const struct output *o);
/* Has writing failed for good? */
bool output_is_broken(const struct output *o);
/* Drops what waits; calls lost for each packet that did not get out whole. */
void output_give_up(struct output *o);

#endif
