/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/janitor.h"

#define LOCK_TRIES     100
#define LOCK_TRY_EVERY 20 /* ms */

/* Both may be moved to these numbers, and all others be closed. */
#define CHILD_PIPE      3
#define CHILD_DIRECTORY 4

int janitor_lock(int directory)
{
	const struct timespec pause = {.tv_nsec = LOCK_TRY_EVERY * 1000000L};

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(directory, LOCK_EX | LOCK_NB))
			return 0;
		nanosleep(&pause, NULL);
	}
	return -EAGAIN;
}

int janitor_identify(int directory, const char *name, struct janitor_file *file)
{
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW))
		return -errno;
	*file = (struct janitor_file){status.st_dev, status.st_ino};
	return 0;
}

static void clean(int directory, const char *passing, const char *name,
		  const struct janitor_file *file)
{
	struct janitor_file now;

	/* without the lock, too: better a small race than a socket that nobody serves */
	janitor_lock(directory);
	unlinkat(directory, passing, 0);
	if (file->ino && !janitor_identify(directory, name, &now) && now.dev == file->dev &&
	    now.ino == file->ino)
		unlinkat(directory, name, 0);
}

/* A descriptor of its own, so that the daemon's lock is not held by its janitor. */
static int reopen(int directory)
{
	return openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Only what is async-signal-safe or harmless in a process without threads. */
static _Noreturn void work(int pipe_end, int directory, const char *passing, const char *name)
{
	struct janitor_file file = {}, told;
	ssize_t n;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	prctl(PR_SET_NAME, "netcapd-janitor", 0, 0, 0);
	directory = reopen(directory);
	if (directory < 0)
		_exit(EXIT_FAILURE);
	/* out of the way of the numbers below */
	pipe_end = fcntl(pipe_end, F_DUPFD, CHILD_DIRECTORY + 1);
	directory = fcntl(directory, F_DUPFD, CHILD_DIRECTORY + 1);
	if (dup2(pipe_end, CHILD_PIPE) < 0 || dup2(directory, CHILD_DIRECTORY) < 0)
		_exit(EXIT_FAILURE);
	close_range(CHILD_DIRECTORY + 1, ~0U, 0);
	close_range(0, CHILD_PIPE - 1, 0);
	for (;;) {
		n = read(CHILD_PIPE, &told, sizeof(told));
		if (n == (ssize_t)sizeof(told))
			file = told;
		else if (n >= 0 || errno != EINTR)
			break;
	}
	clean(CHILD_DIRECTORY, passing, name, &file);
	_exit(EXIT_SUCCESS);
}

int janitor_start(struct janitor *j, int directory, const char *passing, const char *name)
{
	int ends[2], r;

	*j = (struct janitor){.pipe = -1};
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	j->pid = fork();
	if (!j->pid)
		work(ends[0], directory, passing, name);
	r = j->pid < 0 ? -errno : 0;
	close(ends[0]);
	if (r) {
		close(ends[1]);
		j->pid = 0;
	} else {
		j->pipe = ends[1];
	}
	return r;
}

int janitor_tell(const struct janitor *j, const struct janitor_file *file)
{
	/* less than PIPE_BUF: all or nothing */
	return write(j->pipe, file, sizeof(*file)) < 0 ? -errno : 0;
}

void janitor_end(struct janitor *j)
{
	int status;

	if (j->pipe >= 0)
		close(j->pipe);
	j->pipe = -1;
	while (j->pid && waitpid(j->pid, &status, 0) < 0 && errno == EINTR)
		;
	j->pid = 0;
}
