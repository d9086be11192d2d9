/* SPDX-License-Identifier: BSD-2-Clause */
#include "control_fixture.h"

#include <fcntl.h>

#include "daemon/quota.h"

#define CALL(method, rest) "{\"method\":\"io.netcap.Capture." method "\"" rest "}"
#define START(rest)                                                                                \
	CALL("Start", ",\"more\":true,\"parameters\":{\"points\":[\"tp:skb:x\"]" rest "}")
#define SERVICE "org.varlink.service."

static void test_service(void **state)
{
	struct fixture *f = *state;

	send_call(f, "{\"method\":\"org.varlink.service.GetInfo\"}");
	expect_reply(f, "\"interfaces\":[\"org.varlink.service\",\"io.netcap.Capture\"]");
	send_call(f, "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
		     "\"parameters\":{\"interface\":\"io.netcap.Capture\"}}");
	expect_reply(f, "method Start(");
	send_call(f, "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
		     "\"parameters\":{\"interface\":\"org.varlink.service\"}}");
	expect_reply(f, "method GetInfo(");
}

static void test_errors(void **state)
{
	static const struct {
		const char *call, *error, *part;
	} cases[] = {
	    {"", "InvalidSpec", "message"},
	    {"[]", "InvalidSpec", "object"},
	    {"{\"method\":", "InvalidSpec", "message"},
	    {"{}", "InvalidSpec", "method"},
	    {"{\"method\":1}", "InvalidSpec", "string"},
	    {CALL("List", ",\"surplus\":1"), "InvalidSpec", "surplus"},
	    {CALL("List", ",\"more\":\"yes\""), "InvalidSpec", "more"},
	    {CALL("List", ",\"more\":true,\"oneway\":true"), "InvalidSpec", "oneway"},
	    {CALL("List", ",\"upgrade\":true"), "InvalidSpec", "upgrade"},
	    {CALL("List", ",\"parameters\":[]"), "InvalidSpec", "parameters"},
	    {CALL("List", ",\"parameters\":{\"x\":1}"), "InvalidSpec", "\"x\""},
	    {CALL("Stop", ""), "InvalidSpec", "\"id\""},
	    {CALL("Stop", ",\"parameters\":{\"id\":-1}"), "InvalidSpec", "\"id\""},
	    {CALL("Stop", ",\"parameters\":{\"id\":7}"), "NoSuchSession", "7"},
	    {CALL("Stats", ",\"parameters\":{\"id\":7}"), "NoSuchSession", "7"},
	    {CALL("Nosuch", ""), SERVICE "MethodNotFound", "Capture.Nosuch"},
	    {CALL("", ""), SERVICE "MethodNotFound", "Capture."},
	    {CALL("List.x", ""), SERVICE "InterfaceNotFound", "io.netcap.Capture.List\""},
	    {"{\"method\":\"org.nosuch.List\"}", SERVICE "InterfaceNotFound", "org.nosuch\""},
	    {"{\"method\":\"List\"}", SERVICE "InterfaceNotFound", "\"interface\":\"\""},
	    {"{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
	     "{\"interface\":\"org.nosuch\"}}",
	     SERVICE "InterfaceNotFound", "org.nosuch"},
	    {"{\"method\":\"org.varlink.service.GetInterfaceDescription\"}",
	     SERVICE "InvalidParameter", "\"parameter\":\"interface\""},
	    {"{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{\"x\":1}}",
	     SERVICE "InvalidParameter", "\"parameter\":\"x\""},
	    {CALL("Start", ",\"more\":true"), "InvalidSpec", "points"},
	    {CALL("Start", ",\"parameters\":{\"points\":[\"tp:skb:x\"]}"), SERVICE "ExpectedMore",
	     ""},
	    {START(",\"snaplen\":32769"), "InvalidSpec", "32769"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		send_call(f, cases[i].call);
		expect_error(f, cases[i].error, cases[i].part);
	}
	assert_int_equal(session_count, 0);
	send_call(f, CALL("List", ",\"parameters\":null,\"oneway\":false"));
	expect_reply(f, "{\"sessions\":[]}");
}

static void test_drops(void **state)
{
	static const struct {
		const char *parameters, *part;
	} cases[] = {
	    {"{\"by\":\"port\"}", "\"by\""},
	    {"{\"by\":\"\"}", "\"by\""},
    {"{\"by\":\"a\\nb\"}", "\\\\x0a"},
	    {"{\"since\":-1}", "\"since\""},
	    {"{\"since\":\"1\"}", "\"since\""},
	    {"{\"since\":9,\"until\":8}", "\"until\""},
	    {"{\"top\":0}", "\"top\""},
	    {"{\"layers\":1}", "\"layers\""},
	    {"{\"surplus\":1}", "\"surplus\""},
	    {"{\"since\":1},\"more\":true", "\"since\""},
	    {"{\"until\":1},\"more\":true", "\"until\""},
	};
	struct fixture *f = *state;
	char call[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(call, sizeof(call), CALL("Drops", ",\"parameters\":%s"), cases[i].parameters);
		send_call(f, call);
		expect_error(f, "InvalidSpec", cases[i].part);
	}
	send_call(f, CALL("Drops", ",\"parameters\":{\"since\":0,\"until\":0,\"top\":1,\"by\":\"dev\"}"));
	expect_error(f, "Failed", "not part of this test");
	close_conn(f);
	open_conn(f, PEER_OBSERVER, 1001);
	send_call(f, CALL("Drops", ",\"more\":true"));
	expect_error(f, "Failed", "not part of this test");
}

static void test_roles(void **state)
{
	struct fixture *f = *state;

	close_conn(f);
	open_conn(f, PEER_OBSERVER, 1001);
	send_call(f, START(""));
	expect_error(f, "NotPermitted", "netcap");
	send_call(f, CALL("Stop", ",\"parameters\":{\"id\":1}"));
	expect_error(f, "NotPermitted", "netcap");
	send_call(f, CALL("List", ""));
	expect_reply(f, "sessions");
	send_call(f, CALL("Stats", ""));
	expect_reply(f, "rss");
	send_call(f, CALL("Drops", ",\"parameters\":{\"samples\":true}"));
	expect_error(f, "NotPermitted", "netcap");
}

static void test_only_own_sessions_may_be_stopped(void **state)
{
	static const struct session_owner others = {.uid = 1001, .pid = 1},
					  own = {.uid = 1000, .pid = 1};
	struct fixture *f = *state;
	struct spec spec;
	char why[256];

	spec_init(&spec);
	assert_non_null(
	    sessions_start(f->methods.sessions, &spec, -1, NULL, &others, NULL, NULL, why, 256));
	send_call(f, CALL("Stop", ",\"parameters\":{\"id\":1}"));
	expect_error(f, "NotPermitted", "1001");
	assert_null(last_session->stopped);
	assert_non_null(sessions_start(f->methods.sessions, &spec, -1, NULL, &own, NULL, NULL, why, 256));
	send_call(f, CALL("Stop", ",\"parameters\":{\"id\":2}"));
	expect_reply(f, "{\"parameters\":{}}");
	assert_string_equal(last_session->stopped, "stopped");
	close_conn(f);
	open_conn(f, PEER_ADMIN, 0);
	send_call(f, CALL("Stop", ",\"parameters\":{\"id\":1}"));
	expect_reply(f, "{\"parameters\":{}}");
	send_call(f, CALL("Stats", ",\"parameters\":{\"id\":2}"));
	expect_reply(f, "\"sessions\":[{\"id\":2}]");
}

/* Starts sessions for a user until one is refused. points: of each; names do not matter here. */
static unsigned start_with(struct fixture *f, uid_t uid, int64_t ring_bytes, size_t points,
			   char why[256])
{
	const struct session_owner owner = {.uid = uid, .pid = 1};
	struct spec spec;
	unsigned n = 0;

	for (;;) {
		spec_init(&spec);
		spec.ring_bytes = ring_bytes;
		spec.points.items = calloc(points, sizeof(char *));
		spec.points.count = points;
		if (!sessions_start(f->methods.sessions, &spec, -1, NULL, &owner, NULL, NULL, why, 256))
			return n;
		n++;
	}
}

static unsigned start_many(struct fixture *f, uid_t uid, int64_t ring_bytes, char why[256])
{
	return start_with(f, uid, ring_bytes, 1, why);
}

/* Functions of processes are for administrators. */
static void test_user_space(void **state)
{
#define RAW(rest) CALL("Start", ",\"more\":true,\"parameters\":{\"points\":[\"raw:f@1@2\"]" rest "}")
	struct fixture *f = *state;

	send_call(f, CALL("Lend", ""));
	expect_error(f, "NotPermitted", "Lend is not for");
	send_call(f, RAW(",\"target\":1"));
	expect_error(f, "NotPermitted", "administrators only");
	send_call(f, RAW(""));
	expect_error(f, "NotPermitted", "administrators only");
	assert_int_equal(session_count, 0);
	close_conn(f);
	open_conn(f, PEER_ADMIN, 0);
	send_call(f, CALL("Lend", ""));
	expect_error(f, "BadDescriptor", "no descriptor came with Lend");
	send_call(f, RAW(",\"target\":4194305"));
	expect_error(f, "InvalidSpec", "there is no process 4194305");
#undef RAW
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	char why[256];

	assert_int_equal(start_many(f, 1000, 65536, why), QUOTA_SESSIONS_UID);
	send_call(f, START(""));
	expect_error(f, "LimitReached", "user 1000");
	for (unsigned n = QUOTA_SESSIONS_UID, uid = 1001; n < QUOTA_SESSIONS;
	     n += QUOTA_SESSIONS_UID)
		assert_int_equal(start_many(f, uid++, 65536, why), QUOTA_SESSIONS_UID);
	assert_int_equal(start_many(f, 2000, 65536, why), 0);
	assert_non_null(strstr(why, "64 sessions"));
}

static void test_ring_limits(void **state)
{
	struct fixture *f = *state;
	char why[256];

	/* 33 MiB are rounded up to 64 */
	assert_int_equal(start_many(f, 1000, 33 << 20, why), 4);
	assert_non_null(strstr(why, "256 MiB"));
	assert_int_equal(start_many(f, 1001, 64 << 20, why), 4);
	assert_int_equal(start_many(f, 1002, 65536, why), 0);
	assert_non_null(strstr(why, "512 MiB"));
}

static void test_point_limits(void **state)
{
	struct fixture *f = *state;
	char why[256];

	assert_int_equal(start_with(f, 1000, 65536, 50, why), 5);
	assert_non_null(strstr(why, "user 1000's sessions have 250"));
	assert_int_equal(start_with(f, 1000, 65536, 6, why), 1);
	assert_int_equal(start_with(f, 1001, 65536, 64, why), 4);
	assert_int_equal(start_with(f, 1002, 65536, 1, why), 0);
	assert_non_null(strstr(why, "all sessions have 512"));
}

/* What a configuration says counts for the next session; one that runs goes on. */
static void test_limits_change(void **state)
{
	struct fixture *f = *state;
	char why[256];

	f->config.limits.sessions_uid = 2;
	assert_int_equal(start_many(f, 1000, 65536, why), 2);
	assert_non_null(strstr(why, "2 sessions"));
	f->config.limits.sessions_uid = 1;
	assert_int_equal(start_many(f, 1000, 65536, why), 0);
	assert_int_equal(session_count, 2);
	f->config.limits.sessions = 3;
	assert_int_equal(start_many(f, 1001, 65536, why), 1);
	f->config.limits.sessions_uid = 3;
	assert_int_equal(start_many(f, 1002, 65536, why), 0);
	assert_non_null(strstr(why, "there are 3 sessions"));
	f->config.limits.sessions = 10;
	f->config.limits.points_uid = 1;
	assert_int_equal(start_many(f, 1002, 65536, why), 1);
	assert_non_null(strstr(why, "the 1 that a user may have"));
	f->config.limits.ring_bytes = 5 << 16;
	assert_int_equal(start_many(f, 1003, 65536, why), 1);
	assert_int_equal(start_many(f, 1004, 65536, why), 0);
	assert_non_null(strstr(why, "rings and tables of all sessions"));
}

static char config_path[64];

/* A file of this process's own, which the fixture's source then names. */
static void write_config(struct fixture *f, const char *text)
{
	FILE *file;

	snprintf(config_path, sizeof(config_path), "/tmp/netcap-test-%d.json", (int)getpid());
	file = fopen(config_path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	f->source = (struct config_source){.path = config_path, .required = true};
}

/* Lets a reload come to its end, which sets *value. */
static void wait_for(struct fixture *f, const bool *value)
{
	for (int i = 0; i < 5000 && !*value; i++) {
		run(f);
		usleep(1000);
	}
	assert_true(*value);
}

static void test_reload(void **state)
{
	struct fixture *f = *state;

	write_config(f, "{\"limits\":{\"sessions\":7}}");
	send_call(f, CALL("Reload", ""));
	expect_error(f, "NotPermitted", "Reload");
	assert_int_equal(f->config.limits.sessions, QUOTA_SESSIONS);
	close_conn(f);
	open_conn(f, PEER_ADMIN, 0);
	send_call(f, CALL("Reload", ",\"parameters\":{\"x\":1}"));
	expect_error(f, "InvalidSpec", "\"x\"");
	send_call(f, CALL("Reload", ""));
	expect_reply(f, "{\"parameters\":{}}");
	assert_int_equal(f->config.limits.sessions, 7);
	write_config(f, "{\"limits\":\n{\"sessions\":0}}");
	send_call(f, CALL("Reload", ""));
	expect_error(f, "InvalidSpec", ".json:2: limits.sessions = 0");
	send_call(f, CALL("Reload", ""));
	expect_error(f, "InvalidSpec", "\"field\":\"limits.sessions\"");
	assert_int_equal(f->config.limits.sessions, 7);
	unlink(config_path);
	send_call(f, CALL("Reload", ""));
	expect_error(f, "InvalidSpec", "No such file");
	/* nobody waits for this answer, but it counts */
	write_config(f, "{\"metrics\":{\"enabled\":true}}");
	send_call(f, CALL("Reload", ""));
	event_base_loop(f->base, EVLOOP_ONCE);
	close_conn(f);
	wait_for(f, &f->config.metrics.enabled);
	assert_int_equal(f->config.limits.sessions, QUOTA_SESSIONS);
	unlink(config_path);
}

/* A signal that comes while the file is read, and may have been changed behind it, is not lost. */
static void test_signals_reload(void **state)
{
	struct fixture *f = *state;

	f->config.ledger = false;
	write_config(f, "{\"ledger\":true}");
	reload_now(f->methods.reload);
	wait_for(f, &f->config.ledger);
	for (int i = 0; i < 1000; i++)
		reload_now(f->methods.reload);
	write_config(f, "{\"metrics\":{\"enabled\":true}}");
	reload_now(f->methods.reload);
	wait_for(f, &f->config.metrics.enabled);
	unlink(config_path);
	/* the end comes before these do */
	reload_now(f->methods.reload);
	reload_now(f->methods.reload);
}

static void test_no_kernel(void **state)
{
	struct fixture *f = *state;

	f->methods.kernel_why = "this kernel is too old for the test";
	send_call(f, START(""));
	expect_error(f, "Failed", "too old");
	send_call(f, CALL("Features", ""));
	expect_reply(f, "too old");
	send_call(f, CALL("List", ""));
	expect_reply(f, "sessions");
}

static void test_start(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	send_call(f, START(",\"filter\":\"tcp\",\"snaplen\":99"));
	run(f);
	s = last_session;
	assert_non_null(s);
	assert_int_equal(s->owner.uid, 1000);
	assert_int_equal(s->spec.snaplen, 99);
	assert_string_equal(s->spec.filter, "tcp");
	s->callbacks.reply(s->arg, varlink_reply(NULL, true), false);
	expect_reply(f, "\"continues\":true");
	send_call(f, CALL("List", ""));
	expect_nothing(f);
	s->callbacks.reply(s->arg, varlink_error("Failed", NULL), true);
	s->callbacks.ended(s->arg, s);
	json_object_put(next_message(f, 5000));
	expect_reply(f, "{\"sessions\":[]}");
}

/* Totals of sessions stay when the sessions end; what was on its way does not. */
static void test_metrics(void **state)
{
	struct fixture *f = *state;
	struct session *s;

	send_call(f, START(""));
	run(f);
	s = last_session;
	assert_non_null(s);
	s->counters = (struct counters){.hits = 30, .filtered = 9, .captured = 12, .lost_ring = 4, .in_flight = 5};
	s->callbacks.reply(s->arg, varlink_error("Failed", NULL), true);
	json_object_put(next_message(f, 5000));
	for (int ended = 0; ended < 2; ended++) {
		send_call(f, CALL("Metrics", ""));
		expect_reply(f, ended ? "netcap_sessions 0\\n" : "netcap_sessions 1\\n");
		send_call(f, CALL("Metrics", ""));
		expect_reply(f, "netcap_capture_hits_packets_total 30\\n");
		send_call(f, CALL("Metrics", ""));
		expect_reply(f, "netcap_capture_captured_packets_total 12\\n");
		send_call(f, CALL("Metrics", ""));
		expect_reply(f, ended ? "in_flight_packets 0\\n" : "in_flight_packets 5\\n");
		if (!ended)
			s->callbacks.ended(s->arg, s);
	}
	close_conn(f);
	open_conn(f, PEER_OBSERVER, 1001);
	send_call(f, CALL("Metrics", ""));
	expect_reply(f, "netcap_ledger_running 0\\n");
	send_call(f, CALL("Metrics", ",\"parameters\":{\"x\":1}"));
	expect_error(f, "InvalidSpec", "\"x\"");
}

static void send_with_fds(struct fixture *f, const char *text, int fd, int count)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {.iov_base = (void *)text, .iov_len = strlen(text) + 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
	int fds[4] = {fd, fd, fd, fd};

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(h), fds, count * sizeof(int));
	assert_int_equal(sendmsg(f->peer, &msg, 0), iov.iov_len);
}

static void test_descriptors(void **state)
{
	struct fixture *f = *state;
	int ends[2], null = open("/dev/null", O_WRONLY);

	assert_int_equal(pipe(ends), 0);
	send_with_fds(f, CALL("List", ""), ends[1], 1);
	expect_error(f, "BadDescriptor", "List");
	send_with_fds(f, START(""), ends[1], 2);
	expect_error(f, "BadDescriptor", "several");
	send_with_fds(f, START(""), null, 1);
	expect_error(f, "BadDescriptor", "character device");
	send_with_fds(f, START(",\"snaplen\":262144"), ends[1], 1);
	run(f);
	assert_non_null(last_session);
	assert_true(last_session->fd >= 0);
	close(last_session->fd);
	last_session->fd = -1;
	/* with that, every copy is closed */
	close(ends[1]);
	assert_int_equal(read(ends[0], (char[1]){0}, 1), 0);
	close(ends[0]);
	close(null);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_service),     TEST(test_errors),
	    TEST(test_drops),       TEST(test_metrics),
	    TEST(test_roles),       TEST(test_only_own_sessions_may_be_stopped),
	    TEST(test_limits),      TEST(test_ring_limits),
	    TEST(test_point_limits), TEST(test_user_space),
	    TEST(test_limits_change), TEST(test_reload), TEST(test_signals_reload),
	    TEST(test_no_kernel),   TEST(test_start),
	    TEST(test_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
