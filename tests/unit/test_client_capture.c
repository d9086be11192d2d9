/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "capture.h"
#include "client_packet.h"
#include "exitcode.h"
#include "signals.h"

/* What the daemon of a test does after it was asked. */
enum script {
	ALL_WELL,      /* 100 packets, then the final reply */
	UNTIL_STOPPED, /* packets until the client half-closes, then the final reply */
	REFUSE,        /* an error */
	DIE,           /* gone after 5 packets and half a block */
	STRAY_BYTES,   /* a data stream that is no pcapng */
	GATHER,        /* tells how long packets took, twice while they come and at the end */
	SHUT_DOWN,     /* ends by itself: the service is stopped */
};

static const char counters[] = "{\"hits\":103,\"filtered\":3,\"captured\":100,\"lostRing\":0,"
			       "\"lostClient\":0,\"limited\":0,\"inFlight\":0,\"missed\":0}";

static void send_text(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text) + 1), strlen(text) + 1);
}

static void send_ended(int fd, const char *reason, const char *gathering)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"parameters\":{\"state\":\"ended\",\"reason\":\"%s\",\"session\":{\"id\":1,"
		 "\"points\":[],%s\"counters\":%s}}}",
		 reason, gathering, counters);
	send_text(fd, text);
}

/* Writes b, or nothing any more if the reader went away. */
static bool write_buf(int fd, struct buf *b)
{
	bool written = write(fd, buf_head(b), buf_len(b)) == (ssize_t)buf_len(b);

	buf_truncate(b, 0);
	return written;
}

static void send_packets(int data, uint32_t count)
{
	struct buf b;

	buf_init(&b, 0);
	client_put_head(&b);
	for (uint32_t n = 0; n < count; n++)
		client_put_packet(&b, n % 3, n, 60);
	write_buf(data, &b);
	buf_clear(&b);
}

/* Packets every millisecond until the client half-closes its connection. */
static void send_until_stopped(int fd, int data)
{
	struct buf b;
	char byte;

	buf_init(&b, 0);
	client_put_head(&b);
	for (uint32_t n = 0; recv(fd, &byte, 1, MSG_DONTWAIT) != 0; n++) {
		client_put_packet(&b, 0, n, 60);
		if (!write_buf(data, &b))
			break;
		usleep(1000);
	}
	buf_clear(&b);
}

static void daemon_main(int fd, enum script script)
{
	struct varlink_channel channel;
	struct json_object *call = NULL;
	char why[256];
	int data;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	varlink_channel_init(&channel, fd, 65536);
	while (varlink_next(&channel, &call, why, sizeof(why)) == 0) {
		if (varlink_receive(&channel) == 0)
			_exit(1);
	}
	data = varlink_take_fd(&channel);
	if (data < 0 || !json_object_object_get_ex(call, "more", NULL))
		_exit(1);
	if (script == REFUSE) {
		send_text(fd,
			  "{\"error\":\"io.netcap.Capture.UnknownPoint\",\"parameters\":{\"field\":"
			  "\"points\",\"message\":\"There is none.\",\"nearest\":[\"a\",\"b\"]}}");
		_exit(0);
	}
	send_text(fd,
		  "{\"parameters\":{\"state\":\"attached\",\"session\":{\"id\":1,\"points\":[]}},"
		  "\"continues\":true}");
	for (int i = 0; script == GATHER && i < 2; i++)
		send_text(fd, "{\"parameters\":{\"state\":\"running\",\"session\":{\"id\":1,"
			      "\"gathering\":{\"packets\":50}}},\"continues\":true}");
	if (script == STRAY_BYTES)
		send_text(data, "this is no pcapng, whatever else it is");
	else if (script == UNTIL_STOPPED)
		send_until_stopped(fd, data);
	else
		send_packets(data, script == DIE ? 5 : 100);
	if (script == DIE) {
		assert_int_equal(write(data, "\x06\0\0\0\x64\0\0\0", 8), 8);
		_exit(0);
	}
	close(data);
	send_ended(fd, script == SHUT_DOWN ? "shutdown" : "stopped",
		   script == GATHER ? "\"gathering\":{\"packets\":100}," : "");
	_exit(0);
}

/* A sink that counts, and that fails with result at packet fail_at. */
struct counting {
	struct sink sink;
	uint64_t fail_at;
	int result;
	bool plain; /* it wants no metadata */
	bool histogram;
	uint64_t taken;
	uint32_t links[256];
	bool finished;
};

static int counting_take(struct sink *sink, const struct pcapng_event *e, const struct packet *p)
{
	struct counting *c = (struct counting *)sink;

	if (!p)
		return 0;
	assert_false(c->finished);
	assert_true(c->taken < c->fail_at); /* a sink that failed gets nothing more */
	if (c->plain)
		assert_null(p->meta.point);
	else
		assert_string_equal(p->meta.reason, "NETFILTER_DROP");
	c->links[p->link]++;
	return ++c->taken == c->fail_at ? c->result : 0;
}

static int counting_flush(struct sink *sink)
{
	return 0;
}

static int counting_finish(struct sink *sink)
{
	((struct counting *)sink)->finished = true;
	return 0;
}

