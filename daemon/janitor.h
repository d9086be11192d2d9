/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tiny process that removes the daemon's socket file when the daemon dies, by whatever means. It
 * waits for the end of a pipe whose other end only the daemon has.
 */
#ifndef JANITOR_H
#define JANITOR_H

#include <stdbool.h>
#include <sys/types.h>

struct janitor {
	pid_t pid; /* 0: none */
	int pipe;  /* the daemon's end, or -1; close-on-exec */
};

/* A socket file by its identity, since another daemon may have put its own in its place. */
struct janitor_file {
	dev_t dev;
	ino_t ino; /* 0: there is none yet */
};

/*
 * Starts the process, before there are threads. It is to remove, in directory (a descriptor), the
 * file passing if there is one, and the file name if it is the one of the last janitor_tell(). The
 * names must not be longer than NAME_MAX. 0 or negative errno.
 */
int janitor_start(struct janitor *j, int directory, const char *passing, const char *name);
/* 0 or negative errno. */
int janitor_tell(const struct janitor *j, const struct janitor_file *file);
/* Has it done its work and waits for its end. Takes one that was never started (all zero, pipe -1).
 */
void janitor_end(struct janitor *j);

/*
 * Takes the lock under which socket files in a directory come and go: waits up to two seconds for
 * it. 0 or -EAGAIN. It ends when the descriptor, and those made from it by fork(), are closed.
 */
int janitor_lock(int directory);
/* Identity of the file name in directory. 0 or negative errno. */
int janitor_identify(int directory, const char *name, struct janitor_file *file);

#endif
