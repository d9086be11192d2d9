/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two streams at once: replies on the control connection, and pcapng on a socket whose other end the
 * daemon holds. The session is asked to end by half-closing the connection; the daemon then sends
 * what is left, closes the socket, and sends the final reply. The end is: end of data and final reply.
 */
#include "capture.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "exitcode.h"
#include "gathershow.h"
#include "interfaces.h"
#include "jsonget.h"
#include "message.h"
#include "progress.h"
#include "signals.h"
#include "summary.h"

#define DATA_BYTES (1 << 20) /* that the kernel keeps while the client is busy */
#define CHUNK      65536
#define TICK_MS    1000
#define GRACE_MS   2000 /* for what a daemon that went away left in the socket */

struct capture {
	struct connection *connection; /* not owned */
	const struct options *options; /* not owned */
	struct userspace *userspace;   /* not owned */
	struct sink *sink;             /* not owned */
	struct progress progress;
	struct gathershow gathershow;
	struct pcapng_reader *reader;  /* owned */
	struct interfaces interfaces;  /* owned */
	struct json_object *ended;     /* owned; parameters of the final reply, NULL: not yet */
	int data;                      /* owned; the socket that the daemon writes to, -1 at its end */
	uint64_t received;             /* packets in the data stream */
	bool hung_up;                  /* end of the control connection */
	bool stopping;                 /* we asked for the end */
	bool sink_done;                /* the sink takes nothing more */
	int code;
};

static void stop(struct capture *c)
{
	if (!c->stopping)
		shutdown(c->connection->fd, SHUT_WR);
	c->stopping = true;
}

static void fail(struct capture *c, int code)
{
	if (c->code == EXITCODE_OK)
		c->code = code;
	stop(c);
}

/* The sink's word on how it went. A reader that went away wants no more: the session ends well. */
static void sink_result(struct capture *c, int err)
{
	if (!err)
		return;
	c->sink_done = true;
	if (err == -EPIPE)
		stop(c);
	else
		fail(c, EXITCODE_FAILED);
}

static void take_packet(struct capture *c, const struct pcapng_event *e)
{
	char store[META_TEXT_MAX];
	struct packet p; /* not made empty first: metadata is large, and a file does without */

	c->received++;
	interfaces_packet(&c->interfaces, &e->packet, c->sink->wants_meta ? store : NULL, &p);
	if (!c->sink_done)
		sink_result(c, c->sink->take(c->sink, e, &p));
}

static void take_event(struct capture *c, const struct pcapng_event *e)
{
	if (e->type == PCAPNG_PACKET) {
		take_packet(c, e);
		return;
	}
	if (e->type == PCAPNG_INTERFACE && interfaces_add(&c->interfaces, &e->interface)) {
		message("out of memory.");
		fail(c, EXITCODE_FAILED);
	}
	if (!c->sink_done)
		sink_result(c, c->sink->take(c->sink, e, NULL));
}

static void data_failed(struct capture *c, int error)
{
	message("the daemon's data stream cannot be read (%s); is the daemon of the same "
		"version as this netcapctl?", strerror(error));
	fail(c, EXITCODE_FAILED);
	close(c->data);
	c->data = -1;
}

static void take_data(struct capture *c)
{
	struct pcapng_event e;
	int more;

	while ((more = pcapng_reader_next(c->reader, &e)) == 1)
		take_event(c, &e);
	if (more < 0)
		data_failed(c, -more);
}

/* One read; the poll loop comes back for more. */
static void read_data(struct capture *c)
{
	uint8_t *bytes = pcapng_reader_room(c->reader, CHUNK);
	ssize_t n;

	if (!bytes) {
		data_failed(c, ENOMEM);
		return;
	}
	n = read(c->data, bytes, CHUNK);
	if (n > 0) {
		pcapng_reader_took(c->reader, (size_t)n);
		take_data(c);
		if (!c->sink_done)
			sink_result(c, c->sink->flush(c->sink));
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		close(c->data);
		c->data = -1;
	}
}

static void take_reply(struct capture *c, struct json_object *reply)
{
	struct json_object *parameters = jsonget_object(reply, "parameters");
	const char *state = jsonget_string(parameters, "state");
	struct json_object *session = jsonget_object(parameters, "session");
	int code = connection_check(reply);

	if (code != EXITCODE_OK) {
		fail(c, code);
		c->hung_up = true; /* an error is the last reply */
	} else if (state && !strcmp(state, "attaching")) {
		progress_attaching(&c->progress, jsonget_integer(parameters, "done"),
				   jsonget_integer(parameters, "total"));
	} else if (state && !strcmp(state, "attached")) {
		progress_end(&c->progress);
		summary_attached(stderr, session);
	} else if (state && !strcmp(state, "running") && c->options->spec.gather_summary) {
		if (!c->sink_done)
			sink_result(c, gathershow_running(&c->gathershow, session));
	} else if (state && !strcmp(state, "ended")) {
		c->ended = json_object_get(parameters);
	}
	/* else there is no "running", with the counts of a session under way: the progress line shows our own */
}

