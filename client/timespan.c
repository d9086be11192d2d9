/* SPDX-License-Identifier: BSD-2-Clause */
#include "timespan.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DAY (24 * 60 * 60) /* seconds */

static bool parse_age(const char *text, int64_t now, int64_t *at)
{
	static const struct {
		char letter;
		unsigned seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 60 * 60}, {'d', DAY}};
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	for (size_t i = 0; !errno && i < sizeof(units) / sizeof(units[0]); i++) {
		if (*end != units[i].letter || end[1])
			continue;
		if (n > (uint64_t)(now / TIMESPAN_SECOND / units[i].seconds))
			return false;
		*at = now - (int64_t)n * units[i].seconds * TIMESPAN_SECOND;
		return true;
	}
	return false;
}

/* mktime() makes another time of one that there is not, such as 24:30 or an hour left out in spring. */
static bool local_time(struct tm tm, time_t *seconds)
{
	struct tm made = tm;

	made.tm_isdst = -1;
	*seconds = mktime(&made);
	return *seconds >= 0 && made.tm_hour == tm.tm_hour && made.tm_min == tm.tm_min;
}

/* All of text by one of the formats. */
static bool parse_format(const char *text, const char *format, const char *longer, struct tm *tm)
{
	struct tm start = *tm;
	const char *end = strptime(text, longer, tm);

	if (end && !*end)
		return true;
	*tm = start;
	end = strptime(text, format, tm);
	return end && !*end;
}

static bool parse_clock(const char *text, int64_t now, int64_t *at)
{
	time_t seconds = (time_t)(now / TIMESPAN_SECOND);
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return false;
	tm.tm_sec = 0;
	if (!parse_format(text, "%H:%M", "%H:%M:%S", &tm))
		return false;
	for (int days = 0; days < 3; days++, tm.tm_mday--) {
		if (!local_time(tm, &seconds) || seconds > now / TIMESPAN_SECOND)
			continue;
		*at = seconds * TIMESPAN_SECOND;
		return true;
	}
	return false;
}

static bool parse_date(const char *text, int64_t *at)
{
	struct tm tm = {0}, day;
	time_t seconds;

	if (!parse_format(text, "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", &tm) ||
	    !local_time(tm, &seconds) || !localtime_r(&seconds, &day) || day.tm_mday != tm.tm_mday)
		return false;
	*at = seconds * TIMESPAN_SECOND;
	return true;
}

bool timespan_parse(const char *text, int64_t now, int64_t *at)
{
	return parse_age(text, now, at) || parse_clock(text, now, at) || parse_date(text, at);
}

void timespan_clock(int64_t at, int64_t now, bool seconds, char *text, size_t size)
{
	time_t then = (time_t)(at / TIMESPAN_SECOND), present = (time_t)(now / TIMESPAN_SECOND);
	struct tm tm, today;
	size_t n = 0;

	text[0] = '\0';
	if (!localtime_r(&then, &tm) || !localtime_r(&present, &today))
		return;
	if (tm.tm_year != today.tm_year || tm.tm_yday != today.tm_yday)
		n = then < present && present - then < 6 * DAY ? strftime(text, size, "%a ", &tm) :
								 strftime(text, size, "%Y-%m-%d ", &tm);
	if (seconds)
		strftime(text + n, size - n, "%H:%M:%S", &tm);
	else
		strftime(text + n, size - n, "%H:%M", &tm);
}

void timespan_ago(int64_t at, int64_t now, char *text, size_t size)
{
	/* another clock's idea of now may be a little behind */
	int64_t age = at < now ? (now - at) / TIMESPAN_SECOND : 0;

	if (age < 60)
		snprintf(text, size, "%" PRId64 " s ago", age);
	else
		timespan_clock(at, now, false, text, size);
}
