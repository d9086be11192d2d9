/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <event2/event.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "daemon/closer.h"
#include "daemon/conn.h"
#include "daemon/dropfeed.h"
#include "daemon/journal.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/methods.h"
#include "daemon/metricshttp.h"
#include "daemon/netstats.h"
#include "daemon/quota.h"
#include "daemon/reload.h"
#include "daemon/refusal.h"
#include "daemon/server.h"
#include "daemon/sessions.h"
#include "varlink.h"

#define ACCEPT_PAUSE_MS 100 /* before the next try when there are no descriptors */
#define ACCEPT_MOST     4   /* in one turn, so that those that have hung up leave in between */

struct client {
	TAILQ_ENTRY(client) link;
	struct server *server;
	struct conn *conn; /* owned */
};

struct server {
	struct event_base *base;
	struct peer_policy policy;
	struct config config; /* changes by a reload */
	struct config_source source;
	struct reload *reload;
	struct kernel kernel;
	char kernel_why[512];
	struct netstats baseline; /* when the daemon began */
	struct ledger *ledger;     /* NULL: there is none */
	bool ledger_wanted;        /* by the configuration, when the daemon began */
	struct dropfeed *dropfeed; /* NULL with it */
	char ledger_why[512];
	struct session_host host;
	struct sessions *sessions;
	struct methods methods;
	struct metricshttp *metrics; /* NULL: none over HTTP */
	TAILQ_HEAD(, client) clients;
	unsigned client_count;
	bool alone;                          /* for one private connection */
	int signal;                          /* that ends it, 0: none yet */
	struct event *terminate, *interrupt; /* signals */
	struct event *hangup;                /* a signal; NULL when alone */
	struct event *incoming;              /* NULL when alone */
	struct event *again;                 /* accepts anew after a pause */
	struct event *watchdog;              /* NULL: nobody watches */
	struct event *deadline;              /* of stopping */
};

/* ---- its end ---- */

static void leave_when_done(struct server *s)
{
	if ((s->alone || s->methods.stopping) && !s->client_count && !sessions_count(s->sessions))
		event_base_loopbreak(s->base);
}

static void stop_within(struct server *s, int seconds)
{
	event_add(s->deadline, &(struct timeval){.tv_sec = seconds});
}

static void on_sessions_changed(void *arg)
{
	struct server *s = arg;

	sd_notifyf(0, "STATUS=Sessions: %zu", sessions_count(s->sessions));
	if (s->methods.stopping && !sessions_count(s->sessions))
		stop_within(s, QUOTA_LAST_SECONDS);
	leave_when_done(s);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	log_warning("stopping takes longer than %d seconds for sessions to end and %d for clients to read: "
		    "%zu sessions and %u connections are cut off",
		    QUOTA_END_SECONDS, QUOTA_LAST_SECONDS, sessions_count(s->sessions), s->client_count);
	event_base_loopbreak(s->base);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct server *s = arg;
	struct client *client;

	if (s->methods.stopping) {
		event_base_loopbreak(s->base);
		return;
	}
	s->signal = number;
	sd_notify(0, "STOPPING=1");
	s->methods.stopping = true;
	if (s->incoming)
		event_del(s->incoming);
	event_del(s->again);
	stop_within(s, sessions_count(s->sessions) ? QUOTA_END_SECONDS : QUOTA_LAST_SECONDS);
	sessions_stop_all(s->sessions, "shutdown");
	ledger_stop(s->ledger);
	TAILQ_FOREACH(client, &s->clients, link)
	conn_finish(client->conn);
	leave_when_done(s);
}

/* ---- its configuration ---- */

static void on_hangup(evutil_socket_t number, short what, void *arg)
{
	struct server *s = arg;

	if (!s->methods.stopping)
		reload_now(s->reload);
}

/* ---- connections ---- */

static void forget(struct client *client)
{
	TAILQ_REMOVE(&client->server->clients, client, link);
	client->server->client_count--;
	free(client);
}

static void on_call(void *arg, struct conn *c, struct json_object *message, int fd,
		    bool too_many_fds)
{
	const struct client *client = arg;

	methods_call(&client->server->methods, c, message, fd, too_many_fds);
}

static void on_closed(void *arg, struct conn *c)
{
	struct client *client = arg;
	struct server *s = client->server;

	forget(client);
	leave_when_done(s);
}

/* fd is taken over. 0 or -ENOMEM. */
static int add_client(struct server *s, int fd, const struct peer *peer)
{
	static const struct conn_callbacks callbacks = {.call = on_call, .closed = on_closed};
	struct client *client = malloc(sizeof(*client));

	if (!client) {
		closer_hang_up(fd);
		return -ENOMEM;
	}
	client->server = s;
	client->conn = conn_new(s->base, fd, peer, &callbacks, client);
	if (!client->conn) {
		free(client);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&s->clients, client, link);
	s->client_count++;
	return 0;
}

