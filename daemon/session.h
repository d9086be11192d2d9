/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One capture session. Its life, in states:
 *
 *   COMPILING  the filter is with the compiler process
 *   LOADING    the worker resolves, loads and attaches
 *   RUNNING    records flow (delivery.h)
 *   SETTLING   programs are silent; the worker waits until none runs any more
 *   FLUSHING   what is in the ring goes to the client, as long as it reads
 *   ENDED      everything is closed; the owner may free it
 *
 * What it has to say goes to its caller as Varlink messages, the last of which is an error or the
 * state "ended" or "planned".
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <json-c/json.h>

#include "counters.h"
#include "daemon/filterproc.h"
#include "daemon/kernel.h"
#include "daemon/lent.h"
#include "daemon/peer.h"
#include "daemon/symbolcache.h"
#include "daemon/wallclock.h"
#include "daemon/worker.h"
#include "spec.h"

struct event_base;
struct session;

/* What all sessions share. Owned by the server; outlives them. */
struct session_host {
	struct event_base *base;
	struct worker *worker;
	struct worker *reaper; /* detaches programs, which may take minutes */
	struct filterproc *filters;
	struct kernel *kernel;
	struct wallclock clock;
	struct symbolcache *symbols;
	size_t points; /* trace points of all sessions, patterns expanded; atomic */
};

/* Whose session it is: of struct peer. */
struct session_owner {
	uid_t uid;
	pid_t pid;
	char comm[PEER_COMM_BYTES]; /* "": not known */
};

struct session_callbacks {
	/*
	 * Hands a Varlink message to the caller; takes it over. 0, or -ENOBUFS: the caller does not read.
	 * last: nothing follows.
	 */
	int (*reply)(void *arg, struct json_object *message, bool last);
	/* The session is in state ENDED. To be freed by the callee, now or later. */
	void (*ended)(void *arg, struct session *s);
};

/*
 * Begins a session. spec's contents are moved (spec is left cleared). fd: where pcapng goes, taken over;
 * -1: packets become messages. Both callbacks may be called later only, from the event loop. NULL: out of
 * memory (fd is closed).
 */
struct session *session_new(struct session_host *host, uint64_t id, struct spec *spec, int fd,
			    struct lent *lent,
			    const struct session_owner *owner,
			    const struct session_callbacks *callbacks, void *arg);
/* The caller is gone: no more replies. The session stops and ends. */
void session_orphan(struct session *s);
/* Begins to stop: reason is "stopped", "shutdown", ... (a literal). Harmless when it stops already. */
void session_stop(struct session *s, const char *reason);
/* Only in state ENDED, or at exit, when no worker is at it. Takes NULL. */
void session_free(struct session *s);

uint64_t session_id(const struct session *s);
const struct session_owner *session_owner(const struct session *s);
/* What was counted at all of its trace points; 0 before it is attached, and it never goes down (but for in_flight). */
void session_counters(struct session *s, struct counters *sum);
/* As type Session of the interface file, or NULL. */
struct json_object *session_to_json(struct session *s);

#endif
