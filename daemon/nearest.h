/* SPDX-License-Identifier: BSD-2-Clause */
/* "Did you mean ...?": the names that come closest to one that does not exist. */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

#define NEAREST_MOST 8

struct nearest {
	size_t most, count;
	unsigned distances[NEAREST_MOST + 1];
	const char *names[NEAREST_MOST + 1]; /* best first; not owned */
};

/* most: at most NEAREST_MOST. */
void nearest_init(struct nearest *n, size_t most);
/* Keeps name if it is among the closest to wanted so far. */
void nearest_offer(struct nearest *n, const char *wanted, const char *name);
/* Keeps name with a distance that the caller knows. */
void nearest_offer_at(struct nearest *n, unsigned distance, const char *name);
/* Letters to insert, leave out or change between two names (Levenshtein). */
unsigned nearest_distance(const char *a, const char *b);

#endif
