/* SPDX-License-Identifier: BSD-2-Clause */
/* A Varlink channel with a peer that a test plays, and a count of descriptors. */
#ifndef VARLINK_FIXTURE_H
#define VARLINK_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

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
static inline void peer_send(struct fixture *f, const void *bytes, size_t len, int count)
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

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