/* Runs a session against the script; c: fail_at and result are set. Its exit code. */
static int run(enum script script, struct counting *c)
{
	char point[] = "tracepoint:skb:kfree_skb", *points[] = {point};
	struct options o = {0};
	struct userspace nobody = {.pidfd = -1};
	struct connection connection;
	int pair[2], code, status;
	pid_t pid;

	c->sink.take = counting_take;
	c->sink.flush = counting_flush;
	c->sink.finish = counting_finish;
	c->sink.wants_meta = !c->plain;
	spec_init(&o.spec);
	o.json = o.spec.histogram = o.spec.gather_summary = c->histogram;
	o.spec.points.count = 1;
	o.spec.points.items = points;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		daemon_main(pair[1], script);
	}
	close(pair[1]);
	connection_init(&connection, pair[0], 0);
	signals_install(pair[0]);
	code = capture_run(&connection, &o, &nobody, &c->sink);
	signals_install(-1);
	connection_close(&connection);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return code;
}

static void a_session_delivers_every_packet(void **state)
{
	struct counting c = {.fail_at = UINT64_MAX};

	assert_int_equal(run(ALL_WELL, &c), EXITCODE_OK);
	assert_int_equal(c.taken, 100);
	assert_int_equal(c.links[PCAPNG_LINK_ETHERNET], 34);
	assert_int_equal(c.links[PCAPNG_LINK_RAW], 33);
	assert_int_equal(c.links[PCAPNG_LINK_USER0], 33);
	assert_true(c.finished);
}

/* With --histogram and --json, lines of JSON are all that comes to standard output. */
static void how_long_packets_took_is_shown_as_it_comes(void **state)
{
	struct counting c = {.fail_at = UINT64_MAX, .histogram = true};
	int saved = dup(STDOUT_FILENO);
	FILE *file = tmpfile();
	char text[256] = "";

	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	assert_int_equal(run(GATHER, &c), EXITCODE_OK);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_true(pread(fileno(file), text, sizeof(text) - 1, 0) > 0);
	fclose(file);
	assert_string_equal(text, "{\"packets\":50}\n{\"packets\":50}\n{\"packets\":100}\n");
}

static void an_error_of_the_daemon_is_a_failure(void **state)
{
	struct counting c = {.fail_at = UINT64_MAX};

	assert_int_equal(run(REFUSE, &c), EXITCODE_FAILED);
	assert_int_equal(c.taken, 0);
}

static void a_daemon_that_goes_away_costs_no_packet(void **state)
{
	struct counting c = {.fail_at = UINT64_MAX};

	assert_int_equal(run(DIE, &c), EXITCODE_GONE);
	assert_int_equal(c.taken, 5);
	assert_true(c.finished);
}

static void a_service_that_is_stopped_shows_in_the_exit_code(void **state)
{
	struct counting c = {.fail_at = UINT64_MAX};

	assert_int_equal(run(SHUT_DOWN, &c), EXITCODE_GONE);
	assert_int_equal(c.taken, 100);
}

static void stray_bytes_are_a_failure(void **state)
{
	struct counting c = {.fail_at = UINT64_MAX};

	assert_int_equal(run(STRAY_BYTES, &c), EXITCODE_FAILED);
	assert_int_equal(c.taken, 0);
}

static void a_reader_that_went_away_ends_the_session_well(void **state)
{
	struct counting c = {.fail_at = 10, .result = -EPIPE};

	assert_int_equal(run(UNTIL_STOPPED, &c), EXITCODE_OK);
	assert_int_equal(c.taken, 10);
}

static void a_sink_may_want_no_metadata(void **state)
{
	struct counting c = {.fail_at = UINT64_MAX, .plain = true};

	assert_int_equal(run(ALL_WELL, &c), EXITCODE_OK);
	assert_int_equal(c.taken, 100);
}

static void a_sink_that_fails_ends_the_session(void **state)
{
	struct counting c = {.fail_at = 10, .result = -ENOSPC};

	assert_int_equal(run(UNTIL_STOPPED, &c), EXITCODE_FAILED);
	assert_int_equal(c.taken, 10);
	assert_false(c.finished);
}

/* timeout(1) signals twice; that must not look like an impatient user. */
static void ctrl_c_ends_the_session_in_good_order(void **state)
{
	struct counting c = {.fail_at = UINT64_MAX};
	pid_t test = getpid(), killer = fork();

	if (killer == 0) {
		usleep(100000);
		kill(test, SIGINT);
		usleep(5000);
		kill(test, SIGINT);
		_exit(0);
	}
	signals_install(-1);
	assert_int_equal(run(UNTIL_STOPPED, &c), EXITCODE_OK);
	assert_true(c.taken > 0);
	assert_true(c.finished);
	assert_int_equal(waitpid(killer, NULL, 0), killer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_delivers_every_packet),
		cmocka_unit_test(how_long_packets_took_is_shown_as_it_comes),
		cmocka_unit_test(an_error_of_the_daemon_is_a_failure),
		cmocka_unit_test(a_daemon_that_goes_away_costs_no_packet),
		cmocka_unit_test(a_service_that_is_stopped_shows_in_the_exit_code),
		cmocka_unit_test(stray_bytes_are_a_failure),
		cmocka_unit_test(a_reader_that_went_away_ends_the_session_well),
		cmocka_unit_test(a_sink_may_want_no_metadata),
		cmocka_unit_test(a_sink_that_fails_ends_the_session),
		/* Last: a request to stop is for the whole process. */
		cmocka_unit_test(ctrl_c_ends_the_session_in_good_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
