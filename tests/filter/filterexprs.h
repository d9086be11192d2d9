/* SPDX-License-Identifier: BSD-2-Clause */
/* tcpdump expressions: every primitive of pcap-filter(7), and random combinations. */
#ifndef FILTEREXPRS_H
#define FILTEREXPRS_H

#include "tests/filter/filterrand.h"

/* Those that make a filter; ended by NULL. */
extern const char *const filterexprs[];

/*
 * Primitives that no filter is made of: they ask for what only packet sockets or other link types
 * have, need a loop, or the netmask of a device. Ended by NULL.
 */
extern const char *const filterexprs_refused[];

/* A random expression of filterexprs[] and arithmetic, in text (size bytes). */
void filterexprs_make(struct filterrand *r, char *text, size_t size);

#endif
