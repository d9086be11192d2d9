/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that a client lent by the method Lend: those whose functions its next session traces. Nobody has looked at them
 * yet. A file may be on a file system that a stranger serves, so nothing here may wait for one.
 */
#ifndef LENT_H
#define LENT_H

#include <stddef.h>

#include "limit.h"

struct lent {
	int fds[LIMIT_BINARIES]; /* owned */
	size_t count;
};

/* Takes fd over. Its number, or -ENFILE: there are LIMIT_BINARIES already (fd is closed). */
int lent_add(struct lent *l, int fd);
/* Moves all of from (NULL: none) to l, whose own are closed. */
void lent_move(struct lent *l, struct lent *from);
/* Closes all, now or some time later (closer.h). Takes NULL. */
void lent_clear(struct lent *l);

#endif
