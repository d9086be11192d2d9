/* SPDX-License-Identifier: BSD-2-Clause */
/* The members of struct rte_mbuf as they are found one after another in type information. */
#ifndef MBUFMEMBERS_H
#define MBUFMEMBERS_H

#include <stdbool.h>
#include <stdint.h>
#include "mbuflayout.h"

#define MBUFMEMBERS_STRUCT "rte_mbuf"
#define MBUFMEMBERS_DEPTH  8 /* of structures and unions without a name in one another; DPDK has 4 */

struct mbufmembers {
	struct mbuf_layout layout;
	unsigned seen; /* a bit for each */
};

/* Keeps the offset, in bytes, if the name is one of those that are wanted; the first of that name counts. */
void mbufmembers_note(struct mbufmembers *m, const char *name, uint64_t offset);
bool mbufmembers_complete(const struct mbufmembers *m);

#endif
