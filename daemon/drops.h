/* SPDX-License-Identifier: BSD-2-Clause */
/* The method Drops: what the drop ledger has. */
#ifndef DROPS_H
#define DROPS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/conn.h"
#include "daemon/dropsquery.h"
#include "daemon/ledger.h"
#include "daemon/netstats.h"
#include "daemon/session.h"

/* Rows in one answer to a caller that follows: the loop makes it. */
#define DROPS_FOLLOWED_ROWS 100

/*
 * Answers the call that runs, by the worker; with more (follow) until the caller hangs up or the ledger ends. ledger
 * may be NULL: why then says, in a sentence, why there is none. baseline: what layers had lost when the daemon
 * began.
 */
void drops_call(struct ledger *ledger, const char *why, const struct netstats *baseline, const struct session_host *host,
		struct conn *c, const struct dropsquery *query, bool more);

#endif
