/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of any bytes, as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/jsonmake.h"

static void check(const char *name, const char *due)
{
	struct json_object *o = json_object_new_object();

	assert_true(jsonmake_name(o, "device", name));
	assert_string_equal(json_object_get_string(json_object_object_get(o, "device")), due);
	json_object_put(o);
}

static void test_names(void **state)
{
	check("eth0.5", "eth0.5");
	check("", "");
	check("\xff", "\\xff");
	check("a\nb", "a\\x0ab");
	check("a\\b\x7f", "a\\x5cb\\x7f");
	check("\xc3\xa9th0", "\\xc3\\xa9th0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
