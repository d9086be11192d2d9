/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/listener.h"

#define SOCKET_MODE    0660
#define DIRECTORY_MODE 0755

/* Where a socket is being set up. */
struct opening {
	const char *path;
	char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char passing_path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char *why;
	size_t size;
};

static int split_path(struct listener *l, struct opening *o)
{
	const char *slash = strrchr(o->path, '/');
	const char *name = slash ? slash + 1 : o->path;
	size_t len = slash ? (size_t)(slash - o->path) : 0;
	int n;

	if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
		snprintf(o->why, o->size,
			 "the socket path \"%s\" does not end in the name of a file", o->path);
		return -EINVAL;
	}
	snprintf(l->passing, sizeof(l->passing), ".netcapd-%d", (int)getpid());
	n = snprintf(o->passing_path, sizeof(o->passing_path), "%.*s%s%s", (int)len, o->path,
		     slash ? "/" : "", l->passing);
	if (n >= (int)sizeof(o->passing_path) || strlen(o->path) >= sizeof(o->passing_path)) {
		snprintf(o->why, o->size,
			 "the socket path %s is too long: a Unix socket takes about 90 bytes",
			 o->path);
		return -ENAMETOOLONG;
	}
	snprintf(l->name, sizeof(l->name), "%s", name);
	snprintf(o->directory, sizeof(o->directory), "%.*s", (int)len, o->path);
	if (!len)
		snprintf(o->directory, sizeof(o->directory), slash ? "/" : ".");
	return 0;
}

static int open_directory(struct listener *l, const struct opening *o)
{
	int r;

	if (mkdir(o->directory, DIRECTORY_MODE) && errno != EEXIST) {
		r = -errno;
		snprintf(o->why, o->size, "the directory %s cannot be made: %s", o->directory,
			 strerror(-r));
		return r;
	}
	l->folder = open(o->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->folder < 0) {
		r = -errno;
		snprintf(o->why, o->size, "the directory %s cannot be opened: %s", o->directory,
			 strerror(-r));
		return r;
	}
	r = janitor_lock(l->folder);
	if (r)
		snprintf(
		    o->why, o->size,
		    "another program keeps the directory %s locked; end it (fuser %s finds it)",
		    o->directory, o->directory);
	return r;
}

/* What connecting to it says: 0, or negative errno. */
static int knock(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 ? -errno : 0;

	strcpy(address.sun_path, path);
	if (!r && connect(fd, (struct sockaddr *)&address, sizeof(address)))
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

/* Is the place free, or taken by what a dead daemon left? Under the lock. */
static int check_place(const struct listener *l, const struct opening *o)
{
	struct stat status;
	int r;

	if (fstatat(l->folder, l->name, &status, AT_SYMLINK_NOFOLLOW)) {
		r = errno == ENOENT ? 0 : -errno;
		snprintf(o->why, o->size, "%s cannot be looked at: %s", o->path, strerror(-r));
		return r;
	}
	if (!S_ISSOCK(status.st_mode)) {
		snprintf(o->why, o->size,
			 "%s exists and is no socket; remove it or give another --socket", o->path);
		return -EEXIST;
	}
	r = knock(o->path);
	if (r == -ECONNREFUSED || r == -ENOENT)
		return 0;
	if (!r || r == -EAGAIN)
		snprintf(o->why, o->size,
			 "another netcapd is already listening at %s; stop it or give another "
			 "--socket",
			 o->path);
	else
		snprintf(o->why, o->size,
			 "%s is the socket of another program (%s); give another --socket", o->path,
			 strerror(-r));
	return -EADDRINUSE;
}

static int make_socket(struct listener *l, const struct opening *o, gid_t group)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct janitor_file file;
	int r;

	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -errno;
	strcpy(address.sun_path, o->passing_path);
	if (unlinkat(l->folder, l->passing, 0) && errno != ENOENT)
		return -errno;
	if (bind(l->fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	if ((group != (gid_t)-1 && fchownat(l->folder, l->passing, -1, group, 0)) ||
	    fchmodat(l->folder, l->passing, SOCKET_MODE, 0) || listen(l->fd, SOMAXCONN))
		return -errno;
	r = janitor_identify(l->folder, l->passing, &file);
	return r ?: janitor_tell(&l->janitor, &file);
}

static int set_up(struct listener *l, const struct opening *o, gid_t group)
{
	int r = janitor_start(&l->janitor, l->folder, l->passing, l->name);

	if (!r)
		r = make_socket(l, o, group);
	if (r)
		snprintf(o->why, o->size, "no socket can be made at %s: %s", o->path, strerror(-r));
	return r;
}

int listener_open(struct listener *l, const char *path, gid_t group, char *why, size_t size)
{
	struct opening o = {.path = path, .why = why, .size = size};
	int r;

	*l = (struct listener)LISTENER_NONE;
	r = split_path(l, &o);
	if (!r)
		r = open_directory(l, &o);
	if (!r)
		r = check_place(l, &o);
	if (!r)
		r = set_up(l, &o, group);
	if (r)
		listener_close(l);
	return r;
}

static void unlock(struct listener *l)
{
	if (l->folder >= 0)
		close(l->folder);
	l->folder = -1;
}

int listener_publish(struct listener *l)
{
	int r = renameat(l->folder, l->passing, l->folder, l->name) ? -errno : 0;

	unlock(l);
	return r;
}

void listener_close(struct listener *l)
{
	/* the janitor needs the lock */
	unlock(l);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	janitor_end(&l->janitor);
}
