/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "limits.h"
#include "varlink.h"

#define OUT_LIMIT 1000

/* A channel and its peer's end of the socket. */
struct fixture {
	struct varlink_channel c;
	int peer;
	int open; /* descriptors open before the test */
};

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int setup(void **state)
{
	static struct fixture f;
	int fds[2];

	f.open = count_fds();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return -1;
	varlink_channel_init(&f.c, fds[0], OUT_LIMIT);
	f.peer = fds[1];
	*state = &f;
	return 0;
}

/* Every test ends with as many descriptors as it began with. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	varlink_channel_clear(&f->c);
	close(f->c.fd);
	if (f->peer >= 0)
		close(f->peer);
	assert_int_equal(count_fds(), f->open);
	return 0;
}

/* Sends bytes with copies of the read end of a new pipe, count of them. */
static void peer_send(struct fixture *f, const void *bytes, size_t len, int count)
{
	union {
		char bytes[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {.iov_base = (void *)bytes, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[8], ends[2];

	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < count; i++)
		fds[i] = ends[0];
	if (count) {
		struct cmsghdr *h;

		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(h), fds, count * sizeof(int));
	}
	assert_int_equal(sendmsg(f->peer, &msg, MSG_DONTWAIT), len);
	close(ends[0]);
	close(ends[1]);
}

/* String literals are sent with their NUL. */
#define peer_text(f, text) peer_send(f, text, sizeof(text), 0)

static void expect_message(struct fixture *f, const char *shown)
{
	struct json_object *message;
	char why[256] = "";

	if (varlink_next(&f->c, &message, why, sizeof(why)) != 1)
		fail_msg("no message: %s", why);
	assert_string_equal(json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN), shown);
	json_object_put(message);
}

static void expect_bad(struct fixture *f, const char *reason)
{
	struct json_object *message;
	char why[256] = "";

	assert_int_equal(varlink_next(&f->c, &message, why, sizeof(why)), -EBADMSG);
	assert_null(message);
	if (!strstr(why, reason))
		fail_msg("\"%s\" is not in: %s", reason, why);
}

static void expect_none(struct fixture *f)
{
	struct json_object *message;
	char why[256];

	assert_int_equal(varlink_next(&f->c, &message, why, sizeof(why)), 0);
	assert_null(message);
}

static void test_one_message_in_pieces(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "{\"a\":1}";

	assert_int_equal(varlink_receive(&f->c), -EAGAIN);
	for (size_t i = 0; i < sizeof(text); i++) {
		expect_none(f);
		peer_send(f, text + i, 1, 0);
		assert_int_equal(varlink_receive(&f->c), 1);
	}
	expect_message(f, text);
	expect_none(f);
	assert_int_equal(varlink_receive(&f->c), -EAGAIN);
}

static void test_many_messages_at_once(void **state)
{
	struct fixture *f = *state;

	peer_text(f, "{\"a\":1}\0{\"b\":2}\0{\"c\"");
	assert_int_equal(varlink_receive(&f->c), 8);
	assert_int_equal(varlink_receive(&f->c), -EBUSY);
	expect_message(f, "{\"a\":1}");
	assert_int_equal(varlink_receive(&f->c), 8);
	expect_message(f, "{\"b\":2}");
	assert_int_equal(varlink_receive(&f->c), 5);
	expect_bad(f, "ends at byte 4");
	assert_int_equal(varlink_receive(&f->c), -EAGAIN);
}

static void test_bad_messages(void **state)
{
	struct fixture *f = *state;

	peer_text(f, "\0[1]\0{\"a\":1,\"a\":2}\0\"x\"\0{}");
	assert_int_equal(varlink_receive(&f->c), 1);
	expect_bad(f, "ends at byte 0");
	assert_int_equal(varlink_receive(&f->c), 4);
	expect_bad(f, "no object");
	assert_int_equal(varlink_receive(&f->c), 14);
	expect_bad(f, "member \"a\" twice");
	assert_int_equal(varlink_receive(&f->c), 4);
	expect_bad(f, "no object");
	/* After a bad message the framing still holds. */
	assert_int_equal(varlink_receive(&f->c), 3);
	expect_message(f, "{}");
}

