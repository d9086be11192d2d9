/* SPDX-License-Identifier: BSD-2-Clause */
/* The method Drops with samples: they are written first, then the call is answered. */
#ifndef DROPSAMPLES_H
#define DROPSAMPLES_H

#include "daemon/drops.h"

/*
 * As drops_call(), for a call that asks for samples or has a descriptor. fd (-1: none) and query's strings are taken
 * over.
 */
void dropsamples_call(struct ledger *ledger, const char *why, const struct netstats *baseline,
		      const struct session_host *host, struct conn *c, struct dropsquery *query, int fd, bool more);

#endif
