/* SPDX-License-Identifier: BSD-2-Clause */
/* All sessions of the daemon, and the limits on their number. */
#ifndef SESSIONS_H
#define SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "daemon/session.h"

struct quota;
struct sessions;
struct sessions_entry;

/*
 * Where a session's replies go; as in struct session_callbacks, but message is NULL if there was no
 * memory for it.
 */
typedef int (*sessions_reply)(void *arg, struct json_object *message, bool last);

/*
 * changed is called whenever the number of sessions has changed. host and quota must outlive the
 * table; what quota says is asked when a session starts. NULL: out of memory.
 */
struct sessions *sessions_new(struct session_host *host, const struct quota *quota,
			      void (*changed)(void *arg), void *arg);
/* Abandons the sessions that are left; blocks for the worker. Takes NULL. */
void sessions_free(struct sessions *t);

/*
 * Starts a session; spec is moved and fd taken over, whatever happens. The entry is valid until the
 * last reply, or until sessions_orphan(). NULL with a sentence in why (size bytes) and errno:
 * EDQUOT: too many sessions; ENOMEM.
 */
struct sessions_entry *sessions_start(struct sessions *t, struct spec *spec, int fd, struct lent *lent,
				      const struct session_owner *owner, sessions_reply reply,
				      void *arg, char *why, size_t size);
/* The caller has gone. The session ends. */
void sessions_orphan(struct sessions_entry *e);
/* The caller wants no more packets, but the summary. */
void sessions_stop(struct sessions_entry *e);
/* Ends all; reason is a literal. */
void sessions_stop_all(struct sessions *t, const char *reason);

size_t sessions_count(const struct sessions *t);
/* What was counted in all sessions that there are or were; in_flight: of those that there are. */
void sessions_counters(const struct sessions *t, struct counters *sum);
/* NULL: there is none with this id. */
struct session *sessions_find(const struct sessions *t, int64_t id);
/* Array of all of them, or of the one with this id (-1: all). NULL: out of memory. */
struct json_object *sessions_to_json(const struct sessions *t, int64_t id);

#endif
