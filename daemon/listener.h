/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's own listening socket, where systemd does not bring one. */
#ifndef LISTENER_H
#define LISTENER_H

#include <linux/limits.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/janitor.h"

struct listener {
	int fd; /* listening, non-blocking, or -1 */
	struct janitor janitor;
	int folder;              /* its directory, with the lock, until it is published; or -1 */
	char name[NAME_MAX + 1]; /* of the socket file */
	char passing[32];        /* its name until then: nobody sees a socket that nobody serves */
};

/*
 * Makes a socket for path, with mode 0660. group: who owns it beside the daemon's user; (gid_t)-1:
 * nobody. What a dead daemon left there will be replaced, a living one is respected. Forks the
 * janitor, so it comes before threads and BPF objects. 0, or negative errno with a sentence in why
 * (size bytes); *l is then closed.
 */
int listener_open(struct listener *l, const char *path, gid_t group, char *why, size_t size);
/* Puts the socket at its path: from now on callers find it. 0 or negative errno. */
int listener_publish(struct listener *l);
/* Removes the socket file. Takes LISTENER_NONE. */
void listener_close(struct listener *l);

#define LISTENER_NONE                                                                              \
	{                                                                                          \
		.fd = -1, .folder = -1, .janitor.pipe = -1                                         \
	}

#endif
