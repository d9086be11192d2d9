/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel means by the reason that it gives for a dropped packet, and what to look at next.
 * The names are those of Linux 5.17 to 7.x, also those that later kernels renamed.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stddef.h>

struct explain_entry {
	const char *reason;  /* as the kernel's enumerator, without SKB_DROP_REASON_ */
	const char *meaning; /* sentences, at most 200 bytes */
	const char *next;    /* the same */
};

/* Entries of one subsystem, sorted by strcmp() of reason. A subsystem may have several tables. */
struct explain_table {
	const char *subsystem;
	const struct explain_entry *entries;
	size_t count;
};

/*
 * What became of the packet, and in which place of the stack: sentences of at most 200 bytes, static,
 * or NULL if the reason is not known. subsystem: "core", or the kernel's subsystem in small letters,
 * such as "openvswitch", "mac80211_unusable" or "qdisc". reason: the kernel's enumerator without
 * SKB_DROP_REASON_, such as "NO_SOCKET" or "OVS_DROP_METER".
 */
const char *explain_meaning(const char *subsystem, const char *reason);
/* The command, counter or setting to look at now. DEV, DST and the like stand for the packet's. */
const char *explain_next(const char *subsystem, const char *reason);
/* How many reasons are known. */
size_t explain_count(void);
/* Table number i, from 0; NULL after the last one. */
const struct explain_table *explain_table(size_t i);

/* Where the texts are; explain.c finds them. */
extern const struct explain_table reasons_core;
extern const struct explain_table reasons_sockets;
extern const struct explain_table reasons_mac80211_monitor;
extern const struct explain_table reasons_mac80211_unusable;
extern const struct explain_table reasons_openvswitch;
extern const struct explain_table reasons_qdisc;

#endif
