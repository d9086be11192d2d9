/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel itself counts as lost, with or without kfree_skb(): devices, softnet queues, qdiscs
 * and protocols, in the network namespace of the daemon. Read when asked for only, which takes some
 * milliseconds; for the worker.
 */
#ifndef NETSTATS_H
#define NETSTATS_H

#include <json-c/json.h>

#include "daemon/netcounter.h"

/* The counters at one moment. All zero: none. */
struct netstats {
	struct netcounter_list list;
};

/*
 * Reads all of them. What cannot be read is left out and its layer marked as partial, and the first
 * time that this happens it is logged. 0, or -ENOMEM: then there are none, and all layers are
 * partial.
 */
int netstats_read(struct netstats *stats);
/* Gives back the memory. Takes NULL, and what is all zero. */
void netstats_clear(struct netstats *stats);
/*
 * An array of LayerCounter objects, for those that are not 0 now: what was counted after baseline
 * first, most first. Bytes of names that are not printable ASCII are \xNN. NULL: no memory.
 */
struct json_object *netstats_json(const struct netstats *baseline);

#endif
