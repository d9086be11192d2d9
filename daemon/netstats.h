/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel itself counts as lost, with or without kfree_skb(): devices, softnet queues, qdiscs
 * and protocols, in one network namespace: the daemon's, or one that it is given. Read when asked for only, which
 * takes some milliseconds; for the worker.
 */
#ifndef NETSTATS_H
#define NETSTATS_H

#include <json-c/json.h>

#include "daemon/netcounter.h"

/* Where counters are read: of another network namespace than the daemon's, if it is given one. */
struct netstats_source {
	const char *proc_net; /* a directory such as /proc/net */
	int route;            /* a socket of NETLINK_ROUTE (netlinkdump.h), or -1 */
};

#define NETSTATS_OWN_SOURCE { .proc_net = "/proc/net", .route = -1 }

/* The counters at one moment, and where they come from. All zero: none. */
struct netstats {
	struct netcounter_list list;
	struct netstats_source source;
};

/*
 * Reads all of them; source is copied, and what it names must stay. What cannot be read is left out and its layer
 * marked as partial, and the first time that this happens it is logged. 0, or -ENOMEM: then there are none, and all
 * layers are partial.
 */
int netstats_read(struct netstats *stats, const struct netstats_source *source);
/* Gives back the memory. Takes NULL, and what is all zero. */
void netstats_clear(struct netstats *stats);
/*
 * Reads again from there: an array of LayerCounter objects, for those that are not 0 now: what was counted after
 * baseline first, most first. Bytes of names that are not printable ASCII are \xNN. NULL: no memory.
 */
struct json_object *netstats_json(const struct netstats *baseline);

#endif