static void test_depth(void **state)
{
	struct fixture *f = *state;

	peer_text(f, "{\"a\":[[[[[[[]]]]]]]}");
	assert_true(varlink_receive(&f->c) > 0);
	expect_message(f, "{\"a\":[[[[[[[]]]]]]]}");
	peer_text(f, "{\"a\":[[[[[[[[]]]]]]]]}");
	assert_true(varlink_receive(&f->c) > 0);
	expect_bad(f, "more than 8 levels");
}

static void test_end_of_stream(void **state)
{
	struct fixture *f = *state;

	peer_send(f, "{\"a\"", 4, 0);
	close(f->peer);
	f->peer = -1;
	assert_int_equal(varlink_receive(&f->c), 4);
	assert_int_equal(varlink_receive(&f->c), 0);
	assert_int_equal(varlink_receive(&f->c), 0);
	expect_none(f);
}

/* Sends a JSON object of exactly len bytes and its NUL, reading along; the last result. */
static int exchange_long(struct fixture *f, size_t len)
{
	char *text = malloc(len + 1);
	int r = 0;

	memset(text, 'x', len);
	memcpy(text, "{\"a\":\"", 6);
	memcpy(text + len - 2, "\"}", 3);
	for (size_t at = 0; at < len + 1; at += 10000) {
		size_t n = len + 1 - at < 10000 ? len + 1 - at : 10000;

		peer_send(f, text + at, n, 0);
		while (!f->c.whole && (r = varlink_receive(&f->c)) > 0)
			;
	}
	free(text);
	return r;
}

static void test_longest_message(void **state)
{
	struct fixture *f = *state;
	struct json_object *message;
	char why[256];

	assert_true(exchange_long(f, LIMIT_MESSAGE_BYTES) > 0);
	assert_int_equal(varlink_next(&f->c, &message, why, sizeof(why)), 1);
	json_object_put(message);
}

static void test_too_long_a_message(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(exchange_long(f, LIMIT_MESSAGE_BYTES + 1), -EMSGSIZE);
	assert_int_equal(varlink_receive(&f->c), -EMSGSIZE);
	expect_none(f);
}

static void test_raised_limit(void **state)
{
	struct fixture *f = *state;
	struct json_object *message;
	char why[256];

	f->c.in_limit = 1000000;
	assert_true(exchange_long(f, 1000000) > 0);
	assert_int_equal(varlink_next(&f->c, &message, why, sizeof(why)), 1);
	json_object_put(message);
	assert_int_equal(exchange_long(f, 1000001), -EMSGSIZE);
}

static void test_descriptor(void **state)
{
	struct fixture *f = *state;
	int fd;

	peer_send(f, "{}", 3, 1);
	assert_int_equal(varlink_receive(&f->c), 3);
	expect_message(f, "{}");
	fd = varlink_take_fd(&f->c);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(varlink_take_fd(&f->c), -1);
	assert_false(f->c.too_many_fds);
	close(fd);
}

static void test_untaken_descriptor_is_closed(void **state)
{
	struct fixture *f = *state;

	peer_send(f, "{}", 3, 1);
	peer_text(f, "{}");
	assert_int_equal(varlink_receive(&f->c), 3);
	expect_message(f, "{}");
	assert_int_equal(varlink_receive(&f->c), 3);
	expect_message(f, "{}");
	assert_int_equal(varlink_take_fd(&f->c), -1);
	assert_int_equal(count_fds(), f->open + 2);
	peer_send(f, "{}", 3, 1); /* left in the channel for teardown */
	assert_int_equal(varlink_receive(&f->c), 3);
}

