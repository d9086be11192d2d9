/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes on the control socket, in any pieces: what comes back is whole messages in strict JSON,
 * the daemon's side comes to rest, and nothing is left. The input's first byte chooses the role and
 * how the peer leaves; then come pieces, each behind its length. Pieces of length 0 let a session
 * speak.
 */
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

#include "daemon/features.h"
#include "daemon/drops.h"
#include "daemon/methods.h"
#include "daemon/points.h"
#include "daemon/quota.h"
#include "jsonstrict.h"
#include "tests/unit/played_session.h"
#include "varlink.h"

#define REPLIES    (1 << 20)
#define JSON_DEPTH 16
#define FIRST_CALL 240

#define CAPTURE(method, rest) "{\"method\":\"io.netcap.Capture." method "\"" rest "}"
#define SERVICE(method, rest) "{\"method\":\"org.varlink.service." method "\"" rest "}"

static const char *const calls[] = {
    CAPTURE("Start", ",\"more\":true,\"parameters\":{\"points\":[\"tp:skb:x\"]}"),
    CAPTURE("Start", ",\"parameters\":{\"points\":[\"tp:skb:x\"],\"dryRun\":true}"),
    CAPTURE("Stop", ",\"parameters\":{\"id\":1}"),
    CAPTURE("Stop", ",\"oneway\":true,\"parameters\":{\"id\":1}"),
    CAPTURE("Stats", ",\"parameters\":{\"id\":1}"),
    CAPTURE("List", ""),
    CAPTURE("Points", ",\"more\":true,\"parameters\":{\"pattern\":\"*\"}"),
    CAPTURE("Points", ",\"oneway\":true"),
    CAPTURE("Features", ""),
    CAPTURE("Reload", ""),
    CAPTURE("Drops", ",\"more\":true,\"parameters\":{\"by\":\"reason\",\"top\":3,\"layers\":true}"),
    CAPTURE("Drops", ",\"parameters\":{\"since\":1,\"until\":2}"),
    SERVICE("GetInfo", ""),
    SERVICE("GetInterfaceDescription", ",\"parameters\":{\"interface\":\"io.netcap.Capture\"}"),
};

static struct event_base *base;
static struct kernel kernel;
static struct session_host host;
static const struct quota quota = {
    .sessions = QUOTA_SESSIONS,
    .sessions_uid = QUOTA_SESSIONS_UID,
    .points = QUOTA_POINTS,
    .points_uid = QUOTA_POINTS_UID,
    .ring_bytes = QUOTA_RINGS,
    .ring_bytes_uid = QUOTA_RINGS_UID,
};
static struct methods methods;
static struct conn *conn;
static char replies[REPLIES];
static size_t replies_len;

/* What the worker would do needs a kernel. */
void points_run(struct deferred_work *work)
{
	work->replies = json_object_new_array();
	for (int i = 0; i < (work->more ? 3 : 1); i++)
		json_object_array_add(work->replies, json_object_new_object());
}

void features_run(struct deferred_work *work)
{
	strcpy(work->why, "no features here");
}

/* What is in files is not the fuzzer's. */
void reload_call(struct reload *r, struct conn *c)
{
	conn_error(c, "InvalidSpec", "", "no file here");
}

/* So does the ledger. */
void drops_call(struct ledger *ledger, const char *why, const struct netstats *baseline, const struct session_host *h,
		struct conn *c, const struct drops_query *query, bool more)
{
	conn_error(c, "Failed", query->by ?: "", "%s", why);
}

/* In place of the worker's thread, so that runs can be repeated: the event loop. */
struct job {
	void (*run)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

static void on_job(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;

	job->run(job->arg);
	job->done(job->arg);
	free(job);
}

int worker_submit(struct worker *w, void (*run)(void *arg), void (*done)(void *arg), void *arg)
{
	static const struct timeval now;
	struct job *job = malloc(sizeof(*job));

	*job = (struct job){run, done, arg};
	return event_base_once(base, -1, EV_TIMEOUT, on_job, job, &now);
}

uint64_t wallclock_monotonic(void)
{
	return 0;
}

static void on_call(void *arg, struct conn *c, struct json_object *message, int fd,
		    bool too_many_fds)
{
	methods_call(&methods, c, message, fd, too_many_fds);
}

static void on_closed(void *arg, struct conn *c)
{
	conn = NULL;
}

static void on_changed(void *arg)
{
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void take_replies(int peer)
{
	ssize_t n = recv(peer, replies + replies_len, REPLIES - replies_len, MSG_DONTWAIT);
	char why[256], *end;

	replies_len += n > 0 ? n : 0;
	while ((end = memchr(replies, 0, replies_len))) {
		struct json_object *reply =
		    jsonstrict_parse(replies, end - replies, JSON_DEPTH, why, sizeof(why));

		check(json_object_is_type(reply, json_type_object));
		json_object_put(reply);
		replies_len -= end + 1 - replies;
		memmove(replies, end + 1, replies_len);
	}
	check(replies_len < REPLIES);
}

static void settle(int peer)
{
	for (int i = 0; i < 20; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		take_replies(peer);
	}
}

static void end_session(struct session *s)
{
	if (!s->orphaned)
		s->callbacks.reply(s->arg, varlink_reply(NULL, false), true);
	s->callbacks.ended(s->arg, s);
}

static void let_session_speak(void)
{
	struct session *s = last_session;

	if (!s)
		return;
	if (s->stopped)
		end_session(s);
	else if (!s->orphaned)
		s->callbacks.reply(s->arg, varlink_reply(NULL, true), false);
}

/* False: the daemon's side takes no more. */
static bool send_piece(int peer, const void *bytes, size_t len)
{
	return send(peer, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static void talk(int peer, const uint8_t *data, size_t size)
{
	bool open = true;

	while (size && open) {
		size_t len = *data++;

		size--;
		if (len >= FIRST_CALL) {
			const char *call =
			    calls[(len - FIRST_CALL) % (sizeof(calls) / sizeof(*calls))];

			open = send_piece(peer, call, strlen(call) + 1);
			len = 0;
		} else if (!len) {
			let_session_speak();
		} else {
			len = len < size ? len : size;
			open = send_piece(peer, data, len);
		}
		settle(peer);
		data += len;
		size -= len;
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	base = event_base_new();
	host = (struct session_host){.base = base, .kernel = &kernel};
	methods.host = &host;
	methods.ledger_why = "there is no ledger here";
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conn_callbacks callbacks = {.call = on_call, .closed = on_closed};
	struct peer peer = {.uid = 1000, .pid = 1};
	int fds[2];

	if (!size || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds))
		return 0;
	peer.role = data[0] % 3;
	replies_len = 0;
	methods.sessions = sessions_new(&host, &quota, on_changed, NULL);
	conn = conn_new(base, fds[0], &peer, &callbacks, NULL);
	talk(fds[1], data + 1, size - 1);
	if (data[0] & 0x80) {
		shutdown(fds[1], SHUT_WR);
		settle(fds[1]);
		check(!last_session || last_session->stopped);
		let_session_speak();
		settle(fds[1]);
		check(!conn);
		check(!replies_len);
	}
	close(fds[1]);
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	check(!conn);
	sessions_free(methods.sessions);
	check(!session_count);
	return 0;
}
