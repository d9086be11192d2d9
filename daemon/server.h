/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon as a whole: takes connections, keeps within the limits on them, owns what all sessions
 * share, and ends cleanly.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stddef.h>

#include "daemon/config.h"
#include "daemon/netstats.h"
#include "daemon/peer.h"

struct server;

/* What a server is made of. */
struct server_parts {
	struct peer_policy policy;   /* what the configuration says of it comes from there */
	struct config config;        /* taken over */
	struct config_source source; /* where it is read anew; the path stays the caller's */
	const char *directory;       /* for the drop history */
	struct netstats_source counters; /* what it names stays the caller's */
	int listen_fd;               /* listening Unix socket, non-blocking, or -1 */
	int metrics_fd;              /* listening socket for metrics over HTTP, taken over, or -1 */
	int private_fd; /* connected one, taken over, or -1: then the server is there for it only */
};

/*
 * listen_fd stays the caller's. A server for one connection has no drop ledger. Opens what the kernel offers,
 * which takes some 200 ms; the daemon serves what it can if that fails. NULL with a sentence in why (size bytes).
 */
struct server *server_new(struct server_parts *parts, char *why, size_t size);
/*
 * Serves until SIGTERM or SIGINT, or until the private connection and its session have ended.
 * Sessions are then stopped; a second signal cuts that short. SIGHUP makes a server that listens
 * read its configuration anew.
 */
void server_run(struct server *s);
/* Takes NULL. */
void server_free(struct server *s);

#endif
