/* SPDX-License-Identifier: BSD-2-Clause */
/* What a call of the method Drops asks for. */
#ifndef DROPSQUERY_H
#define DROPSQUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/conn.h"

/* What is asked for. Times are microseconds since 1970. */
struct dropsquery {
	int64_t since, until; /* -1: not given */
	int64_t top;          /* rows, or -1: all */
	char *by;             /* owned; NULL: no sums */
	bool layers;
	bool samples;       /* asked for: see dropsamples.h */
	int64_t sampled;    /* so many were written, -1: they are not asked for */
	uint64_t unsampled; /* goes with sampled */
};

/* What rows are summed by. */
enum dropsquery_by {
	DROPSQUERY_BY_NOTHING,
	DROPSQUERY_BY_REASON,
	DROPSQUERY_BY_LOCATION,
	DROPSQUERY_BY_DEV,
	DROPSQUERY_BY_NETNS,
	DROPSQUERY_BY_PROTO,
	DROPSQUERY_BYS,
};

/* Nanoseconds, of CLOCK_BOOTTIME but for offset. */
struct dropsquery_times {
	uint64_t since, until, now;
	int64_t offset; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
};

/* Whether the query makes sense; more: the call has several replies. False: it is answered. */
bool dropsquery_check(struct conn *c, const struct dropsquery *query, bool more);
/* NULL is BY_NOTHING; DROPSQUERY_BYS: there is no such sum. */
enum dropsquery_by dropsquery_by(const char *name);
/* Sets now and offset. */
void dropsquery_read_clocks(struct dropsquery_times *t);
/* Sets all of them; times of the query that are to come are now. */
void dropsquery_read_times(const struct dropsquery *query, struct dropsquery_times *t);

#endif
