/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "utf8.h"

static void check(const char *text, size_t expected)
{
	assert_int_equal(utf8_length(text, strlen(text)), expected);
}

static void test_characters(void **state)
{
	assert_int_equal(utf8_length("", 1), 1); /* NUL is one */
	check("\x7f", 1);
	check("\xc2\x80", 2);
	check("\xdf\xbf", 2);
	check("\xe0\xa0\x80", 3);
	check("\xed\x9f\xbf", 3);
	check("\xee\x80\x80", 3);
	check("\xef\xbf\xbf", 3);
	check("\xf0\x90\x80\x80", 4);
	check("\xf4\x8f\xbf\xbf", 4);
	check("\xc3\xa4x", 2); /* only the first */
}

/* RFC 3629: one form for each character, none for surrogates or beyond U+10FFFF. */
static void test_none(void **state)
{
	static const char *const texts[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3x",
		"\xe2\x82x", "\xf0\x9f\x98x",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		check(texts[i], 0);
}

static void test_cut_off(void **state)
{
	for (size_t left = 1; left < 4; left++)
		assert_int_equal(utf8_length("\xf0\x9f\x98\x80", left), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
