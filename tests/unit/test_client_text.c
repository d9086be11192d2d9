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

#include "text.h"

static void numbers_are_read_whole(void **state)
{
	uint64_t n = 0;

	assert_true(text_number("0", 10, false, &n));
	assert_int_equal(n, 0);
	assert_true(text_number("0x1F", 255, false, &n));
	assert_int_equal(n, 31);
	assert_true(text_number("18446744073709551615", UINT64_MAX, false, &n));
	assert_true(n == UINT64_MAX);
	assert_true(text_number("4M", UINT64_MAX, true, &n));
	assert_int_equal(n, 4 << 20);
	assert_true(text_number("3k", UINT64_MAX, true, &n));
	assert_int_equal(n, 3072);
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = {"",   "-1", "+1",  " 1", "1 ", "0x", "x", "1f", "a",
					  "1K", "11", "0xg", "18446744073709551616"};
	uint64_t n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_number(bad[i], 10, false, &n));
	assert_false(text_number("4MM", UINT64_MAX, true, &n));
	assert_false(text_number("17179869184G", UINT64_MAX, true, &n));
}

static void terminals_get_no_control_characters(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	text_print_safe(out, "a\033[31m\x9b\x7f\n\tb");
	fclose(out);
	assert_string_equal(text, "a\\x1b[31m\\x9b\\x7f\\x0a\\x09b");
	free(text);
}

static void assert_wrapped(const char *in, unsigned width, const char *expected)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	text_print_wrapped(out, in, 4, width);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void lines_are_broken_at_blanks(void **state)
{
	assert_wrapped("one two three", 0, "one two three\n");
	assert_wrapped("one two three", 11, "one two\n    three\n");
	assert_wrapped("one two three", 10, "one\n    two\n    three\n");
	assert_wrapped("one seventeen x", 8, "one\n    seventeen\n    x\n");
	assert_wrapped(" a\033  b ", 20, "a\\x1b b\n");
	assert_wrapped("", 20, "\n");
}

static void assert_utf8(const char *in, const char *expected)
{
	char *out = text_utf8(in);

	assert_string_equal(out, expected);
	free(out);
}

static void json_gets_valid_utf8(void **state)
{
	assert_utf8("nc", "nc");
	assert_utf8("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_utf8("a\xff" "b", "a?b");
	assert_utf8("\xc3", "?");                 /* cut off */
	assert_utf8("\xc0\x80", "??");            /* overlong */
	assert_utf8("\xe0\x80\x80", "???");
	assert_utf8("\xed\xa0\x80", "???");       /* surrogate */
	assert_utf8("\xf4\x90\x80\x80", "????");  /* beyond U+10FFFF */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_whole),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(terminals_get_no_control_characters),
		cmocka_unit_test(lines_are_broken_at_blanks),
		cmocka_unit_test(json_gets_valid_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
