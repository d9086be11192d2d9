/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets that systemd passes to the service (sd_listen_fds(3)), in any order. -1: there is none. */
#ifndef ACTIVATION_H
#define ACTIVATION_H

struct activation {
	int control; /* a listening Unix stream socket */
	int metrics; /* the one named "metrics" (FileDescriptorName=), which listens, too */
	int route;   /* of NETLINK_ROUTE, for the counters of the network namespace that it was made in */
};

#define ACTIVATION_NONE { -1, -1, -1 }

/* Takes what there is, which may be nothing. 0; -EINVAL: something is of no use, logged. */
int activation_take(struct activation *a);

#endif
