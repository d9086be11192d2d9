/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the drop ledger to the log: each second's drops go to droplog.h, which decides what is told. While nothing is
 * dropped it wakes up only for a summary that is due.
 */
#ifndef DROPFEED_H
#define DROPFEED_H

#include "daemon/config.h"
#include "daemon/ledger.h"

struct dropfeed;

/* ledger and base must outlive it, but for ledger_stop(): the last entries are made then. NULL: out of memory. */
struct dropfeed *dropfeed_new(struct event_base *base, struct ledger *ledger, const struct config_journal *options);
/* Takes NULL. */
void dropfeed_free(struct dropfeed *f);
/* To be called when the contents of options have changed, before anything else. Takes NULL. */
void dropfeed_configure(struct dropfeed *f);

#endif
