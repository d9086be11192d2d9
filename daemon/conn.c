/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/closer.h"
#include "daemon/conn.h"
#include "daemon/jsonmake.h"
#include "daemon/quota.h"
#include "daemon/refusal.h"
#include "limit.h"
#include "varlink.h"

struct conn {
	int fd;
	struct peer peer;
	struct lent lent; /* owned */
	struct varlink_channel channel;
	struct event *readable; /* while a call may come */
	struct event *hangup;   /* while a call runs */
	struct event
	    *writable; /* while there is something to send; made active to settle() later */
	struct event *patience; /* with half a message, a reply that is not read, and before a close */
	const struct conn_callbacks *callbacks;
	void *arg;
	bool busy;                              /* a call runs */
	bool muted;                             /* its replies are dropped */
	bool eof;                               /* the peer sends nothing more */
	bool ending;                            /* no more calls are read */
	bool broken;                            /* nothing more is sent, either */
	const struct conn_operation *operation; /* of the call that runs, or NULL */
	void *operation_arg;
};

static void start_patience(struct conn *c, int seconds)
{
	const struct timeval time = {.tv_sec = seconds};

	if (!event_pending(c->patience, EV_TIMEOUT, NULL))
		event_add(c->patience, &time);
}

static bool is_over(const struct conn *c)
{
	return c->broken || ((c->eof || c->ending) && !c->busy && !buf_len(&c->channel.out));
}

static void watch(struct event *event, bool wanted)
{
	if (wanted)
		event_add(event, NULL);
	else
		event_del(event);
}

/* After every change: waits for what can happen next. Frees nothing, so that anybody may call it.
 */
static void settle(struct conn *c)
{
	bool sending = buf_len(&c->channel.out) > 0;
	bool incomplete = buf_len(&c->channel.in) > 0;

	watch(c->readable, !c->busy && !sending && !c->eof && !c->ending);
	watch(c->hangup, c->busy && !c->eof);
	watch(c->writable, sending);
	if (incomplete || (c->ending && !c->busy))
		start_patience(c, QUOTA_MESSAGE_SECONDS);
	else if (sending && !c->busy)
		start_patience(c, QUOTA_READ_SECONDS);
	else
		event_del(c->patience);
	if (is_over(c))
		event_active(c->writable, EV_WRITE, 0);
}

/* Where every handler ends. */
static void settle_or_close(struct conn *c)
{
	if (!is_over(c)) {
		settle(c);
		return;
	}
	c->callbacks->closed(c->arg, c);
	conn_free(c);
}

static void call_ends(struct conn *c)
{
	c->busy = false;
	c->muted = false;
	c->operation = NULL;
}

int conn_send(struct conn *c, struct json_object *message, bool last)
{
	int r = message ? 0 : -ENOMEM;

	if (!r && !c->muted) {
		if (!last && buf_len(&c->channel.out) > QUOTA_OUT_BYTES - QUOTA_OUT_RESERVE)
			r = -ENOBUFS;
		else
			r = varlink_queue(&c->channel, message);
	}
	json_object_put(message);
	if (last) {
		call_ends(c);
		if (r)
			c->broken = true;
	}
	settle(c);
	return r;
}

void conn_error(struct conn *c, const char *name, const char *field, const char *format, ...)
{
	struct json_object *parameters = json_object_new_object();
	char sentence[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	refusal_log(&c->peer, name, field, sentence);
	jsonmake_text(parameters, "field", field);
	jsonmake_text(parameters, "message", sentence);
	conn_send(c, varlink_error(name, parameters), true);
}

void conn_mute(struct conn *c)
{
	c->muted = true;
}

void conn_defer(struct conn *c, const struct conn_operation *op, void *arg)
{
	c->operation = op;
	c->operation_arg = arg;
}

void conn_finish(struct conn *c)
{
	c->ending = true;
	settle(c);
}

struct lent *conn_lent(struct conn *c)
{
	return &c->lent;
}

const struct peer *conn_peer(const struct conn *c)
{
	return &c->peer;
}

/* The peer sent what is no message. */
static void refuse_bytes(struct conn *c, const char *why)
{
	closer_close(varlink_take_fd(&c->channel));
	c->busy = true;
	conn_error(c, "InvalidSpec", "message", "what you sent is no call: %s", why);
}

static void take_message(struct conn *c)
{
	struct json_object *message;
	char why[256];
	int r = varlink_next(&c->channel, &message, why, sizeof(why));

	if (!r)
		return;
	if (r < 0) {
		refuse_bytes(c, why);
		return;
	}
	c->busy = true;
	c->callbacks->call(c->arg, c, message, varlink_take_fd(&c->channel),
			   c->channel.too_many_fds);
	json_object_put(message);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	char why[128];
	int r = varlink_receive(&c->channel);

	if (r == -EAGAIN)
		return;
	if (r > 0) {
		take_message(c);
	} else if (r == 0) {
		c->eof = true;
	} else if (r == -EMSGSIZE) {
		snprintf(why, sizeof(why), "it has no end within %d bytes; a NUL ends a message",
			 (int)c->channel.in_limit);
		c->ending = true;
		refuse_bytes(c, why);
	} else {
		c->broken = true;
	}
	settle_or_close(c);
}

/* Both directions are shut: nobody reads replies any more. */
static bool is_gone(const struct conn *c)
{
	struct pollfd p = {.fd = c->fd};

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	c->eof = true;
	if (is_gone(c))
		c->broken = true;
	else if (c->operation && c->operation->half_closed)
		c->operation->half_closed(c->operation_arg);
	settle_or_close(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	size_t before = buf_len(&c->channel.out);
	int r = c->broken ? 0 : varlink_send(&c->channel, -1);

	if (r < 0)
		c->broken = true;
	else if ((size_t)r < before && !c->ending)
		event_del(c->patience); /* the peer reads: settle() begins anew */
	settle_or_close(c);
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	char why[128];

	if (c->ending || !buf_len(&c->channel.in)) {
		c->broken = true;
	} else {
		snprintf(why, sizeof(why), "it did not end within %d seconds; a NUL ends a message",
			 QUOTA_MESSAGE_SECONDS);
		c->ending = true;
		refuse_bytes(c, why);
	}
	settle_or_close(c);
}

struct conn *conn_new(struct event_base *base, int fd, const struct peer *peer,
		      const struct conn_callbacks *callbacks, void *arg)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		closer_hang_up(fd);
		return NULL;
	}
	c->fd = fd;
	c->peer = *peer;
	c->callbacks = callbacks;
	c->arg = arg;
	varlink_channel_init(&c->channel, fd, QUOTA_OUT_BYTES);
	if (c->peer.role >= PEER_CAPTURER)
		c->channel.in_limit = LIMIT_START_BYTES;
	c->channel.discard = closer_close;
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->hangup = event_new(base, fd, EV_CLOSED | EV_PERSIST, on_hangup, c);
	c->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->patience = event_new(base, -1, 0, on_patience, c);
	if (!c->readable || !c->hangup || !c->writable || !c->patience ||
	    event_add(c->readable, NULL)) {
		conn_free(c);
		return NULL;
	}
	return c;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	if (c->busy && c->operation)
		c->operation->abandoned(c->operation_arg);
	free_event(c->readable);
	free_event(c->hangup);
	free_event(c->writable);
	free_event(c->patience);
	varlink_channel_clear(&c->channel);
	lent_clear(&c->lent);
	closer_hang_up(c->fd);
	free(c);
}
