/* SPDX-License-Identifier: BSD-2-Clause */
/* What all ways of a session's packets say together: where they were, where not, and how long it took. */
#ifndef GATHERSTAT_H
#define GATHERSTAT_H

#include <json-c/json.h>

#include "daemon/gather.h"
#include "daemon/maps.h"
#include "daemon/probe.h"

struct gatherstat;

/* For the session's trace points, which outlive it; JOURNEY_POINTS_MOST of them at most. NULL: out of memory. */
struct gatherstat *gatherstat_new(const struct probe_list *probes);
void gatherstat_free(struct gatherstat *s);
/* A way is over. */
void gatherstat_add(struct gatherstat *s, const struct gather_packet *p);
/*
 * Takes what the kernel has counted up to now, in place of what it had (histogram). Some microseconds for each entry.
 * 0 or negative errno.
 */
int gatherstat_read(struct gatherstat *s, const struct template_maps *maps);
/* As type Gathering of the interface file. NULL: out of memory. */
struct json_object *gatherstat_json(const struct gatherstat *s, const struct gather_counts *counts);

#endif
