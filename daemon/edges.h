/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long packets took from one trace point to the next: for each way between two that a packet took, a distribution.
 */
#ifndef EDGES_H
#define EDGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "bpf/record.h"

#define EDGES_MOST  1024 /* ways that are kept apart */
#define EDGES_SHOWN 24   /* in JSON, so that a report fits a message */
#define EDGES_WHOLE UINT16_MAX /* from and to of a packet's whole way */

struct edges;

struct edges *edges_new(void); /* NULL: out of memory */
void edges_free(struct edges *e);
/* Packets took so many nanoseconds. */
void edges_add(struct edges *e, uint16_t from, uint16_t to, uint64_t ns);
/* What the kernel counted in one bucket (netcap_bucket()). */
void edges_add_bucket(struct edges *e, uint16_t from, uint16_t to, uint32_t bucket, const struct netcap_edge *sum);
/* Forgets all. */
void edges_clear(struct edges *e);
/* How long all but so many thousandths of the packets took at most, in nanoseconds; for tests. 0: there is none. */
uint64_t edges_percentile(const struct edges *e, uint16_t from, uint16_t to, unsigned permille);
/*
 * Adds the members edges and other, and whole if there is one, of the interface file's type Gathering. names: of the
 * trace points. False: out of memory.
 */
bool edges_to_json(const struct edges *e, const char *const *names, struct json_object *to);

#endif
