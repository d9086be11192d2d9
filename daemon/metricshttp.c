/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <systemd/sd-daemon.h>

#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/metricshttp.h"
#include "daemon/openmetrics.h"

#define PATH            "/metrics"
#define ACCEPT_PAUSE_MS 100 /* before the next try when there are no descriptors */

enum state {
	READING, /* its request */
	WAITING, /* for the worker to be free */
	ASKED,   /* the worker makes its text */
	SENDING,
	LEAVING, /* all is sent; until the client closes */
};

struct scrape {
	LIST_ENTRY(scrape) link;
	struct metricshttp *http;
	struct bufferevent *stream; /* owned, with the descriptor */
	struct event *deadline;     /* owned */
	enum state state;
	bool silent;                /* the client sends no more */
	size_t ignored;             /* bytes after the request */
};

struct metricshttp {
	struct event_base *base;
	const struct methods *methods;
	struct evconnlistener *listener; /* owned, with the descriptor */
	struct event *again;             /* owned; accepts anew after a pause */
	LIST_HEAD(, scrape) scrapes;
	unsigned count;
	bool asked; /* the worker has what follows, for all scrapes that are ASKED */
	struct metrics *metrics; /* owned */
	char *text;              /* owned */
};

/* ---- connections ---- */

static void forget(struct scrape *s)
{
	LIST_REMOVE(s, link);
	s->http->count--;
	if (s->deadline)
		event_free(s->deadline);
	bufferevent_free(s->stream);
	free(s);
}

static void hang_up(struct scrape *s)
{
	struct metricshttp *h = s->http;

	forget(s);
	evconnlistener_enable(h->listener);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	hang_up(arg);
}

/* extra: another header with its end, or "". */
static void respond(struct scrape *s, const char *status, const char *type, const char *extra, const char *body)
{
	struct evbuffer *out = bufferevent_get_output(s->stream);
	size_t len = strlen(body);

	s->state = SENDING;
	if (evbuffer_add_printf(out,
				"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
				"Connection: close\r\n%s\r\n",
				status, type, len, extra) < 0 ||
	    evbuffer_add(out, body, len))
		hang_up(s);
}

static void refuse(struct scrape *s, const char *status, const char *extra, const char *sentence)
{
	respond(s, status, "text/plain; charset=utf-8", extra, sentence);
}

static void refuse_all(struct metricshttp *h)
{
	struct scrape *s, *next;

	for (s = LIST_FIRST(&h->scrapes); s; s = next) {
		next = LIST_NEXT(s, link);
		if (s->state == WAITING || s->state == ASKED)
			refuse(s, "503 Service Unavailable", "", "netcapd has no memory for this; try again later\n");
	}
}

/* ---- the text ---- */

static void run(void *arg)
{
	struct metricshttp *h = arg;

	h->text = metrics_render(h->metrics);
}

static void clear(struct metricshttp *h)
{
	free(h->metrics);
	free(h->text);
	h->metrics = NULL;
	h->text = NULL;
	h->asked = false;
}

static void ask(struct metricshttp *h);

static void done(void *arg)
{
	struct metricshttp *h = arg;
	struct scrape *s, *next;
	bool more = false;

	for (s = LIST_FIRST(&h->scrapes); h->text && s; s = next) {
		next = LIST_NEXT(s, link);
		more |= s->state == WAITING;
		if (s->state == ASKED)
			respond(s, "200 OK", OPENMETRICS_CONTENT_TYPE, "", h->text);
	}
	if (!h->text)
		refuse_all(h);
	clear(h);
	/* a long text is worth some MiB, which the C library would keep */
	malloc_trim(0);
	if (more)
		ask(h);
}

/* One text for all that wait. Those that come while it is made get the next: what they ask for is now. */
static void ask(struct metricshttp *h)
{
	struct scrape *s;

	if (h->asked)
		return;
	h->metrics = metrics_take(h->methods);
	if (!h->metrics || worker_submit(h->methods->host->worker, run, done, h)) {
		clear(h);
		refuse_all(h);
		return;
	}
	h->asked = true;
	LIST_FOREACH(s, &h->scrapes, link)
	if (s->state == WAITING)
		s->state = ASKED;
}

/* ---- requests ---- */

/* line: what the client sent first, to be taken apart. */
static void answer(struct scrape *s, char *line)
{
	char *method = strsep(&line, " "), *target = strsep(&line, " "), *version = line;

	if (!*method || !target || !version || strncmp(version, "HTTP/1.", 7)) {
		refuse(s, "400 Bad Request", "", "this is no request of HTTP/1.1\n");
		return;
	}
	target[strcspn(target, "?")] = '\0';
	if (strcmp(target, PATH)) {
		refuse(s, "404 Not Found", "", "there is nothing here but " PATH "\n");
	} else if (strcmp(method, "GET")) {
		refuse(s, "405 Method Not Allowed", "Allow: GET\r\n", "use GET\n");
	} else {
		s->state = WAITING;
		ask(s->http);
	}
}

static void read_request(struct scrape *s, struct evbuffer *in)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	char *line;

	if (end.pos < 0 || end.pos + 4 > METRICSHTTP_HEADER_BYTES) {
		if (evbuffer_get_length(in) >= METRICSHTTP_HEADER_BYTES)
			refuse(s, "431 Request Header Fields Too Large", "", "the request is too large\n");
		return;
	}
	line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT);
	/* a full buffer would hide that the client leaves */
	evbuffer_drain(in, evbuffer_get_length(in));
	if (line)
		answer(s, line);
	else
		hang_up(s);
	free(line);
}

