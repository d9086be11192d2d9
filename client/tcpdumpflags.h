/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of -t: tcpdump's flags. Only those that change how a packet is printed are let through
 * to tcpdump; flags that read, write or run something, or choose packets, are refused with a
 * sentence, since netcapctl has its own options for what is meant.
 */
#ifndef TCPDUMPFLAGS_H
#define TCPDUMPFLAGS_H

#include <stddef.h>
#include "stamp.h"

#define TCPDUMPFLAGS_MAX 32 /* words */

struct tcpdumpflags {
	const char *words[TCPDUMPFLAGS_MAX + 1]; /* for tcpdump, ended by NULL; into store */
	char *store;                             /* owned */
	struct stamp stamp;                      /* -t, -#, --nano: what netcapctl does itself */
};

/*
 * Splits text on blanks ('...' and "..." keep them) and checks each flag. 0; -EINVAL with a
 * sentence in why; or -ENOMEM. The result is for tcpdumpflags_clear() in each case.
 */
int tcpdumpflags_parse(struct tcpdumpflags *f, const char *text, char *why, size_t size);
void tcpdumpflags_clear(struct tcpdumpflags *f);

#endif
