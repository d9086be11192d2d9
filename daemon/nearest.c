/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "daemon/nearest.h"

#define NAME_BYTES 255

unsigned nearest_distance(const char *a, const char *b)
{
	unsigned row[NAME_BYTES + 1];
	size_t n = strnlen(b, NAME_BYTES);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] && i <= NAME_BYTES; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			unsigned change = diagonal + (a[i - 1] != b[j - 1]);
			unsigned gap = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = change < gap ? change : gap;
		}
	}
	return row[n];
}

void nearest_init(struct nearest *n, size_t most)
{
	memset(n, 0, sizeof(*n));
	n->most = most < NEAREST_MOST ? most : NEAREST_MOST;
}

void nearest_offer_at(struct nearest *n, unsigned distance, const char *name)
{
	size_t at = n->count;

	while (at > 0 && n->distances[at - 1] > distance)
		at--;
	if (at >= n->most)
		return;
	memmove(&n->distances[at + 1], &n->distances[at], (n->count - at) * sizeof(*n->distances));
	memmove(&n->names[at + 1], &n->names[at], (n->count - at) * sizeof(*n->names));
	n->distances[at] = distance;
	n->names[at] = name;
	if (n->count < n->most)
		n->count++;
}

void nearest_offer(struct nearest *n, const char *wanted, const char *name)
{
	nearest_offer_at(n, nearest_distance(wanted, name), name);
}
