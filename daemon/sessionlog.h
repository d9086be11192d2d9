/* SPDX-License-Identifier: BSD-2-Clause */
/* What the log says of sessions. */
#ifndef SESSIONLOG_H
#define SESSIONLOG_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "daemon/session.h"
#include "daemon/sessionload.h"

/* A session, as far as the log goes. */
struct sessionlog {
	uint64_t id;
	const struct session_owner *owner; /* not owned */
	struct sessionload *load;          /* not owned */
	uint64_t began;                    /* CLOCK_MONOTONIC, nanoseconds: when it was asked for */
	bool stalled;                      /* the log knows that its caller loses packets */
};

/* owner and load must outlive it. */
void sessionlog_init(struct sessionlog *s, uint64_t id, const struct session_owner *owner, struct sessionload *load);
/* All trace points are attached or have failed. */
void sessionlog_started(const struct sessionlog *s);
/* A packet was lost because the caller does not read fast enough: only the first is worth an entry. */
void sessionlog_lost(struct sessionlog *s);
/* All counts are final. */
void sessionlog_ended(const struct sessionlog *s, const char *reason);
/* It does not come to run. parameters: of the error that the caller gets, or NULL. */
void sessionlog_refused(const struct sessionlog *s, const char *error, struct json_object *parameters);

#endif