static void read_control(struct capture *c)
{
	struct json_object *reply = NULL;
	char why[256];
	int n = varlink_receive(&c->connection->channel);

	if (n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR)) {
		c->hung_up = true;
		return;
	}
	while (!c->ended &&
	       (n = varlink_next(&c->connection->channel, &reply, why, sizeof(why))) == 1) {
		take_reply(c, reply);
		json_object_put(reply);
	}
	if (n < 0) {
		message("the daemon's reply cannot be read: %s.", why);
		fail(c, EXITCODE_FAILED);
		c->hung_up = true;
	}
}

/* Whether the loop goes on: until the data is at its end and the final reply is there. */
static bool running(const struct capture *c)
{
	return c->data >= 0 || !(c->ended || c->hung_up);
}

/* How long to wait for something to come, in milliseconds; -1: for ever. */
static int patience(const struct capture *c)
{
	int ms = c->hung_up ? GRACE_MS : c->progress.wanted || c->userspace->pidfd >= 0 ? TICK_MS : -1;
	int wait = c->sink->wait_ms && !c->sink_done && !c->hung_up ? c->sink->wait_ms(c->sink) : -1;

	return ms < 0 || (wait >= 0 && wait < ms) ? wait : ms;
}

static void loop(struct capture *c)
{
	while (running(c)) {
		bool over = c->ended || c->hung_up;
		struct pollfd p[3] = {
			{.fd = over ? -1 : c->connection->fd, .events = POLLIN},
			{.fd = c->data, .events = POLLIN},
			{.fd = c->userspace->pidfd, .events = POLLIN},
		};
		int n;

		/* a signal that comes after this ends the session by itself (client/signals.c) */
		if (signals_stop_requested())
			stop(c);
		n = poll(p, 3, patience(c));
		if (!userspace_watch(c->userspace, c->options))
			stop(c);
		if (n > 0 && p[1].revents)
			read_data(c);
		if (n > 0 && p[0].revents)
			read_control(c);
		if (n == 0 && c->hung_up)
			break;
		if (n == 0 && !c->sink_done)
			sink_result(c, c->sink->flush(c->sink));
		progress_show(&c->progress, c->sink->packets);
	}
	progress_end(&c->progress);
}

/*
 * Sends Start with one end of a new pair of sockets. Not with a pipe: the daemon would have to open it
 * anew for itself (daemon/output.c), which its privileges may not allow. 0 or negative errno.
 */
static int start(struct capture *c)
{
	struct json_object *parameters = spec_to_json(&c->options->spec);
	const int bytes = DATA_BYTES;
	int ends[2], err;

	if (!parameters)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		json_object_put(parameters);
		return -errno;
	}
	/* the sender's buffer is what counts (unix(7)); a smaller one is only less patient */
	if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	c->data = ends[0];
	err = connection_call(c->connection, "Start", parameters, true, ends[1]);
	close(ends[1]);
	return err;
}

static void finish(struct capture *c)
{
	const char *reason = jsonget_string(c->ended, "reason");
	size_t cut = pcapng_reader_pending(c->reader);

	if (!c->sink_done)
		sink_result(c, c->sink->finish(c->sink));
	if (c->ended) {
		if (!c->sink_done)
			sink_result(c, gathershow_ended(&c->gathershow, jsonget_object(c->ended, "session")));
		summary_ended(stderr, jsonget_object(c->ended, "session"),
			      reason, c->options, c->sink, c->received);
		if (c->code == EXITCODE_OK && reason && !strcmp(reason, "shutdown")) {
			message("the daemon was stopped, and ended the session.");
			c->code = EXITCODE_GONE;
		}
		return;
	}
	if (c->code != EXITCODE_OK)
		return;
	message("the daemon went away in the middle of the session; %" PRIu64
		" packets had come, and are kept%s. Its log may say why: journalctl -u netcapd.",
		c->received, cut ? " (the last one was cut off)" : "");
	c->code = EXITCODE_GONE;
}

static void clear(struct capture *c)
{
	if (c->data >= 0)
		close(c->data);
	pcapng_reader_free(c->reader);
	interfaces_clear(&c->interfaces);
	json_object_put(c->ended);
}

int capture_run(struct connection *connection, const struct options *o, struct userspace *u, struct sink *sink)
{
	struct capture c = {.connection = connection, .options = o, .userspace = u, .sink = sink, .data = -1};
	int err;

	progress_init(&c.progress, o->write_path);
	gathershow_init(&c.gathershow, o);
	c.reader = pcapng_reader_new();
	err = c.reader ? start(&c) : -ENOMEM;
	if (err == -EPIPE) {
		/* It hung up, but may have said why first. */
		c.stopping = true;
	} else if (err) {
		message("the session could not be asked for: %s.", strerror(-err));
		clear(&c);
		return EXITCODE_FAILED;
	}
	loop(&c);
	finish(&c);
	clear(&c);
	return c.code;
}
