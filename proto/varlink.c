/* SPDX-License-Identifier: BSD-2-Clause */
#include "varlink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jsonstrict.h"
#include "limit.h"

/*
 * Bytes looked at by one read. Every read looks at bytes that it may have to leave for the next
 * one, so this bounds what a flood of tiny messages can cost.
 */
#define READ_MAX 4096

/* Descriptors that one message can carry: SCM_MAX_FD in Linux. */
#define FDS_MAX 253

/*
 * Room for all of them: the kernel closes those for which there is none before recvmsg() returns,
 * and that takes as long as who passed them likes (see discard in varlink.h).
 */
union control {
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

static void discard(int fd)
{
	close(fd);
}

void varlink_channel_init(struct varlink_channel *c, int fd, size_t out_limit)
{
	*c = (struct varlink_channel){.fd = fd,
				      .in_limit = LIMIT_MESSAGE_BYTES,
				      .passed_fd = -1,
				      .discard = discard};
	buf_init(&c->in, 0);
	buf_init(&c->out, out_limit);
}

static void drop_fd(struct varlink_channel *c)
{
	if (c->passed_fd >= 0)
		c->discard(c->passed_fd);
	c->passed_fd = -1;
}

void varlink_channel_clear(struct varlink_channel *c)
{
	if (!c)
		return;
	drop_fd(c);
	buf_clear(&c->in);
	buf_clear(&c->out);
	c->whole = false;
	c->too_many_fds = false;
}

static void keep_fd(struct varlink_channel *c, int fd)
{
	if (c->passed_fd >= 0 || c->too_many_fds) {
		drop_fd(c);
		c->discard(fd);
		c->too_many_fds = true;
	} else {
		c->passed_fd = fd;
	}
}

static void keep_fds(struct varlink_channel *c, struct msghdr *msg)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(fd), sizeof(fd));
			keep_fd(c, fd);
		}
	}
	if (msg->msg_flags & MSG_CTRUNC) {
		drop_fd(c);
		c->too_many_fds = true;
	}
}

static ssize_t receive(struct varlink_channel *c, void *bytes, size_t len)
{
	union control control;
	struct iovec iov = {.iov_base = bytes, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t n;

	do {
		n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	keep_fds(c, &msg);
	return n;
}

/* How many bytes to read so that the read ends with the message, at most len. */
static ssize_t look_ahead(struct varlink_channel *c, uint8_t *bytes, size_t len)
{
	const uint8_t *end;
	ssize_t n;

	do {
		n = recv(c->fd, bytes, len, MSG_DONTWAIT | MSG_PEEK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	end = memchr(bytes, 0, n);
	return end ? end - bytes + 1 : n;
}

int varlink_receive(struct varlink_channel *c)
{
	size_t room = c->in_limit + 1 - buf_len(&c->in);
	uint8_t *bytes;
	ssize_t n;

	if (c->whole)
		return -EBUSY;
	if (!room)
		return -EMSGSIZE;
	if (!buf_len(&c->in)) {
		drop_fd(c);
		c->too_many_fds = false;
	}
	if (room > READ_MAX)
		room = READ_MAX;
	bytes = buf_reserve(&c->in, room);
	if (!bytes)
		return -errno;
	n = look_ahead(c, bytes, room);
	if (n > 0)
		n = receive(c, bytes, n);
	if (n <= 0)
		return n;
	buf_commit(&c->in, n);
	c->whole = !bytes[n - 1];
	return !c->whole && buf_len(&c->in) > c->in_limit ? -EMSGSIZE : n;
}

int varlink_next(struct varlink_channel *c, struct json_object **message, char *why, size_t size)
{
	struct json_object *value;

	*message = NULL;
	if (!c->whole)
		return 0;
	value = jsonstrict_parse((const char *)buf_head(&c->in), buf_len(&c->in) - 1,
				 LIMIT_JSON_DEPTH, why, size);
	buf_drop(&c->in, buf_len(&c->in));
	c->whole = false;
	if (!value)
		return -EBADMSG;
	if (!json_object_is_type(value, json_type_object)) {
		snprintf(why, size, "the message is JSON but no object: send one in braces");
		json_object_put(value);
		return -EBADMSG;
	}
	*message = value;
	return 1;
}

int varlink_take_fd(struct varlink_channel *c)
{
	int fd = c->passed_fd;

	c->passed_fd = -1;
	return fd;
}

int varlink_queue(struct varlink_channel *c, struct json_object *message)
{
	size_t len;
	const char *text = json_object_to_json_string_length(
		message, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (!text)
		return -ENOMEM;
	return buf_add(&c->out, text, len + 1);
}

static ssize_t send_some(struct varlink_channel *c, int pass_fd)
{
	union control control = {0};
	struct iovec iov = {.iov_base = (void *)buf_head(&c->out), .iov_len = buf_len(&c->out)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *h;
	ssize_t n;

	if (pass_fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int));
		h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &pass_fd, sizeof(int));
	}
	do {
		n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int varlink_send(struct varlink_channel *c, int pass_fd)
{
	if (pass_fd >= 0 && !buf_len(&c->out))
		return -EINVAL;
	while (buf_len(&c->out)) {
		ssize_t n = send_some(c, pass_fd);

		if (n == -EAGAIN)
			break;
		if (n < 0)
			return n;
		buf_drop(&c->out, n);
		pass_fd = -1;
	}
	return buf_len(&c->out);
}

/* Adds value, which is taken over; NULL for value stands for failing to make it. */
static bool add(struct json_object *object, const char *name, struct json_object *value)
{
	if (object && value && !json_object_object_add(object, name, value))
		return true;
	json_object_put(value);
	return false;
}

/* An object of name (a word of VARLINK_INTERFACE, if it has no dot), parameters and flag. */
static struct json_object *envelope(const char *kind, const char *name,
				    struct json_object *parameters, const char *flag)
{
	struct json_object *object = json_object_new_object();
	char full[256];
	bool ok = true;

	if (name && !strchr(name, '.')) {
		snprintf(full, sizeof(full), "%s.%s", VARLINK_INTERFACE, name);
		name = full;
	}
	if (!parameters)
		parameters = json_object_new_object();
	if (name)
		ok = add(object, kind, json_object_new_string(name));
	ok = add(object, "parameters", parameters) && ok;
	if (flag)
		ok = add(object, flag, json_object_new_boolean(true)) && ok;
	if (ok)
		return object;
	json_object_put(object);
	return NULL;
}

struct json_object *varlink_reply(struct json_object *parameters, bool continues)
{
	return envelope(NULL, NULL, parameters, continues ? "continues" : NULL);
}

struct json_object *varlink_error(const char *error, struct json_object *parameters)
{
	return envelope("error", error, parameters, NULL);
}

struct json_object *varlink_call(const char *method, struct json_object *parameters, bool more)
{
	return envelope("method", method, parameters, more ? "more" : NULL);
}
