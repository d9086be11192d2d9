/* SPDX-License-Identifier: BSD-2-Clause */
/* A child process gives up what it does not need, before it looks at what strangers sent. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdint.h>

#define CONFINE_NOBODY 65534 /* user and group */

struct confine {
	uint64_t capabilities; /* that it keeps, as bits; of those that it has */
	uint64_t memory;       /* bytes of address space */
	int files;             /* descriptors */
	int cpu;               /* seconds of CPU time, 0: no limit here */
};

/*
 * fd becomes standard input; all other descriptors but standard output and error are closed. The process is nobody
 * where it was root, dies with its parent, and is in the sandbox (sandbox.h). 0 or negative errno: then it must end.
 */
int confine_enter(int fd, const struct confine *c);

#endif
