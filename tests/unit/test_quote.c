/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "quote.h"

static void check(const char *text, size_t len, const char *expected)
{
	struct quote q;

	assert_ptr_equal(quote_text(&q, text, len), q.text);
	assert_string_equal(q.text, expected);
}

static void test_plain(void **state)
{
	check("", 0, "\"\"");
	check("udp port 53", 11, "\"udp port 53\"");
}

/* Nothing of a stranger's reaches a terminal or the journal as it is. */
static void test_escapes(void **state)
{
	check("a\"b", 3, "\"a\\x22b\"");
	check("a\\b", 3, "\"a\\x5cb\"");
	check("\n<3>x", 5, "\"\\x0a<3>x\"");
	check("\033[31m", 5, "\"\\x1b[31m\"");
	check("\xc3\xa4", 2, "\"\\xc3\\xa4\"");
	check("a\0b", 3, "\"a\\x00b\"");
}

static void test_long(void **state)
{
	char text[1000], expected[QUOTE_SHOWN + sizeof("\"...\"")];
	struct quote q;

	memset(text, 'a', sizeof(text));
	memset(expected, 'a', sizeof(expected));
	expected[0] = '"';
	strcpy(expected + 1 + QUOTE_SHOWN, "...\"");
	check(text, sizeof(text), expected);
	memset(text, 1, sizeof(text)); /* each byte becomes four */
	quote_text(&q, text, sizeof(text));
	assert_true(strlen(q.text) < sizeof(q.text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
