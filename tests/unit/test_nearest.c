/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/nearest.h"

static void test_distance(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} cases[] = {
		{ "", "", 0 },		       { "", "abc", 3 },	{ "abc", "", 3 },
		{ "kitten", "sitting", 3 },    { "kfree_skb", "kfre_skb", 1 },
		{ "kfree_skb", "kfree_skb", 0 }, { "ab", "ba", 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(nearest_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(nearest_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
}

/* Longer than any symbol: cut, not overrun. */
static void test_long(void **state)
{
	char a[1000], b[1000];

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	a[999] = b[999] = 0;
	assert_true(nearest_distance(a, b) <= 255);
	assert_true(nearest_distance(a, "") <= 999);
}

static void test_order(void **state)
{
	static const char *const names[] = { "tcp_rcv", "icmp_rcv", "icmpv6_rcv", "icmp_rcvv",
					     "ip_rcv", "icmp_reply" };
	struct nearest n;

	nearest_init(&n, 3);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		nearest_offer(&n, "icmp_rcv", names[i]);
	assert_int_equal(n.count, 3);
	assert_string_equal(n.names[0], "icmp_rcv");
	assert_string_equal(n.names[1], "icmp_rcvv");
	assert_string_equal(n.names[2], "tcp_rcv"); /* 2 letters, as icmpv6_rcv and ip_rcv, but first */
	for (size_t i = 1; i < n.count; i++)
		assert_true(n.distances[i - 1] <= n.distances[i]);
}

static void test_bounds(void **state)
{
	struct nearest n;

	nearest_init(&n, 100);
	assert_int_equal(n.most, NEAREST_MOST);
	for (int i = 0; i < 100; i++)
		nearest_offer_at(&n, 100 - i, "x");
	assert_int_equal(n.count, NEAREST_MOST);
	assert_int_equal(n.distances[0], 1);
	nearest_init(&n, 0);
	nearest_offer(&n, "a", "a");
	assert_int_equal(n.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
