/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "jsoncomments.h"

/* A copy of the exact size, so that ASan sees a read behind the end. */
static char *copy_of(const char *text)
{
	return memcpy(malloc(strlen(text) + !*text), text, strlen(text));
}

static void check_blanked(const char *text, const char *expected)
{
	char *copy = copy_of(text);
	size_t at = 0;

	assert_int_equal(strlen(text), strlen(expected));
	assert_int_equal(jsoncomments_blank(copy, strlen(text), &at), 0);
	if (memcmp(copy, expected, strlen(text)))
		fail_msg("%s became %.*s", text, (int)strlen(text), copy);
	free(copy);
}

static void check_endless(const char *text, size_t where)
{
	char *copy = copy_of(text);
	size_t at = 0;

	assert_int_equal(jsoncomments_blank(copy, strlen(text), &at), -EINVAL);
	assert_int_equal(at, where);
	free(copy);
}

static void test_comments_become_spaces(void **state)
{
	check_blanked("", "");
	check_blanked("{\"a\":1}", "{\"a\":1}");
	check_blanked("{ // x\n}", "{     \n}");
	check_blanked("{} // x", "{}     ");
	check_blanked("//", "  ");
	check_blanked("{/* a\nb */}", "{    \n    }");
	check_blanked("/**/{}/***/", "    {}     ");
	check_blanked("/*/ */{}", "      {}");
	check_blanked("// /* x\n{}", "       \n{}");
	check_blanked("/* // */{}", "        {}");
	check_blanked("/* \"*/{}", "      {}");
}

static void test_strings_stay(void **state)
{
	check_blanked("\"// x\"", "\"// x\"");
	check_blanked("\"/* x */\"//", "\"/* x */\"  ");
	check_blanked("\"\\\"// x\"", "\"\\\"// x\"");
	check_blanked("\"\\\\\"// x", "\"\\\\\"    ");
	check_blanked("\"// no end", "\"// no end");
	check_blanked("\"\\", "\"\\");
}

/* The parser refuses these. */
static void test_what_is_no_comment_stays(void **state)
{
	check_blanked("/", "/");
	check_blanked("/ /", "/ /");
	check_blanked("# x", "# x");
	check_blanked("*/", "*/");
}

static void test_comments_without_end(void **state)
{
	check_endless("/*", 0);
	check_endless("{} /* x *", 3);
	check_endless("/*/", 0);
	check_endless("// x\n/* x", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comments_become_spaces),
		cmocka_unit_test(test_strings_stay),
		cmocka_unit_test(test_what_is_no_comment_stays),
		cmocka_unit_test(test_comments_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