/* Several messages wait when the one with the descriptor comes: it stays with its own. */
static void test_descriptor_stays_with_its_message(void **state)
{
	struct fixture *f = *state;

	peer_send(f, "{\"a\":1}\0{\"b\"", 12, 0);
	peer_send(f, ":2}", 4, 0);
	peer_send(f, "{\"c\":3}\0{\"d\":4}", 16, 1);
	peer_text(f, "{\"e\":5}");
	for (const char *shown = "a1b2c3d4e5"; *shown; shown += 2) {
		char text[16];
		int fd;

		while (!f->c.whole)
			assert_true(varlink_receive(&f->c) > 0);
		snprintf(text, sizeof(text), "{\"%c\":%c}", shown[0], shown[1]);
		expect_message(f, text);
		fd = varlink_take_fd(&f->c);
		assert_int_equal(fd >= 0, *shown == 'c');
		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(varlink_receive(&f->c), -EAGAIN);
}

static void test_descriptor_in_mid_message(void **state)
{
	struct fixture *f = *state;
	int fd;

	peer_send(f, "{\"a\"", 4, 0);
	peer_send(f, ":1}", 4, 1);
	while (!f->c.whole)
		assert_true(varlink_receive(&f->c) > 0);
	expect_message(f, "{\"a\":1}");
	fd = varlink_take_fd(&f->c);
	assert_true(fd >= 0);
	close(fd);
}

static void check_too_many(struct fixture *f, int first, int second)
{
	peer_send(f, "{", 1, first);
	peer_send(f, "}", 2, second);
	while (!f->c.whole)
		assert_true(varlink_receive(&f->c) > 0);
	expect_message(f, "{}");
	assert_int_equal(varlink_take_fd(&f->c), -1);
	assert_true(f->c.too_many_fds);
	assert_int_equal(count_fds(), f->open + 2);
	/* The next message is judged by itself. */
	peer_send(f, "{}", 3, 1);
	assert_int_equal(varlink_receive(&f->c), 3);
	expect_message(f, "{}");
	assert_false(f->c.too_many_fds);
	close(varlink_take_fd(&f->c));
}

static void test_too_many_descriptors(void **state)
{
	struct fixture *f = *state;

	check_too_many(f, 2, 0);
	check_too_many(f, 3, 0);
	check_too_many(f, 8, 0);
	check_too_many(f, 0, 8);
	check_too_many(f, 1, 1);
	check_too_many(f, 2, 1);
	check_too_many(f, 8, 1);
}

/* No descriptor left to open what was passed: said, not taken for "none was passed". */
static void test_no_descriptor_free(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, none;

	peer_send(f, "{}", 3, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(varlink_receive(&f->c), 3);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	expect_message(f, "{}");
	assert_true(f->c.too_many_fds);
	assert_int_equal(varlink_take_fd(&f->c), -1);
}

static void test_queue_and_send(void **state)
{
	struct fixture *f = *state;
	struct json_object *reply = varlink_reply(NULL, false);
	char got[64];

	assert_int_equal(varlink_send(&f->c, -1), 0);
	assert_int_equal(varlink_send(&f->c, 0), -EINVAL);
	assert_int_equal(varlink_queue(&f->c, reply), 0);
	assert_int_equal(varlink_queue(&f->c, reply), 0);
	assert_int_equal(varlink_send(&f->c, -1), 0);
	assert_int_equal(read(f->peer, got, sizeof(got)), 36);
	assert_memory_equal(got, "{\"parameters\":{}}\0{\"parameters\":{}}", 36);
	json_object_put(reply);
}

static void test_queue_is_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct json_object *small = varlink_reply(NULL, false), *large;
	char text[OUT_LIMIT];

	memset(text, 'x', sizeof(text));
	large = json_object_new_string_len(text, sizeof(text) - 10);
	assert_int_equal(varlink_queue(&f->c, small), 0);
	assert_int_equal(varlink_queue(&f->c, large), -ENOBUFS);
	assert_int_equal(buf_len(&f->c.out), 18);
	json_object_put(small);
	json_object_put(large);
}

static void test_pass_a_descriptor(void **state)
{
	struct fixture *f = *state;
	struct json_object *call = varlink_call("Start", NULL, true);
	struct varlink_channel peer;
	int ends[2], fd;
	char byte;

	varlink_channel_init(&peer, f->peer, OUT_LIMIT);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(varlink_queue(&f->c, call), 0);
	assert_int_equal(varlink_send(&f->c, ends[1]), 0);
	close(ends[1]);
	assert_true(varlink_receive(&peer) > 0);
	fd = varlink_take_fd(&peer);
	assert_int_equal(write(fd, "!", 1), 1);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(fd);
	close(ends[0]);
	varlink_channel_clear(&peer);
	json_object_put(call);
}

/* A full socket: bytes stay, nothing blocks; the descriptor has not gone while nothing has. */
static void test_slow_reader(void **state)
{
	struct fixture *f = *state;
	struct json_object *reply = varlink_reply(NULL, true);
	char junk[65536] = {0};
	size_t sent = 0;
	ssize_t n;
	int left;

	while ((n = send(f->c.fd, junk, sizeof(junk), MSG_DONTWAIT)) > 0)
		sent += n;
	assert_int_equal(varlink_queue(&f->c, reply), 0);
	left = buf_len(&f->c.out);
	assert_int_equal(varlink_send(&f->c, f->peer), left);
	while (sent && (n = read(f->peer, junk, sizeof(junk))) > 0)
		sent -= n;
	assert_int_equal(varlink_send(&f->c, -1), 0);
	assert_int_equal(read(f->peer, junk, sizeof(junk)), left);
	assert_string_equal(junk, "{\"parameters\":{},\"continues\":true}");
	json_object_put(reply);
}

static void test_reader_gone(void **state)
{
	struct fixture *f = *state;
	struct json_object *reply = varlink_reply(NULL, false);

	close(f->peer);
	f->peer = -1;
	assert_int_equal(varlink_queue(&f->c, reply), 0);
	assert_int_equal(varlink_send(&f->c, -1), -EPIPE); /* and no SIGPIPE */
	json_object_put(reply);
}

static void check_text(struct json_object *message, const char *shown)
{
	assert_string_equal(json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN), shown);
	json_object_put(message);
}

