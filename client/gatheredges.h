/* SPDX-License-Identifier: BSD-2-Clause */
/* The edges of a Gathering object, checked and in order. */
#ifndef GATHEREDGES_H
#define GATHEREDGES_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#define GATHEREDGES_BARS 64

/* Counts of packets, times in nanoseconds. */
struct gatheredge {
	const char *from, *to; /* the object's */
	uint64_t count, min, p50, p90, p99, max;
	uint64_t bars[GATHEREDGES_BARS]; /* [n]: that took from 2^n up to twice that; [0]: or less */
	bool drawn;    /* with a histogram */
	size_t order;  /* where its trace points stand in the session */
	size_t number; /* where it stands in the object */
};

struct gatheredges {
	struct gatheredge *edges; /* owned */
	size_t count;
	struct gatheredge whole;  /* of the whole way, which has no names */
	bool has_whole;
};

/* Reads them, in the order of the session's trace points; odd ones are as if not there. 0 or -ENOMEM. */
int gatheredges_read(struct gatheredges *e, struct json_object *gathering);
/* Marks so many edges, those with the most packets, as drawn. */
void gatheredges_draw(struct gatheredges *e, size_t histograms);
void gatheredges_clear(struct gatheredges *e);

#endif