static bool has_room(const struct server *s, const struct peer *peer, char *why, size_t size)
{
	int64_t own = 0, all = s->config.limits.connections;
	const struct client *client;

	TAILQ_FOREACH(client, &s->clients, link)
	own += conn_peer(client->conn)->uid == peer->uid;
	if (peer->role < PEER_ADMIN)
		all -= QUOTA_CONNECTIONS_ADMIN;
	if (own >= s->config.limits.connections_uid)
		snprintf(why, size,
			 "user %u has %" PRId64 " connections already, the most a user may have; "
			 "end one",
			 (unsigned)peer->uid, own);
	else if (s->client_count >= all)
		snprintf(why, size,
			 "there are %u connections already, the most the daemon takes; try again "
			 "later",
			 s->client_count);
	else
		return true;
	return false;
}

/* One error and good-bye. fd is taken over. */
static void turn_away(int fd, const char *why)
{
	struct json_object *parameters = json_object_new_object(), *message;
	struct varlink_channel channel;

	varlink_channel_init(&channel, fd, QUOTA_OUT_BYTES);
	if (parameters) {
		json_object_object_add(parameters, "field", json_object_new_string(""));
		json_object_object_add(parameters, "message", json_object_new_string(why));
	}
	message = varlink_error("LimitReached", parameters);
	/* a new connection's buffer has room for it */
	if (message && !varlink_queue(&channel, message))
		varlink_send(&channel, -1);
	json_object_put(message);
	varlink_channel_clear(&channel);
	closer_hang_up(fd);
}

static void welcome(struct server *s, int fd)
{
	struct peer peer;
	char why[128];
	int r = peer_from_socket(&s->policy, fd, &peer);

	if (r) {
		log_warning("a connection is refused: its user is not known: %s", strerror(-r));
		closer_hang_up(fd);
	} else if (!has_room(s, &peer, why, sizeof(why))) {
		refusal_log(&peer, "LimitReached", "", why);
		turn_away(fd, why);
	} else if (add_client(s, fd, &peer)) {
		log_error("no memory for another connection");
	}
}

static void on_incoming(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
	struct server *s = arg;

	for (int i = 0; i < ACCEPT_MOST; i++) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (client >= 0) {
			welcome(s, client);
			continue;
		}
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		/* no descriptors, or no memory: they come back */
		log_warning("a connection has to wait: %s", strerror(errno));
		event_del(s->incoming);
		event_add(s->again, &pause);
		return;
	}
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	event_add(s->incoming, NULL);
}

/* ---- its beginning ---- */

static int make_events(struct server *s, int listen_fd)
{
	s->terminate = evsignal_new(s->base, SIGTERM, on_signal, s);
	s->interrupt = evsignal_new(s->base, SIGINT, on_signal, s);
	s->again = event_new(s->base, -1, 0, on_again, s);
	s->deadline = event_new(s->base, -1, 0, on_deadline, s);
	if (!s->terminate || !s->interrupt || !s->again || !s->deadline ||
	    event_add(s->terminate, NULL) || event_add(s->interrupt, NULL))
		return -ENOMEM;
	if (listen_fd >= 0) {
		s->incoming = event_new(s->base, listen_fd, EV_READ | EV_PERSIST, on_incoming, s);
		s->hangup = evsignal_new(s->base, SIGHUP, on_hangup, s);
		if (!s->incoming || !s->hangup || event_add(s->incoming, NULL) ||
		    event_add(s->hangup, NULL))
			return -ENOMEM;
	}
	return loop_watch(s->base, &s->watchdog);
}

/* The caller started this process: what it may do is what this process may. */
static int add_private(struct server *s, int fd)
{
	struct peer peer;
	int r = peer_from_socket(&s->policy, fd, &peer);

	if (r) {
		close(fd);
		return r;
	}
	peer.role = PEER_ADMIN;
	return add_client(s, fd, &peer);
}

static void on_config_changed(void *arg)
{
	struct server *s = arg;

	dropfeed_configure(s->dropfeed);
	if (s->config.ledger != s->ledger_wanted)
		log_warning("the drop ledger goes %s when netcapd is started anew", s->config.ledger ? "on" : "off");
}

static int build(struct server *s, int listen_fd, int private_fd)
{
	int r;

	s->base = loop_new();
	r = s->base ? make_events(s, listen_fd) : -ENOMEM;
	if (r)
		return r;
	s->host = (struct session_host){.base = s->base, .kernel = &s->kernel};
	s->host.worker = worker_new(s->base);
	s->host.reaper = worker_new(s->base);
	if (!s->host.worker || !s->host.reaper)
		return -errno;
	s->host.symbols = symbolcache_new(s->host.worker);
	s->host.filters = filterproc_new(s->base, NULL);
	s->sessions = sessions_new(&s->host, &s->config.limits, on_sessions_changed, s);
	s->reload = reload_new(s->host.worker, &s->source, &s->config, on_config_changed, s);
	if (!s->host.filters || !s->host.symbols || !s->sessions || !s->reload)
		return -ENOMEM;
	s->methods = (struct methods){
	    .host = &s->host,
	    .sessions = s->sessions,
	    .baseline = &s->baseline,
	    .reload = s->reload,
	    .started = wallclock_monotonic(),
	};
	return private_fd >= 0 ? add_private(s, private_fd) : 0;
}

