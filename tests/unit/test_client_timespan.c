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
#include "timespan.h"

#define NOW 1764053103000000LL /* Tue 2025-11-25 06:45:03 UTC */
#define S   TIMESPAN_SECOND
#define HOUR (3600 * S)
#define DAY  (24 * HOUR)

static int64_t read_at(const char *text, int64_t now)
{
	int64_t at = -1;

	if (!timespan_parse(text, now, &at))
		fail_msg("\"%s\" was refused", text);
	return at;
}

static void use_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static int in_utc(void **state)
{
	use_zone("UTC");
	return 0;
}

static void ages_are_before_now(void **state)
{
	assert_int_equal(read_at("0s", NOW), NOW);
	assert_int_equal(read_at("90s", NOW), NOW - 90 * S);
	assert_int_equal(read_at("15m", NOW), NOW - 15 * 60 * S);
	assert_int_equal(read_at("2h", NOW), NOW - 2 * HOUR);
	assert_int_equal(read_at("3d", NOW), NOW - 3 * DAY);
}

static void a_time_of_day_is_the_last_one(void **state)
{
	int64_t midnight = NOW - NOW % DAY;

	assert_int_equal(read_at("03:00", NOW), midnight + 3 * HOUR);
	assert_int_equal(read_at("03:00:30", NOW), midnight + 3 * HOUR + 30 * S);
	assert_int_equal(read_at("06:45:03", NOW), NOW);
	assert_int_equal(read_at("06:45:04", NOW), NOW + S - DAY);
	assert_int_equal(read_at("23:59", NOW), midnight - 60 * S);
}

static void the_day_before_the_first_is_of_the_last_month(void **state)
{
	int64_t first = read_at("2025-03-01 02:00", NOW);

	assert_int_equal(read_at("23:00", first), read_at("2025-02-28 23:00", NOW));
}

static void dates_are_taken_as_they_are(void **state)
{
	assert_int_equal(read_at("2025-11-25 06:45:03", NOW), NOW);
	assert_int_equal(read_at("2025-11-25 06:45", NOW), NOW - 3 * S);
	assert_int_equal(read_at("2025-11-26 06:45:03", NOW), NOW + DAY);
	assert_int_equal(read_at("2024-02-29 00:00", NOW), 1709164800 * S);
}

static void times_are_local(void **state)
{
	use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(read_at("2025-07-01 12:00", NOW), 1751364000 * S); /* 10:00 UTC */
	assert_int_equal(read_at("07:45", NOW), NOW - 3 * S);
}

/* In the night to 2025-03-30, 02:30 was left out: the last one was the day before. */
static void hours_that_were_left_out_are_no_times(void **state)
{
	int64_t at, noon;

	use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	noon = read_at("2025-03-30 12:00", NOW);
	assert_int_equal(read_at("02:30", noon), read_at("2025-03-29 02:30", NOW));
	assert_false(timespan_parse("2025-03-30 02:30", NOW, &at));
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "2", "h", "2w", "2hh", "-2h", "+2h", " 2h", "2 h", "1.5h", "99999999999d",
		"99999999999999999999s", "3", "24:00", "03:60", "03:00:60", "03:00x", "03:00:30.5",
		"yesterday", "2025-11-25", "2025-02-30 03:00", "2025-13-01 03:00", "2025-11-25 24:00",
		"2025-11-25 03:00 x", "0x10s",
	};
	int64_t at;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (timespan_parse(bad[i], NOW, &at))
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void assert_clock(int64_t at, bool seconds, const char *expected)
{
	char text[32];

	timespan_clock(at, NOW, seconds, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void times_say_as_much_as_is_needed(void **state)
{
	assert_clock(NOW, false, "06:45");
	assert_clock(NOW, true, "06:45:03");
	assert_clock(NOW - 6 * HOUR, false, "00:45");
	assert_clock(NOW - 7 * HOUR, false, "Mon 23:45");
	assert_clock(NOW - 5 * DAY, true, "Thu 06:45:03");
	assert_clock(NOW - 6 * DAY, false, "2025-11-19 06:45");
	assert_clock(NOW + DAY, true, "2025-11-26 06:45:03");
}

static void assert_ago(int64_t at, const char *expected)
{
	char text[32];

	timespan_ago(at, NOW, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void seconds_are_counted_for_a_minute(void **state)
{
	assert_ago(NOW + 5 * S, "0 s ago");
	assert_ago(NOW - 3 * S - 1, "3 s ago");
	assert_ago(NOW - 59 * S, "59 s ago");
	assert_ago(NOW - 60 * S, "06:44");
	assert_ago(NOW - DAY, "Mon 06:45");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ages_are_before_now, in_utc),
		cmocka_unit_test_setup(a_time_of_day_is_the_last_one, in_utc),
		cmocka_unit_test_setup(the_day_before_the_first_is_of_the_last_month, in_utc),
		cmocka_unit_test_setup(dates_are_taken_as_they_are, in_utc),
		cmocka_unit_test_setup(times_are_local, in_utc),
		cmocka_unit_test_setup(hours_that_were_left_out_are_no_times, in_utc),
		cmocka_unit_test_setup(what_is_no_time_is_refused, in_utc),
		cmocka_unit_test_setup(times_say_as_much_as_is_needed, in_utc),
		cmocka_unit_test_setup(seconds_are_counted_for_a_minute, in_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
