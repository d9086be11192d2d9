/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <time.h>
#include "stamp.h"

#define T0 1136214245123456789ULL /* 2006-01-02 15:04:05 UTC */

static void assert_next(struct stamp *s, uint64_t time_ns, const char *expected)
{
	char text[80];
	size_t n = stamp_next(s, time_ns, text, sizeof(text));

	assert_string_equal(text, expected);
	assert_int_equal(n, strlen(text));
}

static void each_style_looks_like_tcpdump(void **state)
{
	struct stamp s = {.style = STAMP_CLOCK};

	assert_next(&s, T0, "15:04:05.123456 ");
	s = (struct stamp){.style = STAMP_CLOCK, .nano = true};
	assert_next(&s, T0, "15:04:05.123456789 ");
	s = (struct stamp){.style = STAMP_NONE};
	assert_next(&s, T0, "");
	s = (struct stamp){.style = STAMP_EPOCH};
	assert_next(&s, T0, "1136214245.123456 ");
	s = (struct stamp){.style = STAMP_DATE, .number = true};
	assert_next(&s, T0, "    1  2006-01-02 15:04:05.123456 ");
	assert_next(&s, T0, "    2  2006-01-02 15:04:05.123456 ");
}

static void differences_are_from_the_packet_before(void **state)
{
	struct stamp s = {.style = STAMP_DELTA, .nano = true};

	assert_next(&s, T0, " 00:00:00.000000000 ");
	assert_next(&s, T0 + 3661000000001ULL, " 01:01:01.000000001 ");
	assert_next(&s, T0 + 3660000000001ULL, "-00:00:01.000000000 ");
}

static void differences_are_from_the_first_packet(void **state)
{
	struct stamp s = {.style = STAMP_FROM_FIRST};

	assert_next(&s, T0, " 00:00:00.000000 ");
	assert_next(&s, T0 + 1000000000, " 00:00:01.000000 ");
	assert_next(&s, T0 + 2000000000, " 00:00:02.000000 ");
	assert_next(&s, T0 - 1000, "-00:00:00.000001 ");
}

static void json_times_are_utc(void **state)
{
	char text[64];

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	stamp_rfc3339(T0, text, sizeof(text));
	assert_string_equal(text, "2006-01-02T15:04:05.123456789Z");
	setenv("TZ", "UTC", 1);
	tzset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_style_looks_like_tcpdump),
		cmocka_unit_test(differences_are_from_the_packet_before),
		cmocka_unit_test(differences_are_from_the_first_packet),
		cmocka_unit_test(json_times_are_utc),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
