/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The methods of io.netcap.Capture and org.varlink.service: who may call them, what they take, and
 * what they answer.
 */
#ifndef METHODS_H
#define METHODS_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "daemon/conn.h"
#include "daemon/ledger.h"
#include "daemon/netstats.h"
#include "daemon/reload.h"
#include "daemon/session.h"
#include "daemon/sessions.h"

/* What methods work on. Owned by the server; outlives all connections. */
struct methods {
	struct session_host *host;
	struct sessions *sessions;
	struct reload *reload;
	struct ledger *ledger;  /* NULL: there is none */
	const char *ledger_why; /* why, a sentence */
	const char *kernel_why; /* why no session can run, a sentence; NULL: they can */
	const struct netstats *baseline; /* what layers had lost when the daemon began */
	uint64_t started;       /* CLOCK_MONOTONIC, nanoseconds: when the daemon began */
	bool stopping;          /* no new sessions */
};

/* Answers a call, now or later: the arguments are those of conn_callbacks.call(). */
void methods_call(struct methods *m, struct conn *c, struct json_object *message, int fd,
		  bool too_many_fds);

#endif
