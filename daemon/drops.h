/* SPDX-License-Identifier: BSD-2-Clause */
/* The method Drops: what the drop ledger has. */
#ifndef DROPS_H
#define DROPS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/conn.h"
#include "daemon/ledger.h"
#include "daemon/session.h"

/* What is asked for. Times are microseconds since 1970. */
struct drops_query {
	int64_t since, until; /* -1: not given */
	int64_t top;          /* rows, or -1: all */
	char *by;             /* owned; NULL: no sums */
	bool layers;
	bool samples;       /* asked for: see dropsamples.h */
	int64_t sampled;    /* so many were written, -1: they are not asked for */
	uint64_t unsampled; /* goes with sampled */
};

/* Rows in one answer to a caller that follows: the loop makes it. */
#define DROPS_FOLLOWED_ROWS 100

/* Whether the query makes sense. False: it is answered. */
bool drops_check(struct conn *c, const struct drops_query *query, bool more);
/* Its times in nanoseconds of CLOCK_BOOTTIME. offset: CLOCK_REALTIME - CLOCK_BOOTTIME, nanoseconds. */
void drops_times(const struct drops_query *query, uint64_t *since, uint64_t *until, int64_t *offset);

/*
 * Answers the call that runs, by the worker; with more (follow) until the caller hangs up or the ledger ends. ledger may be NULL:
 * why then says, in a sentence, why there is none.
 */
void drops_call(struct ledger *ledger, const char *why, const struct session_host *host, struct conn *c,
		const struct drops_query *query, bool more);

#endif
