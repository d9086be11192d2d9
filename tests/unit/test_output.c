/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include <event2/event.h>

#include "daemon/output.h"

struct counts {
	unsigned delivered[2], lost[2];
	int broken;
};

static void delivered(void *arg, uint32_t point)
{
	((struct counts *)arg)->delivered[point]++;
}

static void lost(void *arg, uint32_t point)
{
	((struct counts *)arg)->lost[point]++;
}

static void broken(void *arg, int error)
{
	((struct counts *)arg)->broken = error;
}

static const struct output_callbacks callbacks = { delivered, lost, broken };

static struct output *make(struct event_base *base, bool socket, int *peer, struct counts *c)
{
	struct output *o;
	int fds[2];

	memset(c, 0, sizeof(*c));
	if (socket) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	} else {
		int ends[2];

		assert_int_equal(pipe(ends), 0);
		fds[0] = ends[1];
		fds[1] = ends[0];
	}
	*peer = fds[1];
	o = output_new(base, fds[0], &callbacks, c);
	assert_non_null(o);
	return o;
}

static void put(struct output *o, size_t len, uint32_t point)
{
	uint8_t *bytes = calloc(1, len);

	assert_int_equal(buf_add(output_buf(o), bytes, len), 0);
	assert_int_equal(output_reserve_marks(o, 1), 0);
	output_mark(o, point);
	free(bytes);
}

static size_t drain(int fd)
{
	static char bytes[65536];
	ssize_t n;
	size_t sum = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		sum += n;
	return sum;
}

static void deliver_through(bool socket)
{
	struct event_base *base = event_base_new();
	struct counts c;
	int peer;
	struct output *o = make(base, socket, &peer, &c);
	size_t got = 0;

	for (int i = 0; i < 4000; i++)
		put(o, 997, i % 2);
	output_flush(o);
	assert_true(output_pending(o) > 0); /* more than the kernel takes at once */
	assert_true(c.delivered[0] < 2000);
	while (output_pending(o)) {
		got += drain(peer);
		event_base_loop(base, EVLOOP_ONCE);
	}
	got += drain(peer);
	assert_int_equal(got, 4000 * 997);
	assert_int_equal(c.delivered[0], 2000);
	assert_int_equal(c.delivered[1], 2000);
	assert_int_equal(c.lost[0] + c.lost[1], 0);
	output_free(o);
	close(peer);
	event_base_free(base);
}

static void test_socket(void **state)
{
	deliver_through(true);
}

static void test_pipe(void **state)
{
	deliver_through(false);
}

/* Every packet is delivered or lost: the one that is cut in two is lost. */
static void test_give_up(void **state)
{
	struct event_base *base = event_base_new();
	struct counts c;
	int peer;
	struct output *o = make(base, true, &peer, &c);

	for (int i = 0; i < 3000; i++)
		put(o, 1009, 0);
	output_flush(o);
	output_give_up(o);
	assert_int_equal(c.delivered[0] + c.lost[0], 3000);
	assert_int_equal(c.delivered[0], drain(peer) / 1009);
	assert_int_equal(output_pending(o), 0);
	output_free(o);
	close(peer);
	event_base_free(base);
}

static void test_broken(void **state)
{
	struct event_base *base = event_base_new();
	struct counts c;
	int peer;
	struct output *o = make(base, true, &peer, &c);

	close(peer);
	put(o, 10, 1);
	output_flush(o);
	assert_int_equal(c.broken, EPIPE);
	assert_true(output_is_broken(o));
	output_give_up(o);
	assert_int_equal(c.lost[1], 1);
	output_free(o);
	event_base_free(base);
}

/* The client may make its own description of the pipe block; the daemon's does not care. */
static void test_pipe_stays_nonblocking(void **state)
{
	struct event_base *base = event_base_new();
	struct counts c;
	struct output *o;
	int ends[2], copy;

	memset(&c, 0, sizeof(c));
	assert_int_equal(pipe(ends), 0);
	copy = dup(ends[1]);
	o = output_new(base, ends[1], &callbacks, &c);
	assert_non_null(o);
	fcntl(copy, F_SETFL, 0);
	alarm(5);
	for (int i = 0; i < 1000; i++)
		put(o, 1000, 0);
	output_flush(o);
	alarm(0);
	assert_true(output_pending(o) > 0);
	output_free(o);
	close(copy);
	close(ends[0]);
	event_base_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket),	 cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_give_up),	 cmocka_unit_test(test_broken),
		cmocka_unit_test(test_pipe_stays_nonblocking),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
