/* SPDX-License-Identifier: BSD-2-Clause */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "exitcode.h"
#include "jsonget.h"
#include "limit.h"
#include "message.h"
#include "privatedaemon.h"
#include "text.h"

#define OUT_LIMIT   (2 * LIMIT_START_BYTES)
#define REPLY_LIMIT (16 << 20) /* bytes: a list of thousands of trace points fits */

void connection_init(struct connection *c, int fd, pid_t daemon)
{
	c->fd = fd;
	c->daemon = daemon;
	varlink_channel_init(&c->channel, fd, OUT_LIMIT);
	c->channel.in_limit = REPLY_LIMIT;
}

void connection_close(struct connection *c)
{
	if (c->fd < 0)
		return;
	varlink_channel_clear(&c->channel);
	close(c->fd);
	c->fd = -1;
	if (c->daemon > 0)
		privatedaemon_wait(c->daemon);
	c->daemon = 0;
}

/* A connected socket or negative errno. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int complain_no_connection(const char *path, int err)
{
	if (err == -EACCES || err == -EPERM)
		message("you may not use %s: join the group netcap (usermod -aG netcap USER, then "
			"log in again), or use sudo.",
			path);
	else if (err == -ENAMETOOLONG)
		message("the socket path %s is longer than a Unix socket allows.", path);
	else
		message("cannot connect to %s: %s.", path, strerror(-err));
	return EXITCODE_NO_DAEMON;
}

static int open_private(struct connection *c, const char *path)
{
	pid_t daemon;
	int fd;

	if (!privatedaemon_allowed()) {
		message("there is no daemon at %s, and no privilege to run a private one: start "
			"the service with \"systemctl start netcapd\", or use sudo.",
			path);
		return EXITCODE_NO_DAEMON;
	}
	fd = privatedaemon_start(&daemon);
	if (fd < 0)
		return EXITCODE_NO_DAEMON;
	connection_init(c, fd, daemon);
	return EXITCODE_OK;
}

int connection_open(struct connection *c, const char *path, bool private_ok)
{
	int fd;

	*c = (struct connection){.fd = -1};
	/* who names a socket means the daemon there, and may have mistyped it */
	if (path)
		private_ok = false;
	else
		path = DEFAULT_SOCKET_PATH;
	fd = connect_to(path);
	if (fd >= 0) {
		connection_init(c, fd, 0);
		return EXITCODE_OK;
	}
	if (fd != -ENOENT && fd != -ECONNREFUSED)
		return complain_no_connection(path, fd);
	if (private_ok)
		return open_private(c, path);
	message("there is no daemon at %s, so there is nothing to ask: start the service with "
		"\"systemctl start netcapd\".", path);
	return EXITCODE_NO_DAEMON;
}

int connection_call(struct connection *c, const char *method, struct json_object *parameters,
		    bool more, int pass_fd)
{
	struct json_object *call = varlink_call(method, parameters, more);
	int err = call ? varlink_queue(&c->channel, call) : -ENOMEM;

	json_object_put(call);
	while (!err) {
		struct pollfd p = {.fd = c->fd, .events = POLLOUT};
		size_t before = buf_len(&c->channel.out);
		int left = varlink_send(&c->channel, pass_fd);

		if (left == 0)
			return 0;
		if (left > 0 && (size_t)left < before)
			pass_fd = -1; /* it went with the first byte */
		else if (left < 0 && left != -EAGAIN)
			err = left;
		else
			poll(&p, 1, -1);
	}
	return err == -ECONNRESET ? -EPIPE : err;
}

int connection_receive(struct connection *c, struct json_object **reply)
{
	char why[256];

	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int n = varlink_next(&c->channel, reply, why, sizeof(why));

		if (n != 0)
			return n;
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return -errno;
		n = varlink_receive(&c->channel);
		if (n == 0 || n == -ECONNRESET)
			return -EPIPE;
		if (n < 0 && n != -EAGAIN && n != -EINTR)
			return n;
	}
}

/* A question with the names that the daemon thinks are close to the one that it does not know. */
static void suggest(struct json_object *parameters, char *text, size_t size)
{
	struct json_object *nearest = jsonget_array(parameters, "nearest");
	size_t n = 0, count = nearest ? json_object_array_length(nearest) : 0;

	text[0] = '\0';
	for (size_t i = 0; i < count && n < size; i++) {
		struct json_object *name = json_object_array_get_idx(nearest, i);

		n += (size_t)snprintf(text + n, size - n, "%s%s", i ? ", " : " Did you mean ",
				      json_object_get_string(name));
	}
	if (count && n < size)
		snprintf(text + n, size - n, "?");
}

int connection_check(struct json_object *reply)
{
	const char *error = jsonget_string(reply, "error"), *sentence;
	char question[1024];
	struct json_object *parameters = jsonget_object(reply, "parameters");

	if (!error)
		return EXITCODE_OK;
	sentence = jsonget_string(parameters, "message");
	suggest(parameters, question, sizeof(question));
	if (jsonget_string(parameters, "log"))
		text_print_lines(stderr, jsonget_string(parameters, "log"));
	if (sentence)
		message("%s.%s", sentence, question);
	else
		message("the daemon answered %s %s; is it of the same version as this netcapctl?",
			error, parameters ? json_object_to_json_string(parameters) : "");
	return strcmp(error, VARLINK_INTERFACE ".NotPermitted") ? EXITCODE_FAILED :
								  EXITCODE_NO_DAEMON;
}

int connection_ask(struct connection *c, const char *method, struct json_object *parameters,
		   struct json_object **result)
{
	return connection_ask_with(c, method, parameters, -1, result);
}

int connection_ask_with(struct connection *c, const char *method, struct json_object *parameters, int pass_fd,
			struct json_object **result)
{
	struct json_object *reply = NULL;
	int code, err = connection_call(c, method, parameters, false, pass_fd);

	*result = NULL;
	if (!err) {
		err = connection_receive(c, &reply);
		err = err > 0 ? 0 : err;
	}
	if (err == -EPIPE) {
		message("the daemon hung up before it answered.");
		return EXITCODE_GONE;
	}
	if (err) {
		message("the daemon could not be asked: %s.", strerror(-err));
		return EXITCODE_FAILED;
	}
	code = connection_check(reply);
	if (code == EXITCODE_OK && json_object_object_get_ex(reply, "parameters", result))
		json_object_get(*result);
	json_object_put(reply);
	if (code == EXITCODE_OK && !*result)
		*result = json_object_new_object();
	return code;
}
