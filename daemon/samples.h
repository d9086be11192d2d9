/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of the flight recorder on their way to a caller's pipe or socket, as pcapng. The worker makes the stream of a
 * copy; the loop hands it over in portions, as fast as the caller reads.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/dropsquery.h"
#include "daemon/recorder.h"
#include "daemon/session.h"

#define SAMPLES_AT_ONCE     4       /* transfers, of all callers */
#define SAMPLES_BYTES_MOST  8388608 /* of one */
#define SAMPLES_PATIENCE_MS 2000    /* a caller that takes nothing for so long does not get the rest */

struct samples;

/*
 * It is over, and fd closed: count samples were all written; or -1, and why says what went wrong (a sentence). The
 * struct samples is gone when this returns.
 */
typedef void (*samples_done)(void *arg, int64_t count, const char *why);

/*
 * Of the samples from since to until, both included. Takes over fd. NULL with a sentence in why (size bytes): it
 * does not begin, and done is not called.
 */
struct samples *samples_start(const struct session_host *host, const struct recorder *recorder,
			      const struct dropsquery_times *times, int fd, samples_done done, void *arg, char *why,
			      size_t size);
/* Nobody waits any more: done is not called. Takes NULL. */
void samples_cancel(struct samples *s);

#endif
