/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session's trace points in user space: found by the client, in the files of the process or program that --pid or --binary
 * names, and lent to the daemon. Then an eye on the process.
 */
#ifndef USERSPACE_H
#define USERSPACE_H

#include "connection.h"
#include "limit.h"
#include "options.h"

/* What makes sense with trace points in user space, and what only then. An exit code; the sentence is printed. */
int userspace_check(const struct options *o);

struct userspace {
	struct {
		char *path; /* owned; as the process sees it */
		int fd;     /* owned */
	} binaries[LIMIT_BINARIES];
	size_t count;
	int pidfd;        /* owned; readable once the process has ended; -1: there is none to look at (any more) */
	bool is_all;      /* all trace points of the session are in that process */
	uint64_t program; /* inode number of what it executes */
	char layout[256]; /* where the layout of mbufs is from; "": nobody needs it */
};

/*
 * Finds those of o's trace points that are in user space, and fills the spec's sites, target and mbuf by them. An exit code;
 * the sentence is printed. userspace_clear() is due in any case.
 */
int userspace_find(struct userspace *u, struct options *o);
/* Lends the files, before Start. An exit code; the sentence is printed. */
int userspace_lend(const struct userspace *u, struct connection *c);
/* What became of the process since it was last asked. Prints a sentence if it is not what it was. False: nothing is left to trace. */
bool userspace_watch(struct userspace *u, const struct options *o);
void userspace_clear(struct userspace *u);

#endif
