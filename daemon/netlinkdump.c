/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/netlinkdump.h"
#include "daemon/wallclock.h"

#define REQUEST_BYTES 256
#define ANSWER_BYTES  65536 /* the kernel fills 32 KiB at a time if there is room */
#define SEQUENCE      1     /* there is one request at a time */

static int ask(struct mnl_socket *socket, uint16_t type, const void *header, size_t size)
{
	_Alignas(struct nlmsghdr) char buffer[REQUEST_BYTES] = {};
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	if (MNL_NLMSG_HDRLEN + MNL_ALIGN(size) > sizeof(buffer))
		return -EMSGSIZE;
	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = SEQUENCE;
	memcpy(mnl_nlmsg_put_extra_header(request, size), header, size);
	return mnl_socket_sendto(socket, request, request->nlmsg_len) < 0 ? -errno : 0;
}

/* The kernel answers at once; this is for the day when it does not. */
static int set_patience(struct mnl_socket *socket)
{
	struct timeval patience = {.tv_sec = NETLINKDUMP_MILLISECONDS / 1000,
				   .tv_usec = NETLINKDUMP_MILLISECONDS % 1000 * 1000};

	if (setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)))
		return -errno;
	return 0;
}

/* MNL_CB_OK: there is more; MNL_CB_STOP: that was all; or negative errno. */
static int take_some(struct mnl_socket *socket, mnl_cb_t take, void *arg)
{
	_Alignas(struct nlmsghdr) char buffer[ANSWER_BYTES];
	ssize_t size = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	int r;

	if (size < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	r = mnl_cb_run(buffer, size, SEQUENCE, mnl_socket_get_portid(socket), take, arg);
	return r < 0 ? -errno : r;
}

static int take_all(struct mnl_socket *socket, mnl_cb_t take, void *arg)
{
	uint64_t end = wallclock_monotonic() + NETLINKDUMP_MILLISECONDS * 1000000ULL;
	int r;

	do {
		r = take_some(socket, take, arg);
		if (r > MNL_CB_STOP && wallclock_monotonic() > end)
			r = -ETIMEDOUT;
	} while (r > MNL_CB_STOP);
	return r;
}

static int open_own(struct mnl_socket **socket)
{
	int error;

	*socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!*socket)
		return -errno;
	if (mnl_socket_bind(*socket, 0, MNL_SOCKET_AUTOPID) >= 0)
		return 0;
	error = errno;
	mnl_socket_close(*socket);
	return -error;
}

/* A descriptor of its own of the caller's socket, without what an answer that took too long left in there. */
static int open_given(struct mnl_socket **socket, int fd)
{
	char rest[4096];
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3), error;

	if (own < 0)
		return -errno;
	while (recv(own, rest, sizeof(rest), MSG_DONTWAIT) >= 0)
		;
	*socket = mnl_socket_fdopen(own);
	error = errno;
	if (!*socket)
		close(own);
	return *socket ? 0 : -error;
}

int netlinkdump_run(int fd, uint16_t type, const void *header, size_t size, mnl_cb_t take, void *arg)
{
	struct mnl_socket *socket;
	int r = fd >= 0 ? open_given(&socket, fd) : open_own(&socket);

	if (r)
		return r;
	r = set_patience(socket);
	if (!r)
		r = ask(socket, type, header, size);
	if (!r)
		r = take_all(socket, take, arg);
	mnl_socket_close(socket);
	return r;
}
