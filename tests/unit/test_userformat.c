/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "userformat.h"

static void test_values(void **state)
{
	static const struct {
		const char *format;
		uint64_t value;
		unsigned bits;
		const char *text;
	} cases[] = {
		{ "0x%x", 0x12345678, 32, "0x12345678" },
		{ "%d", 0xff, 8, "-1" },
		{ "%u", 0xff, 8, "255" },
		{ "%x", ~0ull, 16, "ffff" }, /* only its own bits */
		{ "%d", 1ull << 63, 64, "-9223372036854775808" },
		{ "%lld us", 7, 64, "7 us" },
		{ "%08x", 0xab, 32, "000000ab" },
		{ "%-4d|", 7, 32, "7   |" },
		{ "%#x", 16, 32, "0x10" },
		{ "%i", 5, 32, "5" },
		{ "%c", 'M', 8, "M" },
		{ "port %d!", 80, 16, "port 80!" },
	};
	struct userformat f;
	char why[200], text[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(userformat_parse(cases[i].format, &f, why, sizeof(why)), 0);
		assert_int_equal(userformat_print(&f, cases[i].value, cases[i].bits, text, sizeof(text)),
				 strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
}

static void test_refusals(void **state)
{
	static const char *const formats[] = {
		"",	  "x",	  "%",
		"%s",	  "%n",	  "%d %d",
		"%%d",	  "%99d", "%\n",
		"%d\x1b", "%*d",  "%.3d",
		"%f",	  "%",	  "%d 0123456789012345678901234567890123456789012345678901234567890123456789"
	};
	struct userformat f;

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		char why[200] = "";

		assert_true(userformat_parse(formats[i], &f, why, sizeof(why)) < 0);
		assert_non_null(strstr(why, "the format \""));
	}
}

static void test_short_room(void **state)
{
	struct userformat f;
	char why[64], text[4];

	assert_int_equal(userformat_parse("%d", &f, why, sizeof(why)), 0);
	assert_int_equal(userformat_print(&f, 123456, 32, text, sizeof(text)), 3);
	assert_string_equal(text, "123");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_short_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
