/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "usertext.h"

static void expect(const char *text, const char *color, const char *printed)
{
	char *bytes = NULL;
	size_t size;
	FILE *out = open_memstream(&bytes, &size);

	usertext_print(out, text, color);
	fclose(out);
	assert_string_equal(bytes, printed);
	free(bytes);
}

static void test_print(void **state)
{
	expect("a:0x12345678;b:1000;x1:'M'", NULL, "    {a: 0x12345678; b: 1000; x1: M; }\n");
	expect("in.a[0]:-1;name:'a\\x3bb\\x27'", NULL, "    {in.a[0]: -1; name: a;b'; }\n");
	expect("x:'\\x1b[2J'", NULL, "    {x: \\x1b[2J; }\n"); /* no control sequence */
	expect("a:1", "\033[32m", "    \033[32m{a: 1; }\033[0m\n");
	expect("", NULL, "    {}\n");
	expect("nothing", NULL, "    {}\n");
	expect("a:;b:'", NULL, "    {a: ; b: '; }\n");
}

static void test_next(void **state)
{
	struct usertext t = { .rest = "a:'5';b:5" };

	assert_true(usertext_next(&t));
	assert_true(t.quoted);
	assert_string_equal(t.name, "a");
	assert_string_equal(t.value, "5");
	assert_true(usertext_next(&t));
	assert_false(t.quoted);
	assert_false(usertext_next(&t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
