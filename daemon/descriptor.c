/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include "daemon/descriptor.h"

static const char *file_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a regular file";
	case S_IFDIR:
		return "a directory";
	case S_IFCHR:
		return "a character device";
	case S_IFBLK:
		return "a block device";
	case S_IFLNK:
		return "a symbolic link";
	default:
		return "an object without a file type (as from eventfd or epoll)";
	}
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &size) ? -1 : value;
}

/* NULL: it is fine. */
static const char *socket_fault(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	int domain = option(fd, SO_DOMAIN);

	/* TCP's close() may wait for its peer (SO_LINGER), and the daemon has no time for that */
	if (domain != AF_UNIX)
		return "a socket of another kind than Unix";
	if (option(fd, SO_TYPE) != SOCK_STREAM)
		return "a socket that is no stream socket";
	if (option(fd, SO_ACCEPTCONN))
		return "a listening socket";
	if (getpeername(fd, (struct sockaddr *)&peer, &size))
		return "a socket that is not connected";
	return NULL;
}

/*
 * What else it is, in words. A file of FUSE or NFS asks its server for its attributes, for as long as
 * that likes, unless it is told to say what it knows.
 */
static const char *other_kind(int fd)
{
	struct statx status;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status))
		return "an object that tells nothing about itself";
	return file_kind(status.stx_mode);
}

static const char *fault(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return "not open";
	if (flags & O_PATH)
		return "open as a path only (O_PATH)";
	if (option(fd, SO_TYPE) >= 0)
		return socket_fault(fd);
	if (fcntl(fd, F_GETPIPE_SZ) < 0)
		return other_kind(fd);
	if ((flags & O_ACCMODE) == O_RDONLY)
		return "the reading end of a pipe";
	return NULL;
}

int descriptor_check(int fd, char *why, size_t size)
{
	const char *what = fault(fd);

	if (!what)
		return 0;
	snprintf(
	    why, size,
	    "the descriptor is %s; pass the writing end of a pipe or a connected Unix stream "
	    "socket",
	    what);
	return -EINVAL;
}
