/* SPDX-License-Identifier: BSD-2-Clause */
#include "control_fixture.h"

#include "daemon/quota.h"
#include "limit.h"

#define LIST "{\"method\":\"io.netcap.Capture.List\"}"
#define START                                                                                      \
	"{\"method\":\"io.netcap.Capture.Start\",\"more\":true,"                                   \
	"\"parameters\":{\"points\":[\"tp:skb:x\"]}}"

static struct session *start(struct fixture *f)
{
	send_call(f, START);
	run(f);
	assert_non_null(last_session);
	return last_session;
}

static int say(struct session *s, bool last)
{
	return s->callbacks.reply(s->arg, varlink_reply(NULL, !last), last);
}

static void test_calls_in_one_write(void **state)
{
	struct fixture *f = *state;
	char calls[100 * sizeof(LIST)];

	for (int i = 0; i < 100; i++)
		memcpy(calls + i * sizeof(LIST), LIST, sizeof(LIST));
	send_bytes(f, calls, sizeof(calls));
	for (int i = 0; i < 100; i++)
		expect_reply(f, "sessions");
	expect_nothing(f);
}

static void test_a_call_in_pieces(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(LIST); i++) {
		expect_nothing(f);
		send_bytes(f, LIST + i, 1);
	}
	expect_reply(f, "sessions");
}

static void test_oneway(void **state)
{
	struct fixture *f = *state;

	send_call(f, "{\"method\":\"io.netcap.Capture.Nosuch\",\"oneway\":true}");
	send_call(f, "{\"method\":\"io.netcap.Capture.List\",\"oneway\":true}");
	send_call(f, "{\"method\":\"org.varlink.service.GetInfo\"}");
	expect_reply(f, "netcapd");
	expect_nothing(f);
}

static void test_good_bye_after_a_call(void **state)
{
	struct fixture *f = *state;

	send_call(f, LIST);
	shutdown(f->peer, SHUT_WR);
	expect_reply(f, "sessions");
	run(f);
	assert_null(f->conn);
}

static void test_good_bye_in_a_message(void **state)
{
	struct fixture *f = *state;

	send_bytes(f, LIST, 10);
	run(f);
	assert_non_null(f->conn);
	close(f->peer);
	f->peer = -1;
	run(f);
	assert_null(f->conn);
}

/* Framing is lost: a sentence, then the end. */
static void test_oversized(void **state)
{
	static char bytes[LIMIT_START_BYTES / 4];
	struct fixture *f = *state;

	memset(bytes, 'x', sizeof(bytes));
	for (int i = 0; i < 4; i++) { /* as much as the socket takes at once */
		send_bytes(f, bytes, sizeof(bytes));
		run(f);
		assert_non_null(f->conn);
	}
	send_bytes(f, bytes, 1);
	expect_error(f, "InvalidSpec", "262144");
	run(f);
	assert_null(f->conn);
}

/* Framing is kept: the connection goes on. */
static void test_garbage(void **state)
{
	struct fixture *f = *state;

	send_call(f, "GET / HTTP/1.1");
	expect_error(f, "InvalidSpec", "message");
	send_call(f, LIST);
	expect_reply(f, "sessions");
}

static void test_half_close_stops_a_session(void **state)
{
	struct fixture *f = *state;
	struct session *s = start(f);

	shutdown(f->peer, SHUT_WR);
	run(f);
	assert_string_equal(s->stopped, "stopped");
	assert_false(s->orphaned);
	assert_int_equal(say(s, false), 0);
	expect_reply(f, "continues");
	assert_non_null(f->conn);
	assert_int_equal(say(s, true), 0);
	s->callbacks.ended(s->arg, s);
	expect_reply(f, "parameters");
	run(f);
	assert_null(f->conn);
}

/* Also when calls wait that were never read. */
static void test_close_orphans_a_session(void **state)
{
	struct fixture *f = *state;
	struct session *s = start(f);

	send_call(f, LIST);
	close(f->peer);
	f->peer = -1;
	run(f);
	assert_null(f->conn);
	assert_true(s->orphaned);
	/* what it still says goes nowhere */
	assert_int_equal(say(s, true), 0);
	s->callbacks.ended(s->arg, s);
}

static void test_finish_waits_for_the_answer(void **state)
{
	struct fixture *f = *state;
	struct session *s = start(f);

	conn_finish(f->conn);
	run(f);
	assert_non_null(f->conn);
	assert_int_equal(say(s, true), 0);
	s->callbacks.ended(s->arg, s);
	expect_reply(f, "parameters");
	run(f);
	assert_null(f->conn);
}

static struct json_object *long_reply(void)
{
	static char text[60000];
	struct json_object *parameters = json_object_new_object();

	memset(text, 'x', sizeof(text) - 1);
	json_object_object_add(parameters, "text", json_object_new_string(text));
	return varlink_reply(parameters, true);
}

/* What a peer does not read is bounded, and there is room for the last reply. */
static void test_slow_reader(void **state)
{
	struct fixture *f = *state;
	struct session *s = start(f);
	size_t sent = 0;

	while (!s->callbacks.reply(s->arg, long_reply(), false)) {
		run(f);
		sent += 60000;
		assert_true(sent < QUOTA_OUT_BYTES + (4 << 20));
	}
	assert_int_equal(s->callbacks.reply(s->arg, long_reply(), false), -ENOBUFS);
	assert_int_equal(say(s, true), 0);
	s->callbacks.ended(s->arg, s);
	assert_non_null(f->conn);
	for (; sent; sent -= 60000)
		expect_reply(f, "xxx");
	expect_reply(f, "{\"parameters\":{}}");
}

/* A session that cannot make its last reply costs the connection: the peer must not wait for ever.
 */
static void test_no_last_reply(void **state)
{
	struct fixture *f = *state;
	struct session *s = start(f);

	s->callbacks.ended(s->arg, s);
	run(f);
	assert_null(f->conn);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_calls_in_one_write),
	    TEST(test_a_call_in_pieces),
	    TEST(test_oneway),
	    TEST(test_good_bye_after_a_call),
	    TEST(test_good_bye_in_a_message),
	    TEST(test_oversized),
	    TEST(test_garbage),
	    TEST(test_half_close_stops_a_session),
	    TEST(test_close_orphans_a_session),
	    TEST(test_finish_waits_for_the_answer),
	    TEST(test_slow_reader),
	    TEST(test_no_last_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
