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

#include <net/if.h>
#include <sys/stat.h>
#include "netns.h"

static void without_a_name_it_is_ones_own(void **state)
{
	struct netns n;
	struct stat st;

	assert_int_equal(netns_find(&n, NULL), 0);
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	assert_int_equal(n.inode, st.st_ino);
	assert_true(n.fd >= 0);
	netns_clear(&n);
	assert_int_equal(n.fd, -1);
}

static void a_path_and_a_number_find_the_same(void **state)
{
	struct netns by_path, by_number;
	char number[32];

	assert_int_equal(netns_find(&by_path, "/proc/self/ns/net"), 0);
	snprintf(number, sizeof(number), "%u", by_path.inode);
	assert_int_equal(netns_find(&by_number, number), 0);
	assert_int_equal(by_number.inode, by_path.inode);
	assert_true(by_number.fd >= 0); /* found among the processes */
	netns_clear(&by_path);
	netns_clear(&by_number);
}

static void a_number_that_nobody_has_is_taken_as_given(void **state)
{
	struct netns n;
	char name[IF_NAMESIZE];

	assert_int_equal(netns_find(&n, "1"), 0);
	assert_int_equal(n.inode, 1);
	assert_int_equal(n.fd, -1);
	assert_int_equal(netns_check_device(&n, "any0", name), 0);
	assert_string_equal(name, "any0");
	netns_clear(&n);
}

static void what_is_no_network_namespace_is_refused(void **state)
{
	static const char *const bad[] = {"no-such-namespace", "/etc/passwd", "/proc/self/ns/pid",
					  "/nonexistent/ns", "0", "4294967296", ""};
	struct netns n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(netns_find(&n, bad[i]), -1);
}

static void devices_are_looked_up(void **state)
{
	char name[IF_NAMESIZE];
	struct netns n;

	assert_int_equal(netns_find(&n, NULL), 0);
	assert_int_equal(netns_check_device(&n, "lo", name), 0);
	assert_string_equal(name, "lo");
	assert_int_equal(netns_check_device(&n, "no-such-dev", name), -1);
	netns_clear(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_name_it_is_ones_own),
		cmocka_unit_test(a_path_and_a_number_find_the_same),
		cmocka_unit_test(a_number_that_nobody_has_is_taken_as_given),
		cmocka_unit_test(what_is_no_network_namespace_is_refused),
		cmocka_unit_test(devices_are_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
