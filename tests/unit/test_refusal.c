/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/log.h"
#include "daemon/refusal.h"
#include "daemon/wallclock.h"

#define MINUTE_NS 60000000000ULL

static uint64_t now = 7 * MINUTE_NS;
static unsigned lines;
static char last[LOG_LINE_BYTES];

uint64_t __wrap_wallclock_monotonic(void);
void __wrap_log_line(int priority, const char *line);

uint64_t __wrap_wallclock_monotonic(void)
{
	return now;
}

void __wrap_log_line(int priority, const char *line)
{
	lines++;
	snprintf(last, sizeof(last), "%s", line);
}

static const struct peer peer = { .uid = 1000, .pid = 5, .comm = "nc" };

static void test_line(void **state)
{
	refusal_log(&peer, "NoSuchSession", "id", "there is none");
	assert_string_equal(last, "call of uid 1000 refused: NoSuchSession: there is none");
	refusal_log_session(&peer, 12, "Failed", "", "");
	assert_string_equal(last, "session 12 of uid 1000 refused: Failed");
	assert_int_equal(lines, 2);
}

/* So many a minute, and those that were not logged are counted in the next line. */
static void test_budget(void **state)
{
	now += MINUTE_NS;
	lines = 0;
	for (int i = 0; i < REFUSAL_LINES + 17; i++)
		refusal_log(&peer, "NoSuchSession", "id", "none");
	assert_int_equal(lines, REFUSAL_LINES);
	now += MINUTE_NS;
	refusal_log(&peer, "NoSuchSession", "id", "none");
	assert_string_equal(last, "call of uid 1000 refused: NoSuchSession: none (and 17 not logged before)");
	refusal_log(&peer, "NoSuchSession", "id", "none");
	assert_string_equal(last, "call of uid 1000 refused: NoSuchSession: none");
	assert_int_equal(lines, REFUSAL_LINES + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
