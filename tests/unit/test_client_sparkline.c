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

#include "sparkline.h"

static void assert_bars(const uint64_t *values, size_t count, size_t columns, bool utf8,
			const char *expected)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	sparkline_print(out, values, count, columns, utf8);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void bars_are_as_high_as_their_part_of_the_highest(void **state)
{
	static const uint64_t values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

	assert_bars(values, 9, 9, true, " ▁▂▃▄▅▆▇█");
	assert_bars(values, 9, 9, false, " .:-=+*#@");
}

static void columns_are_sums(void **state)
{
	static const uint64_t values[] = {1, 0, 0, 0, 2, 2};

	assert_bars(values, 6, 3, true, "▂ █");
	assert_bars(values, 6, 1, true, "█");
}

static void nothing_is_blank(void **state)
{
	static const uint64_t values[4];

	assert_bars(values, 4, 4, true, "    ");
	assert_bars(values, 4, 2, false, "  ");
}

static void one_packet_beside_a_flood_is_seen(void **state)
{
	static const uint64_t values[] = {1, 0, 1000000000, 500000001};

	assert_bars(values, 4, 4, true, "▁ █▅");
}

static void the_greatest_numbers_fit(void **state)
{
	static const uint64_t values[] = {UINT64_MAX, UINT64_MAX, UINT64_MAX / 2, 1};

	assert_bars(values, 4, 2, true, "█▂");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bars_are_as_high_as_their_part_of_the_highest),
		cmocka_unit_test(columns_are_sums),
		cmocka_unit_test(nothing_is_blank),
		cmocka_unit_test(one_packet_beside_a_flood_is_seen),
		cmocka_unit_test(the_greatest_numbers_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
