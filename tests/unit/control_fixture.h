/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection with the methods behind it and a peer that a test plays. Sessions are played too:
 * these functions stand in for those of daemon/session.c.
 */
#ifndef CONTROL_FIXTURE_H
#define CONTROL_FIXTURE_H

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "daemon/config.h"
#include "daemon/methods.h"
#include "played_session.h"
#include "varlink.h"

struct fixture {
	struct event_base *base;
	struct kernel kernel;
	struct session_host host;
	struct config config;
	struct netstats baseline;
	struct config_source source;
	struct methods methods;
	struct conn *conn; /* NULL: closed */
	int peer;          /* the test's end */
	char input[1 << 20];
	size_t input_len;
};

static inline void on_call(void *arg, struct conn *c, struct json_object *message, int fd,
			   bool too_many_fds)
{
	struct fixture *f = arg;

	methods_call(&f->methods, c, message, fd, too_many_fds);
}

static inline void on_closed(void *arg, struct conn *c)
{
	((struct fixture *)arg)->conn = NULL;
}

static inline void on_changed(void *arg)
{
}

static inline void open_conn(struct fixture *f, enum peer_role role, uid_t uid)
{
	static const struct conn_callbacks callbacks = {.call = on_call, .closed = on_closed};
	struct peer peer = {.uid = uid, .pid = 1, .role = role};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	f->peer = fds[1];
	f->input_len = 0;
	f->conn = conn_new(f->base, fds[0], &peer, &callbacks, f);
	assert_non_null(f->conn);
}

static inline void close_conn(struct fixture *f)
{
	conn_free(f->conn);
	f->conn = NULL;
	if (f->peer >= 0)
		close(f->peer);
	f->peer = -1;
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->base = event_base_new();
	f->host = (struct session_host){.base = f->base, .kernel = &f->kernel};
	f->host.worker = worker_new(f->base);
	f->methods.host = &f->host;
	f->baseline.source = (struct netstats_source)NETSTATS_OWN_SOURCE;
	f->methods.baseline = &f->baseline;
	f->methods.ledger_why = "the drop ledger is not part of this test";
	assert_int_equal(config_load(&f->config, &f->source, &(struct config_error){}), 0);
	f->methods.sessions = sessions_new(&f->host, &f->config.limits, on_changed, f);
	f->methods.reload = reload_new(f->host.worker, &f->source, &f->config, on_changed, f);
	open_conn(f, PEER_CAPTURER, 1000);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	close_conn(f);
	worker_free(f->host.worker);
	reload_free(f->methods.reload);
	sessions_free(f->methods.sessions);
	config_clear(&f->config);
	event_base_free(f->base);
	free(f);
	return session_count ? -1 : 0;
}

/* Lets the daemon's side do what there is to do now. */
static inline void run(struct fixture *f)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static inline void send_bytes(struct fixture *f, const void *bytes, size_t len)
{
	assert_int_equal(send(f->peer, bytes, len, MSG_NOSIGNAL), len);
}

static inline void send_call(struct fixture *f, const char *text)
{
	send_bytes(f, text, strlen(text) + 1);
}

static inline void read_more(struct fixture *f)
{
	ssize_t n =
	    recv(f->peer, f->input + f->input_len, sizeof(f->input) - f->input_len, MSG_DONTWAIT);

	if (n > 0)
		f->input_len += n;
}

/*
 * The next message, the caller's to put, waited for up to five seconds while the daemon's side
 * works; NULL: none came.
 */
static inline struct json_object *next_message(struct fixture *f, int timeout_ms)
{
	struct json_object *message;
	char *end;

	for (int i = 0; i <= timeout_ms; i++) {
		run(f);
		read_more(f);
		end = memchr(f->input, 0, f->input_len);
		if (end) {
			message = json_tokener_parse(f->input);
			assert_non_null(message);
			f->input_len -= end + 1 - f->input;
			memmove(f->input, end + 1, f->input_len);
			return message;
		}
		if (i < timeout_ms)
			usleep(1000);
	}
	return NULL;
}

static inline void expect_nothing(struct fixture *f)
{
	struct json_object *message = next_message(f, 0);

	if (message)
		fail_msg("a message came: %s", json_object_to_json_string(message));
}

/* The next message is a reply whose text holds part. */
static inline void expect_reply(struct fixture *f, const char *part)
{
	struct json_object *message = next_message(f, 5000);

	assert_non_null(message);
	if (json_object_object_get(message, "error") ||
	    !strstr(json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN), part))
		fail_msg("no reply with %s: %s", part, json_object_to_json_string(message));
	json_object_put(message);
}

/* The next message is this error, of io.netcap.Capture if there is no dot, and holds part. */
static inline void expect_error(struct fixture *f, const char *error, const char *part)
{
	struct json_object *message = next_message(f, 5000), *name, *sentence;
	char full[128];

	assert_non_null(message);
	snprintf(full, sizeof(full), "%s%s%s", strchr(error, '.') ? "" : VARLINK_INTERFACE,
		 strchr(error, '.') ? "" : ".", error);
	name = json_object_object_get(message, "error");
	sentence = json_object_object_get(json_object_object_get(message, "parameters"), "message");
	if (!name || strcmp(json_object_get_string(name), full) || !sentence ||
	    json_object_get_string_len(sentence) < 20 ||
	    !strstr(json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN), part))
		fail_msg("no error %s with %s: %s", full, part,
			 json_object_to_json_string(message));
	json_object_put(message);
}

#endif
