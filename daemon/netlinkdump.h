/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists that the kernel gives by rtnetlink: devices, qdiscs. */
#ifndef NETLINKDUMP_H
#define NETLINKDUMP_H

#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#define NETLINKDUMP_MILLISECONDS 1000 /* for a dump, and for each wait; it takes the kernel some */

/*
 * fd: a bound socket of NETLINK_ROUTE, which blocks and is used here only, by one thread at a time; or -1: one of its
 * own. Asks for a dump (RTM_GETSTATS and the like) with the family's header, of size bytes, behind that
 * of the message, and calls take() with each message of the answer. take() returns MNL_CB_OK, or
 * MNL_CB_STOP if it wants no more. 0, or negative errno, after some messages perhaps: -EINTR if the
 * list changed meanwhile, so that something may be missing or come twice, -ETIMEDOUT after
 * NETLINKDUMP_MILLISECONDS without an answer, or with one that does not end. It blocks for twice
 * that time at most.
 */
int netlinkdump_run(int fd, uint16_t type, const void *header, size_t size, mnl_cb_t take, void *arg);

#endif
