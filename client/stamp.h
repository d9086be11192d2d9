/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands before a packet's own text: its number and its time, in the styles of tcpdump's -#
 * and -t. netcapctl writes them itself because packets of different link types go to different
 * tcpdumps: each would count, and take differences, among its own packets only.
 */
#ifndef STAMP_H
#define STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stamp_style { /* the number of -t flags */
	STAMP_CLOCK = 0,      /* 15:04:05.123456 */
	STAMP_NONE = 1,
	STAMP_EPOCH = 2,      /* 1136214245.123456 */
	STAMP_DELTA = 3,      /* since the packet before */
	STAMP_DATE = 4,       /* 2006-01-02 15:04:05.123456 */
	STAMP_FROM_FIRST = 5, /* since the first packet */
};

struct stamp {
	enum stamp_style style;
	bool number;        /* -# */
	bool nano;          /* nine digits, else six */
	uint64_t packets;   /* stamped so far */
	uint64_t reference; /* nanoseconds: what differences are taken from */
};

/*
 * Writes the prefix of the next packet into text (size >= 64 bytes), with a blank at its end unless
 * it is empty. time_ns: since 1970. Returns its length.
 */
size_t stamp_next(struct stamp *s, uint64_t time_ns, char *text, size_t size);
/* RFC 3339 in UTC with nine digits: 2006-01-02T15:04:05.123456789Z. size >= 40. */
void stamp_rfc3339(uint64_t time_ns, char *text, size_t size);

#endif