static void prepare(void *arg)
{
	const struct server *s = arg;

	kernel_prepare(&s->kernel);
}

static void prepared(void *arg)
{
}

static void open_kernel(struct server *s)
{
	if (!kernel_open(&s->kernel, s->kernel_why, sizeof(s->kernel_why))) {
		/* a private daemon's one session may be at tracepoints only, and would wait for nothing */
		if (!s->alone)
			worker_submit(s->host.worker, prepare, prepared, s);
		return;
	}
	s->methods.kernel_why = s->kernel_why;
	/* a private daemon's caller is told by the reply to its call */
	if (!s->alone)
		log_error("no session can run: %s", s->kernel_why);
}

/* Why there is no ledger is logged, and said to those who ask; the daemon is there for more. */
static void open_ledger(struct server *s, const char *directory)
{
	const struct ledger_host host = {
	    .base = s->base,
	    .kernel = &s->kernel,
	    .worker = s->host.worker,
	    .symbols = s->host.symbols,
	};
	const struct ledger_options options = {.directory = directory};

	s->ledger_wanted = s->config.ledger;
	s->methods.ledger_why = s->ledger_why;
	if (s->alone) {
		snprintf(s->ledger_why, sizeof(s->ledger_why),
			 "a private netcapd has no drop ledger; start the service");
	} else if (!s->config.ledger) {
		snprintf(s->ledger_why, sizeof(s->ledger_why),
			 "the drop ledger is turned off in netcapd's configuration");
	} else if (s->methods.kernel_why) {
		snprintf(s->ledger_why, sizeof(s->ledger_why), "%s", s->kernel_why);
	} else {
		s->ledger = ledger_new(&host, &options, s->ledger_why, sizeof(s->ledger_why));
		if (!s->ledger)
			log_error("drops are not counted: %s", s->ledger_why);
		else
			s->dropfeed = dropfeed_new(s->base, s->ledger, &s->config.journal);
		if (s->ledger && !s->dropfeed)
			log_error("no memory to log drops; they are counted all the same");
	}
	s->methods.ledger = s->ledger;
}

struct server *server_new(struct server_parts *parts, char *why, size_t size)
{
	struct server *s = calloc(1, sizeof(*s));
	int r = s ? 0 : -ENOMEM;

	if (s) {
		config_move(&s->config, &parts->config);
		s->source = parts->source;
		s->policy = parts->policy;
		s->policy.rules = &s->config.rules;
		s->alone = parts->private_fd >= 0;
		TAILQ_INIT(&s->clients);
		r = build(s, parts->listen_fd, parts->private_fd);
	}
	if (!r) {
		if (netstats_read(&s->baseline, &parts->counters))
			log_warning("no memory for the counters of lost packets; what was lost "
				    "since the start cannot be told");
		open_kernel(s);
		open_ledger(s, parts->directory);
		if (!s->alone)
			s->metrics = metricshttp_new(s->base, &s->methods, parts->metrics_fd, s->config.metrics.enabled);
		return s;
	}
	snprintf(why, size, "the daemon cannot be set up: %s", strerror(-r));
	server_free(s);
	return NULL;
}

static void log_end(const struct server *s)
{
	uint64_t seconds = (wallclock_monotonic() - s->methods.started) / 1000000000;
	struct journal_entry e;

	journal_begin(&e, JOURNAL_SERVICE_STOPPED, LOG_INFO);
	journal_text(&e, "NETCAP_REASON", s->signal ? sigabbrev_np(s->signal) : "connection");
	journal_number(&e, "NETCAP_SECONDS", seconds);
	if (s->signal)
		journal_send(&e, "netcapd stopped on signal %d (%s) after %" PRIu64 " s", s->signal,
			     strsignal(s->signal), seconds);
	else
		journal_send(&e, "netcapd stopped after %" PRIu64 " s: its connection has ended",
			     seconds);
}

void server_run(struct server *s)
{
	sd_notify(0, "READY=1\nSTATUS=Sessions: 0");
	event_base_dispatch(s->base);
	log_end(s);
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void server_free(struct server *s)
{
	struct client *client;

	if (!s)
		return;
	/* callers first, then what works for them, then what it works on */
	while ((client = TAILQ_FIRST(&s->clients))) {
		conn_free(client->conn);
		forget(client);
	}
	ledger_stop(s->ledger);
	worker_free(s->host.worker);
	metricshttp_free(s->metrics);
	reload_free(s->reload);
	dropfeed_free(s->dropfeed);
	ledger_free(s->ledger);
	sessions_free(s->sessions);
	worker_free(s->host.reaper);
	filterproc_free(s->host.filters);
	symbolcache_free(s->host.symbols);
	kernel_close(&s->kernel);
	netstats_clear(&s->baseline);
	free_event(s->terminate);
	free_event(s->interrupt);
	free_event(s->hangup);
	free_event(s->incoming);
	free_event(s->again);
	free_event(s->watchdog);
	free_event(s->deadline);
	if (s->base)
		event_base_free(s->base);
	config_clear(&s->config);
	free(s);
}
