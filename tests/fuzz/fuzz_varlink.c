/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A peer sends any bytes in any portions, with any number of descriptors. Against a model of what
 * was sent: every message comes out as the parser alone reads it, with the descriptor that was sent
 * with it, or none and a flag where there were several; and no descriptor leaks.
 *
 * Input: one byte that sets the longest message; then portions of a byte (length 1-32, descriptors
 * 0-3, and whether the channel reads afterwards) and that many bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jsonstrict.h"
#include "limit.h"
#include "varlink.h"

#define STREAM_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct model {
	struct varlink_channel c;
	int peer;
	int passed;                    /* what the peer sends copies of */
	char stream[STREAM_MAX];       /* everything sent */
	unsigned char fds[STREAM_MAX]; /* descriptors sent with each byte of it */
	size_t sent;
	size_t taken; /* bytes of messages taken */
	int over;     /* a message was too long: the end of the connection */
};

static void check(int holds)
{
	if (!holds)
		abort();
}

/* The lowest free descriptor: changes if one leaks or is closed that should not be. */
static int lowest_free(void)
{
	int fd = dup(0);

	if (fd >= 0)
		close(fd);
	return fd;
}

/* Bytes of the message at m->taken with its NUL, or of what there is of it. */
static size_t message_length(const struct model *m, int *whole)
{
	const char *start = m->stream + m->taken, *nul = memchr(start, 0, m->sent - m->taken);

	*whole = nul != NULL;
	return nul ? (size_t)(nul - start) + 1 : m->sent - m->taken;
}

static void check_fd(struct model *m, size_t len)
{
	unsigned count = 0;
	int fd;

	for (size_t i = 0; i < len; i++)
		count += m->fds[m->taken + i];
	check(m->c.too_many_fds == (count > 1));
	/* Not every owner asks for it; the channel has to close what is left. */
	if (len % 4 == 3)
		return;
	fd = varlink_take_fd(&m->c);
	check((fd >= 0) == (count == 1));
	if (fd >= 0) {
		check(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
	}
}

/* Sends the message back and compares what arrives with json-c's own text. */
static void check_echo(struct model *m, struct json_object *message)
{
	static char got[STREAM_MAX];
	size_t len;
	const char *text;

	check(varlink_queue(&m->c, message) == 0);
	check(varlink_send(&m->c, m->passed) == 0);
	text = json_object_to_json_string_length(
		message, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	check(len < sizeof(got));
	check(recv(m->peer, got, sizeof(got), MSG_DONTWAIT) == (ssize_t)len + 1);
	check(!memcmp(got, text, len + 1));
}

static void check_message(struct model *m)
{
	struct json_object *message, *expected;
	char why[256] = "", other_why[256];
	int whole, r;
	size_t len = message_length(m, &whole);

	check(whole && len - 1 <= m->c.in_limit);
	expected = jsonstrict_parse(m->stream + m->taken, len - 1, LIMIT_JSON_DEPTH, other_why,
				    sizeof(other_why));
	r = varlink_next(&m->c, &message, why, sizeof(why));
	if (json_object_is_type(expected, json_type_object)) {
		check(r == 1 && json_object_equal(message, expected));
		check_echo(m, message);
	} else {
		check(r == -EBADMSG && !message && why[0]);
	}
	check_fd(m, len);
	json_object_put(message);
	json_object_put(expected);
	m->taken += len;
}

static void read_all(struct model *m)
{
	char why[256];
	struct json_object *message;
	int r = 1, whole;

	while (!m->over && r != -EAGAIN) {
		r = varlink_receive(&m->c);
		if (r == -EMSGSIZE) {
			/* The NUL may be there, one byte too late. */
			check(message_length(m, &whole) > m->c.in_limit + (whole ? 1 : 0));
			m->over = 1;
		} else {
			check(r > 0 || r == -EAGAIN);
		}
		if (m->c.whole)
			check_message(m);
		check(varlink_next(&m->c, &message, why, sizeof(why)) == 0 && !message);
	}
}

static ssize_t send_with_fds(const struct model *m, const void *bytes, size_t len, unsigned count)
{
	union {
		char bytes[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {.iov_base = (void *)bytes, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (count) {
		int fds[3] = {m->passed, m->passed, m->passed};
		struct cmsghdr *h;

		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(h), fds, count * sizeof(int));
	}
	return sendmsg(m->peer, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_portion(struct model *m, const uint8_t *bytes, size_t len, unsigned fds)
{
	ssize_t n = send_with_fds(m, bytes, len, fds);

	if (n < 0 && errno == EAGAIN) {
		read_all(m);
		if (m->over)
			return;
		n = send_with_fds(m, bytes, len, fds);
	}
	check(n == (ssize_t)len);
	memcpy(m->stream + m->sent, bytes, len);
	memset(m->fds + m->sent, 0, len);
	m->fds[m->sent] = fds;
	m->sent += len;
}

static void run(struct model *m, const uint8_t *data, size_t size)
{
	while (size > 1 && !m->over && m->sent + 32 <= STREAM_MAX) {
		uint8_t head = *data++;
		size_t len = (head & 31) + 1;

		size--;
		if (len > size)
			len = size;
		send_portion(m, data, len, head >> 5 & 3);
		data += len;
		size -= len;
		if (head & 0x80)
			read_all(m);
	}
	read_all(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model m; /* too large for the stack */
	int free_fd = lowest_free(), fds[2];

	if (!size)
		return 0;
	m.sent = m.taken = 0;
	m.over = 0;
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	varlink_channel_init(&m.c, fds[0], 0);
	m.peer = fds[1];
	m.passed = open("/dev/null", O_RDONLY | O_CLOEXEC);
	check(m.passed >= 0);
	/* Sometimes longer than one read of the channel, mostly short. */
	m.c.in_limit = *data < 250 ? *data * 4u : LIMIT_MESSAGE_BYTES;
	run(&m, data + 1, size - 1);
	close(m.peer);
	check(m.over || varlink_receive(&m.c) == 0);
	varlink_channel_clear(&m.c);
	varlink_channel_clear(&m.c);
	close(fds[0]);
	close(m.passed);
	check(lowest_free() == free_fd);
	return 0;
}