static void test_envelopes(void **state)
{
	struct json_object *p = json_object_new_object();

	json_object_object_add(p, "id", json_object_new_int(3));
	check_text(varlink_reply(json_object_get(p), false), "{\"parameters\":{\"id\":3}}");
	check_text(varlink_reply(json_object_get(p), true),
		   "{\"parameters\":{\"id\":3},\"continues\":true}");
	check_text(varlink_error("InvalidSpec", json_object_get(p)),
		   "{\"error\":\"io.netcap.Capture.InvalidSpec\",\"parameters\":{\"id\":3}}");
	check_text(varlink_error("org.varlink.service.MethodNotFound", NULL),
		   "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{}}");
	check_text(varlink_call("Stop", json_object_get(p), false),
		   "{\"method\":\"io.netcap.Capture.Stop\",\"parameters\":{\"id\":3}}");
	check_text(varlink_call("Start", p, true),
		   "{\"method\":\"io.netcap.Capture.Start\",\"parameters\":{\"id\":3},\"more\":true}");
	check_text(varlink_call("org.varlink.service.GetInfo", NULL, false),
		   "{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{}}");
	varlink_channel_clear(NULL);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_one_message_in_pieces),
		test(test_many_messages_at_once),
		test(test_bad_messages),
		test(test_depth),
		test(test_end_of_stream),
		test(test_longest_message),
		test(test_too_long_a_message),
		test(test_raised_limit),
		test(test_descriptor),
		test(test_untaken_descriptor_is_closed),
		test(test_descriptor_stays_with_its_message),
		test(test_descriptor_in_mid_message),
		test(test_too_many_descriptors),
		test(test_no_descriptor_free),
		test(test_queue_and_send),
		test(test_queue_is_all_or_nothing),
		test(test_pass_a_descriptor),
		test(test_slow_reader),
		test(test_reader_gone),
		cmocka_unit_test(test_envelopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
