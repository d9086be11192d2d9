/* SPDX-License-Identifier: BSD-2-Clause */
#include "stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define SECOND 1000000000ULL

static size_t clock_text(time_t seconds, bool date, char *text, size_t size)
{
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return 0;
	return date ? strftime(text, size, "%Y-%m-%d %H:%M:%S", &tm) :
		      strftime(text, size, "%H:%M:%S", &tm);
}

/* tcpdump shows differences as a time of day; longer ones here just have more hours. */
static size_t delta_text(uint64_t from, uint64_t to, uint64_t *fraction, char *text, size_t size)
{
	uint64_t ns = to >= from ? to - from : from - to;
	uint64_t seconds = ns / SECOND;

	*fraction = ns % SECOND;
	return (size_t)snprintf(text, size, "%c%02" PRIu64 ":%02u:%02u", to >= from ? ' ' : '-',
				seconds / 3600, (unsigned)(seconds / 60 % 60),
				(unsigned)(seconds % 60));
}

static size_t time_text(struct stamp *s, uint64_t time_ns, char *text, size_t size)
{
	uint64_t fraction = time_ns % SECOND;
	size_t n = 0;

	switch (s->style) {
	case STAMP_NONE:
		return 0;
	case STAMP_CLOCK:
	case STAMP_DATE:
		n = clock_text((time_t)(time_ns / SECOND), s->style == STAMP_DATE, text, size);
		break;
	case STAMP_EPOCH:
		n = (size_t)snprintf(text, size, "%" PRIu64, (uint64_t)(time_ns / SECOND));
		break;
	case STAMP_DELTA:
	case STAMP_FROM_FIRST:
		n = delta_text(s->packets ? s->reference : time_ns, time_ns, &fraction, text, size);
		if (s->style == STAMP_DELTA || !s->packets)
			s->reference = time_ns;
		break;
	}
	n += (size_t)snprintf(text + n, size - n, s->nano ? ".%09u " : ".%06u ",
			      (unsigned)(s->nano ? fraction : fraction / 1000));
	return n;
}

size_t stamp_next(struct stamp *s, uint64_t time_ns, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	if (s->number)
		n = (size_t)snprintf(text, size, "%5" PRIu64 "  ", s->packets + 1);
	n += time_text(s, time_ns, text + n, size - n);
	s->packets++;
	return n;
}

void stamp_rfc3339(uint64_t time_ns, char *text, size_t size)
{
	time_t seconds = (time_t)(time_ns / SECOND);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, size - n, ".%09uZ", (unsigned)(time_ns % SECOND));
}
