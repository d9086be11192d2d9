/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "daemon/wallclock.h"

static uint64_t real_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* The converted time lies between two readings of the clock that it is converted to. */
static void test_between(void **state)
{
	struct wallclock w = {};

	for (int i = 0; i < 1000; i++) {
		uint64_t before = real_now();
		uint64_t wall = wallclock_at(&w, wallclock_monotonic());
		uint64_t after = real_now();

		assert_in_range(wall, before - 10000, after + 10000); /* the clock may be slewed */
	}
}

/* Within one measurement, differences are kept to the nanosecond. */
static void test_differences(void **state)
{
	struct wallclock w = {};
	uint64_t now = wallclock_monotonic();
	uint64_t wall = wallclock_at(&w, now);

	assert_int_equal(wallclock_at(&w, now + 1), wall + 1);
	assert_int_equal(wallclock_at(&w, now - 12345), wall - 12345);
}

/* A record from more than a second after the measurement makes a new one. */
static void test_measures_again(void **state)
{
	struct wallclock w = {};
	uint64_t now = wallclock_monotonic();

	wallclock_at(&w, now);
	w.offset += 5000000000; /* as if the wall clock had been stepped since */
	w.measured = now - 2000000000;
	assert_in_range(wallclock_at(&w, now), real_now() - 1000000000, real_now());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_measures_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
