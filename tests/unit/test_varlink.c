/* SPDX-License-Identifier: BSD-2-Clause */
/* Receiving: framing, limits and passed descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "limit.h"
#include "varlink_fixture.h"

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

/* Known with the first byte too many, not only when another comes. */
static void test_too_long_at_once(void **state)
{
	struct fixture *f = *state;

	f->c.in_limit = 3;
	peer_text(f, "{ }");
	assert_int_equal(varlink_receive(&f->c), 4);
	expect_message(f, "{}");
	peer_text(f, "{ \n}");
	assert_int_equal(varlink_receive(&f->c), -EMSGSIZE);
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
		test(test_too_long_at_once),
		test(test_raised_limit),
		test(test_descriptor),
		test(test_untaken_descriptor_is_closed),
		test(test_descriptor_stays_with_its_message),
		test(test_descriptor_in_mid_message),
		test(test_too_many_descriptors),
		test(test_no_descriptor_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
