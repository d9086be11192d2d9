/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors whose close() takes two seconds, and a caller that has no time. */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/closer.h"
#include "daemon/wallclock.h"

#define LINGER_SECONDS 2
#define QUICK_NS       500000000 /* far below; this machine may be busy */
#define MANY           20        /* more than there are threads */

/* One of a pair that is full, and whose peer never reads. */
static int lingering_socket(int *peer)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = LINGER_SECONDS};
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	static const char bytes[65536];

	assert_int_equal(bind(listening, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
	*peer = accept(listening, NULL, NULL);
	assert_true(*peer >= 0);
	close(listening);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	return fd;
}

static void pass(int through, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	char byte = 'x';
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&message);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(int));
	assert_int_equal(sendmsg(through, &message, 0), 1);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* The threads get to it soon. */
static bool closes(int fd)
{
	for (int i = 0; i < 5000 && is_open(fd); i++)
		usleep(1000);
	return !is_open(fd);
}

static void test_lingering(void **state)
{
	int peer, fd = lingering_socket(&peer);
	uint64_t start = wallclock_monotonic();

	closer_close(fd);
	assert_true(wallclock_monotonic() - start < QUICK_NS);
	assert_true(closes(fd));
	close(peer);
}

/* What nobody has read is closed with the socket. */
static void test_lingering_unread(void **state)
{
	int pair[2], peer, fd = lingering_socket(&peer);
	uint64_t start;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pass(pair[0], fd);
	/* not the last copy: does not wait */
	close(fd);
	start = wallclock_monotonic();
	closer_hang_up(pair[1]);
	assert_true(wallclock_monotonic() - start < QUICK_NS);
	assert_true(closes(pair[1]));
	close(pair[0]);
	close(peer);
}

static void test_many(void **state)
{
	int peers[MANY], fds[MANY];
	uint64_t start;

	for (int i = 0; i < MANY; i++)
		fds[i] = lingering_socket(&peers[i]);
	start = wallclock_monotonic();
	for (int i = 0; i < MANY; i++)
		closer_close(fds[i]);
	assert_true(wallclock_monotonic() - start < QUICK_NS);
	/* nobody waits for those that are gone: the threads are free again, and take the rest */
	for (int i = 0; i < MANY; i++)
		close(peers[i]);
	for (int i = 0; i < MANY; i++)
		assert_true(closes(fds[i]));
}

/* What cannot block is closed when the call returns. */
static void test_at_once(void **state)
{
	int fds[2];
	char byte;

	assert_int_equal(pipe(fds), 0);
	closer_close(fds[0]);
	closer_close(fds[1]);
	assert_false(is_open(fds[0]));
	assert_false(is_open(fds[1]));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	closer_hang_up(fds[0]);
	assert_false(is_open(fds[0]));
	assert_int_equal(recv(fds[1], &byte, 1, MSG_DONTWAIT), 0);
	close(fds[1]);
	closer_close(-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_at_once),
	    cmocka_unit_test(test_lingering),
	    cmocka_unit_test(test_lingering_unread),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
