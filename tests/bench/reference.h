/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The record of the reference capture, as long as netcapd's for a packet of 129 to 192 bytes. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <linux/types.h>

#define REFERENCE_RING_BYTES (4 * 1024 * 1024) /* netcapd's default */

struct reference_record {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 skb;
	__u32 len;
	__u32 ifindex;
	__u32 pid;
	__u32 tid;
	char comm[16];
	__u8 data[256];
};

_Static_assert(sizeof(struct reference_record) == 304, "reference_record: layout");

#endif
