/* SPDX-License-Identifier: BSD-2-Clause */
/* The method Drops: what the drop ledger has. */
#ifndef DROPS_H
#define DROPS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/conn.h"
#include "daemon/ledger.h"
#include "daemon/netstats.h"
#include "daemon/session.h"

/* What is asked for. Times are microseconds since 1970. */
struct drops_query {
	int64_t since, until; /* -1: not given */
	int64_t top;          /* rows, or -1: all */
	char *by;             /* owned; NULL: no sums */
	bool layers;
};

/* Rows in one answer to a caller that follows: the loop makes it. */
#define DROPS_FOLLOWED_ROWS 100

/*
 * Answers the call that runs, by the worker; with more (follow) until the caller hangs up or the ledger ends. ledger may be NULL:
 * why then says, in a sentence, why there is none. baseline: what layers
 * had lost when the daemon began.
 */
void drops_call(struct ledger *ledger, const char *why, const struct netstats *baseline, const struct session_host *host,
		struct conn *c, const struct drops_query *query, bool more);

#endif
