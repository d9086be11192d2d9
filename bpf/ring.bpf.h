/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The session's counters and its ring, and when a record in that wakes the daemon. */
#ifndef NETCAP_RING_BPF_H
#define NETCAP_RING_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "verifier.bpf.h"

/* Of the trace points, by their numbers in the session. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct netcap_counters);
} netcap_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} netcap_ring SEC(".maps");

/*
 * Wakes the daemon only if it sleeps: see daemon/ring.c for the other half. packets: how many the record
 * that was reserved counts for.
 */
static __always_inline __u64 wake_flags(__u64 packets)
{
	struct netcap_control *c = &netcap_control;

	/*
	 * The reservation must be visible before armed is read, or a daemon that is about to sleep and
	 * this program miss each other. The locked addition orders the two on x86-64.
	 */
	VERIFIER_OPAQUE(packets); /* for 0 clang would make another operation of it, new in Linux 5.12 */
	__sync_fetch_and_add(&c->taken, packets);
	if (!*(volatile __u32 *)&c->armed)
		return BPF_RB_NO_WAKEUP;
	*(volatile __u32 *)&c->armed = 0;
	__sync_fetch_and_add(&c->wakeups, 1);
	return BPF_RB_FORCE_WAKEUP;
}

#endif