/* What comes after a request is read, since closing would otherwise take back the answer. */
static void on_readable(struct bufferevent *stream, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(stream);
	struct scrape *s = arg;

	if (s->state == READING) {
		read_request(s, in);
		return;
	}
	s->ignored += evbuffer_get_length(in);
	evbuffer_drain(in, evbuffer_get_length(in));
	if (s->ignored > METRICSHTTP_BODY_BYTES)
		hang_up(s);
}

static void on_written(struct bufferevent *stream, void *arg)
{
	struct scrape *s = arg;

	if (s->state != SENDING)
		return;
	s->state = LEAVING;
	shutdown(bufferevent_getfd(stream), SHUT_WR);
	if (s->silent)
		hang_up(s);
}

static void on_event(struct bufferevent *stream, short what, void *arg)
{
	struct scrape *s = arg;

	s->silent = true;
	if (!(what & BEV_EVENT_EOF) || s->state == READING || s->state == LEAVING)
		hang_up(s);
}

/* ---- the socket ---- */

static int start(struct scrape *s)
{
	const struct timeval most = {.tv_sec = METRICSHTTP_SECONDS};

	bufferevent_setcb(s->stream, on_readable, on_written, on_event, s);
	bufferevent_setwatermark(s->stream, EV_READ, 0, METRICSHTTP_HEADER_BYTES);
	s->deadline = evtimer_new(s->http->base, on_deadline, s);
	if (!s->deadline || evtimer_add(s->deadline, &most))
		return -ENOMEM;
	return bufferevent_enable(s->stream, EV_READ | EV_WRITE) ? -ENOMEM : 0;
}

static void on_incoming(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int len,
			void *arg)
{
	struct metricshttp *h = arg;
	struct scrape *s = calloc(1, sizeof(*s));

	if (s)
		s->stream = bufferevent_socket_new(h->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!s || !s->stream) {
		free(s);
		close(fd);
		return;
	}
	s->http = h;
	LIST_INSERT_HEAD(&h->scrapes, s, link);
	if (++h->count == METRICSHTTP_CONNECTIONS)
		evconnlistener_disable(listener);
	if (start(s))
		hang_up(s);
}

static void on_accept_failed(struct evconnlistener *listener, void *arg)
{
	const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
	struct metricshttp *h = arg;

	evconnlistener_disable(listener);
	evtimer_add(h->again, &pause);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct metricshttp *h = arg;

	if (h->count < METRICSHTTP_CONNECTIONS)
		evconnlistener_enable(h->listener);
}

static bool is_local(const struct sockaddr_storage *a)
{
	const struct sockaddr_in6 *six = (const void *)a;
	const struct sockaddr_in *four = (const void *)a;

	if (a->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	if (a->ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return a->ss_family == AF_UNIX;
}

/* False: it is logged. */
static bool is_acceptable(int fd)
{
	struct sockaddr_storage address = {};
	socklen_t len = sizeof(address);
	char host[64] = "?", port[16] = "?";

	if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 || getsockname(fd, (struct sockaddr *)&address, &len)) {
		log_error("metrics are not served: what systemd passes for them is no listening stream socket; "
			  "check netcapd-metrics.socket");
		return false;
	}
	if (is_local(&address))
		return true;
	getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	log_error("metrics are not served: the socket that systemd passes for them is at %s port %s, where other "
		  "machines reach it; let netcapd-metrics.socket listen at 127.0.0.1, ::1 or a Unix socket",
		  host, port);
	return false;
}

static bool is_to_serve(int fd, bool wanted)
{
	if (wanted && fd < 0)
		log_warning("metrics.enabled is true, but systemd passes no socket for metrics: enable "
			    "netcapd-metrics.socket, and start it while netcapd is stopped");
	else if (fd >= 0 && !wanted)
		log_warning("systemd passes a socket for metrics, but metrics.enabled is false in the configuration: "
			    "it is closed");
	return fd >= 0 && wanted && is_acceptable(fd);
}

static int listen_at(struct metricshttp *h, int fd)
{
	h->again = evtimer_new(h->base, on_again, h);
	if (!h->again || evutil_make_socket_nonblocking(fd))
		return -ENOMEM;
	h->listener = evconnlistener_new(h->base, on_incoming, h, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!h->listener)
		return -ENOMEM;
	evconnlistener_set_error_cb(h->listener, on_accept_failed);
	return 0;
}

struct metricshttp *metricshttp_new(struct event_base *base, const struct methods *methods, int fd, bool wanted)
{
	struct metricshttp *h = is_to_serve(fd, wanted) ? calloc(1, sizeof(*h)) : NULL;

	if (h) {
		h->base = base;
		h->methods = methods;
		LIST_INIT(&h->scrapes);
		if (!listen_at(h, fd))
			return h;
		log_error("metrics are not served: the daemon has no memory for it");
	}
	if (fd >= 0)
		close(fd);
	metricshttp_free(h);
	return NULL;
}

void metricshttp_free(struct metricshttp *h)
{
	if (!h)
		return;
	while (!LIST_EMPTY(&h->scrapes))
		forget(LIST_FIRST(&h->scrapes));
	if (h->listener)
		evconnlistener_free(h->listener);
	if (h->again)
		event_free(h->again);
	clear(h);
	free(h);
}
