/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which drops of packets get an entry in the log, and when: the first one of each reason, place and device at once,
 * then for each a summary per interval. No more than so many entries a minute are made, whatever is dropped; what is
 * in none of them is counted, and told too. So of all packets that are given and not ignored, each is in exactly one
 * summary or in one count of suppressed ones.
 *
 * It reads no clock and writes nowhere: the caller gives the time and takes the entries.
 */
#ifndef DROPLOG_H
#define DROPLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct droplog;

#define DROPLOG_KEYS_MOST 1024     /* of reason, location and device that are told apart */
#define DROPLOG_OTHERS    "OTHERS" /* the reason in summaries of all beyond that */

struct droplog_options {
	bool drops;                /* false: nothing is logged */
	unsigned interval_s;       /* seconds between two summaries, at least 1 */
	unsigned lines_per_minute; /* most entries in any 60 seconds */
	uint64_t threshold;        /* packets in an interval; fewer are only counted as suppressed */
	/*
	 * Patterns of fnmatch(3) against "REASON", "REASON@LOCATION" and "REASON@LOCATION@DEVICE"; what matches is not
	 * counted at all. Not owned; must outlive the log.
	 */
	const char *const *ignore;
	size_t ignore_count;
};

/* All on; 60 s, 60 entries, 1 packet, nothing ignored. */
#define DROPLOG_DEFAULTS { .drops = true, .interval_s = 60, .lines_per_minute = 60, .threshold = 1 }

/* One packet of those in a row. */
struct droplog_sample {
	const char *flow;  /* "10.0.0.1:5000 > 10.0.0.2:80 tcp"; "" or NULL: not known */
	const char *stack; /* top frames of the kernel stack, one a line; "" or NULL: none */
};

/* What was dropped since the last call, for one reason at one place. Texts may be NULL, which is "". */
struct droplog_row {
	const char *reason;    /* "NETFILTER_DROP" */
	const char *subsystem; /* "core" */
	const char *location;  /* "nf_hook_slow+0xa3" */
	const char *device;    /* "eth0" */
	uint64_t netns;        /* inode number of the device's, 0: not known */
	uint64_t packets;
	const struct droplog_sample *sample; /* NULL: none was kept */
};

enum droplog_kind { DROPLOG_SEEN, DROPLOG_SUMMARY, DROPLOG_SUPPRESSED };

/* An entry for the log. It and its texts are valid during the call only. */
struct droplog_entry {
	enum droplog_kind kind;
	/* of SEEN and SUMMARY; never NULL, and cut where they are very long */
	const char *reason, *subsystem, *location, *device;
	uint64_t netns;
	const struct droplog_sample *sample; /* of SEEN; NULL: none */
	/*
	 * Dropped: in this second (SEEN, whose packets are in a later summary too), in the time that is told of (SUMMARY),
	 * or in no other entry (SUPPRESSED).
	 */
	uint64_t packets;
	uint64_t total;   /* of SUMMARY: since it was first seen */
	double seconds;   /* of SUMMARY and SUPPRESSED: the time that is told of */
	uint64_t entries; /* of SUPPRESSED: that were not made */
};

typedef void (*droplog_send)(void *arg, const struct droplog_entry *e);

/* Times are in nanoseconds of any clock that does not go back. NULL: out of memory. */
struct droplog *droplog_new(const struct droplog_options *options, uint64_t now, droplog_send send, void *arg);
/*
 * Other options from now on, which begins with the summaries of what there is: nothing is lost between the two. 0, or
 * -ENOMEM: as many entries as before.
 */
int droplog_configure(struct droplog *d, const struct droplog_options *options, uint64_t now);
/* Takes NULL. What is not told yet is lost, but for droplog_end(). */
void droplog_free(struct droplog *d);
/* Takes rows, none or more, and sends what is due. */
void droplog_feed(struct droplog *d, uint64_t now, const struct droplog_row *rows, size_t count);
/* When it is to be called again even if nothing is dropped; 0: not before something is. */
uint64_t droplog_due(const struct droplog *d);
/*
 * Sends summaries of what is left, and then what is suppressed, for which it may make one entry more than a minute may
 * have: nothing follows.
 */
void droplog_end(struct droplog *d, uint64_t now);

#endif
