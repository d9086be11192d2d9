/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to the control socket: messages in, replies out, one call at a time. Further calls
 * wait in the socket until the last reply to the one before has been sent.
 *
 * A peer that shuts down its sending side wants the running call to come to its end, and still
 * reads the replies. One that closes the socket is gone.
 */
#ifndef CONN_H
#define CONN_H

#include <stdbool.h>
#include <json-c/json.h>

#include "daemon/lent.h"
#include "daemon/peer.h"

struct conn;
struct event_base;

struct conn_callbacks {
	/*
	 * A call. message stays the connection's. fd: the descriptor that came along, taken over,
	 * or -1; too_many_fds: there were several, all of them are closed. The callee sends the
	 * last reply now, or calls conn_defer() and sends it later.
	 */
	void (*call)(void *arg, struct conn *c, struct json_object *message, int fd,
		     bool too_many_fds);
	/* The connection is gone as soon as this returns. Not called by conn_free(). */
	void (*closed)(void *arg, struct conn *c);
};

/* A call that is answered later. */
struct conn_operation {
	void (*half_closed)(void *arg); /* no more calls will come; NULL: nothing to do about it */
	void (*abandoned)(void *arg);   /* the connection is gone; no more replies */
};

/* fd is taken over. NULL: out of memory (fd is closed). */
struct conn *conn_new(struct event_base *base, int fd, const struct peer *peer,
		      const struct conn_callbacks *callbacks, void *arg);
/* Closes at once. Takes NULL. Not from inside a callback of this connection. */
void conn_free(struct conn *c);
/* Closes as soon as the running call is answered and all is sent. */
void conn_finish(struct conn *c);

const struct peer *conn_peer(const struct conn *c);
/* The files that the peer lent, which the callee may take. */
struct lent *conn_lent(struct conn *c);

/*
 * Queues a Varlink message, taken over, for the call that runs; last: nothing follows, the call is
 * over. 0, -ENOBUFS (the peer does not read; the message is dropped) or -ENOMEM (also when message
 * is NULL). If the last message is dropped, the connection is closed: the peer would wait for ever.
 */
int conn_send(struct conn *c, struct json_object *message, bool last);
/* The last reply: an error with the members field and message. name as for varlink_error(). */
__attribute__((format(printf, 4, 5))) void conn_error(struct conn *c, const char *name,
						      const char *field, const char *format, ...);
/* Replies to the call that runs are not wanted and dropped (Varlink's oneway). */
void conn_mute(struct conn *c);
/* The call that runs will be answered later. op must outlive the call. */
void conn_defer(struct conn *c, const struct conn_operation *op, void *arg);

#endif
