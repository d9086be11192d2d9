/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of lost packets: bounded lists of them, and what was counted between two lists. */
#ifndef NETCOUNTER_H
#define NETCOUNTER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETCOUNTER_MOST       4096 /* counters in a list */
#define NETCOUNTER_NAME_BYTES 48   /* NUL included */

enum netcounter_layer {
	NETCOUNTER_DEVICE,   /* network devices and their drivers */
	NETCOUNTER_SOFTNET,  /* the queues of each CPU between drivers and protocols */
	NETCOUNTER_QDISC,    /* queueing disciplines */
	NETCOUNTER_PROTOCOL, /* IP, ICMP, TCP, UDP */
	NETCOUNTER_LAYERS
};

struct netcounter {
	enum netcounter_layer layer;
	int ifindex;           /* 0: of no device */
	uint64_t instance;     /* CPU; handle and parent of a qdisc: several have one name */
	char device[IFNAMSIZ]; /* "": of no device */
	char name[NETCOUNTER_NAME_BYTES]; /* "rx_dropped", "tbf 8001: drops", "UdpRcvbufErrors" */
	uint64_t value;                   /* packets, or events; what the kernel says */
	uint64_t since; /* of these, after an earlier list: netcounter_subtract() */
};

struct netcounter_list {
	struct netcounter *counters; /* none is 0 */
	size_t count;
	size_t left_out;  /* beyond NETCOUNTER_MOST */
	size_t malformed; /* texts and messages that are not what the kernel writes */
	bool partial[NETCOUNTER_LAYERS]; /* a counter that is missing here need not be 0 */
};

/* An empty list. 0 or -ENOMEM. */
int netcounter_list_init(struct netcounter_list *list);
/* Gives back the memory; the list is empty. Takes NULL, and a list that is all zero. */
void netcounter_list_clear(struct netcounter_list *list);
/* Adds a copy, unless its value is 0 or the list is full. */
void netcounter_add(struct netcounter_list *list, const struct netcounter *counter);
/* Something of this layer cannot be understood: counts it. */
void netcounter_malformed(struct netcounter_list *list, enum netcounter_layer layer);
/* No more are added: sorts the list for netcounter_subtract(), and gives back memory. */
void netcounter_finish(struct netcounter_list *list);
/*
 * Sets since: what was counted after before, a finished list. A counter that is less than it was
 * belongs to a device or qdisc that was made anew, so that all of it is since then. If before has
 * it not and is partial there, since is 0: nobody knows.
 */
void netcounter_subtract(struct netcounter_list *list, const struct netcounter_list *before);
/*
 * Adds up the counters of one layer, device and name, and sorts by since, then value, most first.
 * The list is finished no longer.
 */
void netcounter_merge(struct netcounter_list *list);
/* "device", "softnet", "qdisc" or "protocol". */
const char *netcounter_layer_name(enum netcounter_layer layer);

#endif
