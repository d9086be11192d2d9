/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "connection.h"
#include "dropsamples.h"
#include "exitcode.h"
#include "interfaces.h"
#include "jsonget.h"
#include "message.h"
#include "sink.h"

#define CHUNK 65536

/* Samples on their way from the daemon to the sink. */
struct dropsamples {
	struct sink *sink;            /* not owned */
	struct pcapng_reader *reader; /* owned */
	struct interfaces interfaces; /* owned */
};

/* 0 or negative errno, of the sink or for want of memory. */
static int take_event(struct dropsamples *d, const struct pcapng_event *e)
{
	char store[META_TEXT_MAX];
	struct packet p;
	int err = 0;

	if (e->type == PCAPNG_PACKET)
		interfaces_packet(&d->interfaces, &e->packet, d->sink->wants_meta ? store : NULL, &p);
	else if (e->type == PCAPNG_INTERFACE)
		err = interfaces_add(&d->interfaces, &e->interface);
	if (err)
		message("out of memory.");
	return err ? err : d->sink->take(d->sink, e, e->type == PCAPNG_PACKET ? &p : NULL);
}

/* Until the daemon closes its end. 0; negative errno, after a sentence but for -EPIPE: nobody reads what is printed. */
static int read_all(struct dropsamples *d, int fd)
{
	struct pcapng_event e;
	ssize_t n = 1;
	int more, err = 0;

	while (!err && n) {
		uint8_t *room = pcapng_reader_room(d->reader, CHUNK);

		n = room ? read(fd, room, CHUNK) : -1;
		if (n < 0 && room && errno == EINTR)
			continue;
		if (n > 0)
			pcapng_reader_took(d->reader, (size_t)n);
		more = n < 0 ? (room ? -errno : -ENOMEM) : 0;
		while (!err && more >= 0 && (more = pcapng_reader_next(d->reader, &e)) == 1)
			err = take_event(d, &e);
		if (more < 0) {
			message("the daemon's samples cannot be read: %s.", strerror(-more));
			err = more;
		}
	}
	return err ? err : d->sink->finish(d->sink);
}

/* The daemon's last word. An exit code. */
static int read_reply(struct connection *c, const struct sink *sink, const char *write_path)
{
	struct json_object *reply = NULL;
	int err = connection_receive(c, &reply), code = err < 0 ? EXITCODE_GONE : connection_check(reply);
	struct json_object *p = jsonget_object(reply, "parameters");

	if (err < 0)
		message("the daemon went away, and the samples may not be all: %s.", strerror(-err));
	else if (code == EXITCODE_OK)
		fprintf(stderr, "%" PRIu64 " packets %s%s; of %" PRId64 " drops since netcapd started there is no sample.\n",
			sink->packets, write_path ? "written to " : "printed",
			!write_path ? "" : strcmp(write_path, "-") ? write_path : "standard output",
			jsonget_integer(p, "unsampled"));
	json_object_put(reply);
	return code;
}

/* Samples come by a socket, as packets of a capture do (capture.c). */
static int transfer(struct dropsamples *d, struct connection *c, struct json_object *parameters, const char *write_path)
{
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		message("no pair of sockets could be made: %s.", strerror(errno));
		json_object_put(parameters);
		return EXITCODE_FAILED;
	}
	err = connection_call(c, "Drops", parameters, false, ends[1]);
	close(ends[1]);
	/* when it hung up, it may have said why first */
	if (!err || err == -EPIPE)
		err = read_all(d, ends[0]);
	else
		message("the samples could not be asked for: %s.", strerror(-err));
	close(ends[0]);
	if (err == -EPIPE)
		return EXITCODE_OK;
	return err ? EXITCODE_FAILED : read_reply(c, d->sink, write_path);
}

/* The service's are asked for only: a private daemon has none. */
static int ask(const char *socket_path, struct json_object *parameters, struct sink *sink, const char *write_path)
{
	struct dropsamples d = {.sink = sink, .reader = pcapng_reader_new()};
	struct connection c = {.fd = -1};
	int code = connection_open(&c, socket_path, false);

	if (code == EXITCODE_OK && d.reader) {
		code = transfer(&d, &c, parameters, write_path);
		parameters = NULL;
	} else if (code == EXITCODE_OK) {
		message("out of memory.");
		code = EXITCODE_FAILED;
	}
	json_object_put(parameters);
	connection_close(&c);
	pcapng_reader_free(d.reader);
	interfaces_clear(&d.interfaces);
	return code;
}

int dropsamples_run(const char *socket_path, struct json_object *parameters, const char *write_path)
{
	const struct options o = {.write_path = write_path, .tcpdump_flags = "-nn"};
	int code;
	struct sink *sink = write_path ? filesink_new(&o, &code) : textsink_new(&o, &code);

	if (!sink) {
		json_object_put(parameters);
		return code;
	}
	json_object_object_add(parameters, "samples", json_object_new_boolean(true));
	code = ask(socket_path, parameters, sink, write_path);
	sink->free(sink);
	return code;
}
