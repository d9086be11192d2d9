/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon as a whole: takes connections, keeps within the limits on them, owns what all sessions
 * share, and ends cleanly.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stddef.h>

#include "daemon/ledger.h"
#include "daemon/peer.h"

struct server;

/*
 * listen_fd: a listening Unix socket, non-blocking, or -1; private_fd: a connected one, or -1: then
 * the server is there for this connection only. Both stay the caller's, except that private_fd is
 * taken over. A server for one connection has no drop ledger. Opens what the kernel offers, which takes some 200 ms; the daemon serves what it can
 * if that fails. NULL with a sentence in why (size bytes).
 */
struct server *server_new(const struct peer_policy *policy, int listen_fd, int private_fd,
			  const struct ledger_options *ledger, char *why, size_t size);
/*
 * Serves until SIGTERM or SIGINT, or until the private connection and its session have ended.
 * Sessions are then stopped; a second signal cuts that short.
 */
void server_run(struct server *s);
/* Takes NULL. */
void server_free(struct server *s);

#endif
