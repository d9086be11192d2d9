/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters of lost packets in messages of rtnetlink. */
#ifndef NETLINKSTATS_H
#define NETLINKSTATS_H

#include <libmnl/libmnl.h>

#include "daemon/netcounter.h"

/* What the two below work on; neither is theirs. */
struct netlinkstats {
	struct netcounter_list *list;
	int names; /* any socket of the network namespace: devices' names are asked for by it */
};

/*
 * For netlinkdump_run(); arg is a struct netlinkstats. A message that is not what it should be is
 * counted as malformed and left out. Both return MNL_CB_OK.
 */

/* RTM_NEWSTATS with IFLA_STATS_LINK_64: what the device and its driver dropped, and why. */
int netlinkstats_device(const struct nlmsghdr *message, void *arg);
/* RTM_NEWQDISC: drops, overlimits and requeues of a qdisc; they count modulo 2^32. */
int netlinkstats_qdisc(const struct nlmsghdr *message, void *arg);

#endif
