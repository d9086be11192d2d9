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

#include "duration.h"

static void what_is_typed(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{"1ns", 1},           {"250us", 250000},     {"1ms", 1000000},     {"2s", 2000000000},
		{"1.5ms", 1500000},   {"0.25us", 250},       {"0.001us", 1},       {"1.000000001s", 1000000001},
		{"1.0ns", 1},         {"0s", 0},             {"10s", 10000000000}, {"0.0000000010s", 1},
	};
	static const char *const bad[] = {
		"", "1", "ms", "1m", "1 ms", " 1ms", "-1ms", "+1ms", "1ms ", "1e3ms", "1.ms", ".5ms", "1.5ns",
		"0.0001us", "1..5ms", "1.5.5ms", "1.2", "0x10ms", "10.000000001s", "11s", "18446744073709551616ns",
		"18446744074s", "1000000000000000000000s", "1MS",
	};
	uint64_t ns;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!duration_parse(good[i].text, 10000000000, &ns) || ns != good[i].ns)
			fail_msg("\"%s\" is refused, or wrong", good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (duration_parse(bad[i], 10000000000, &ns))
			fail_msg("\"%s\" is taken", bad[i]);
	}
}

static void what_is_shown(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} shown[] = {
		{0, "0 ns"},
		{999, "999 ns"},
		{1000, "1.00 us"},
		{9994, "9.99 us"},
		{9996, "10.0 us"},
		{99960, "100 us"},
		{65536, "65.5 us"},
		{999499, "999 us"},
		{999500, "1.00 ms"},
		{1048576, "1.05 ms"},
		{999500000, "1.00 s"},
		{99999000000000, "99999 s"},
		{UINT64_MAX, "213504 d"},
	};
	char text[DURATION_TEXT];

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		assert_string_equal(duration_format(shown[i].ns, " ", text), shown[i].text);
	assert_string_equal(duration_format(1500, "", text), "1.50us");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_typed),
		cmocka_unit_test(what_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
