/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What became of the packets of a session or of one trace point:
 *     hits = filtered + captured + lost_ring + lost_client + limited + in_flight
 * in_flight (in the ring or in the daemon's buffer) is 0 in the final report.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdint.h>
#include <json-c/json.h>

struct counters {
	uint64_t hits;        /* packets that reached the trace point */
	uint64_t filtered;    /* not asked for */
	uint64_t captured;    /* handed to the client */
	uint64_t lost_ring;   /* the ring was full */
	uint64_t lost_client; /* the client did not read fast enough */
	uint64_t limited;     /* after the count limit */
	uint64_t in_flight;   /* on the way */
	uint64_t missed;      /* beside hits: the kernel did not run the program (recursion) */
};

void counters_add(struct counters *sum, const struct counters *c);
/* Object with camelCase members, or NULL. */
struct json_object *counters_to_json(const struct counters *c);
/* 0 or -EINVAL: a member is missing or no number. Unknown members are skipped. */
int counters_from_json(struct counters *c, struct json_object *object);

#endif
