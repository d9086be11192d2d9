/* SPDX-License-Identifier: BSD-2-Clause */
/* Times in the past, as they are typed and as they are shown. All are microseconds since 1970. */
#ifndef TIMESPAN_H
#define TIMESPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMESPAN_SECOND 1000000LL
/* For sentences that refuse something else. */
#define TIMESPAN_FORMS \
	"a time before now (90s, 15m, 2h, 3d), a time of day (03:00, 03:00:30) or a date with it " \
	"(2026-11-25 03:00)"

/*
 * Reads text as one of these forms, in local time; of a time of day the last one up to now. False:
 * it is none, or before 1970. A date may lie after now.
 */
bool timespan_parse(const char *text, int64_t now, int64_t *at);
/*
 * "02:14"; of another day "Mon 02:14"; of one six days or longer ago, or to come,
 * "2026-11-25 02:14". With seconds, ":09" after it. size >= 32 bytes.
 */
void timespan_clock(int64_t at, int64_t now, bool seconds, char *text, size_t size);
/* "3 s ago" within the last minute, else as timespan_clock() without seconds. size >= 32 bytes. */
void timespan_ago(int64_t at, int64_t now, char *text, size_t size);

#endif
