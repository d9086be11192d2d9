/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon itself takes. */
#ifndef SELFUSAGE_H
#define SELFUSAGE_H

#include <stdint.h>

struct selfusage {
	uint64_t cpu; /* nanoseconds, of all its threads, in user space and in the kernel */
	uint64_t resident; /* bytes */
	uint64_t descriptors; /* that are open */
};

/* Bytes of memory; 0: not known. */
uint64_t selfusage_resident(void);
/* What cannot be read is 0. */
void selfusage_read(struct selfusage *u);

#endif
