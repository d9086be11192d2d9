/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of the journal with a message id and fields. Where standard error is not the journal's, an entry is one line
 * there, as all that log.h writes: nothing is logged twice.
 *
 * An entry is sent without waiting. When journald does not read and its queue is full, the entry is lost, and the next
 * one that gets through says in NETCAP_JOURNAL_LOST how many were.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_ENTRY_BYTES 8192

/* The kinds of entries, each with an id and a text in systemd/netcapd.catalog. */
enum journal_message {
	JOURNAL_SERVICE_STARTED,
	JOURNAL_SERVICE_STOPPED,
	JOURNAL_CONFIG_READ,      /* anew, while the service runs */
	JOURNAL_CONFIG_REFUSED,   /* the one before stays in force */
	JOURNAL_SESSION_STARTED,
	JOURNAL_SESSION_ENDED,
	JOURNAL_REFUSED,          /* a session or another call */
	JOURNAL_STALLED,          /* a session's first packet is lost because its client does not read */
	JOURNAL_STALL_ENDED,      /* that session has ended */
	JOURNAL_DROP_SEEN,        /* the first packet dropped for a reason at a place */
	JOURNAL_DROP_SUMMARY,     /* how many were dropped there lately */
	JOURNAL_DROPS_SUPPRESSED, /* how many are in no entry */
};

/* An entry as it is made, in the journal's own format. */
struct journal_entry {
	int priority;
	size_t len;
	char bytes[JOURNAL_ENTRY_BYTES];
};

/* Begins an entry; priority: of syslog(3). */
void journal_begin(struct journal_entry *e, enum journal_message message, int priority);
/*
 * Adds a field. name: a literal of capital letters and "_". value: any text of strangers, or NULL or "": no field. One
 * that does not fit any more is left out.
 */
void journal_text(struct journal_entry *e, const char *name, const char *value);
void journal_number(struct journal_entry *e, const char *name, uint64_t value);
/* Sends it with a line for people. Never waits. Does nothing where log_wants() does not want it. */
__attribute__((format(printf, 2, 3))) void journal_send(struct journal_entry *e, const char *format, ...);

#endif
