/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "daemon/closer.h"
#include "daemon/lent.h"

int lent_add(struct lent *l, int fd)
{
	if (l->count == LIMIT_BINARIES) {
		closer_close(fd);
		return -ENFILE;
	}
	l->fds[l->count] = fd;
	return l->count++;
}

void lent_clear(struct lent *l)
{
	while (l && l->count)
		closer_close(l->fds[--l->count]);
}

void lent_move(struct lent *l, struct lent *from)
{
	lent_clear(l);
	if (!from)
		return;
	*l = *from;
	from->count = 0;
}
