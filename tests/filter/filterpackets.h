/* SPDX-License-Identifier: BSD-2-Clause */
/* Random packets of every kind that tcpdump expressions name, whole and cut, and pure noise. */
#ifndef FILTERPACKETS_H
#define FILTERPACKETS_H

#include "tests/filter/filterrand.h"

#define FILTERPACKETS_MAX 2048 /* bytes */

/* Writes an Ethernet frame to bytes (FILTERPACKETS_MAX) and returns its length, which may be 0. */
uint32_t filterpackets_make(struct filterrand *r, uint8_t *bytes);

#endif
