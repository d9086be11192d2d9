/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/netcounter.h"

/* Two lists, and what lies between. */
struct lists {
	struct netcounter_list before, now;
};

static int make(void **state)
{
	static struct lists lists;

	*state = &lists;
	return netcounter_list_init(&lists.before) || netcounter_list_init(&lists.now);
}

static int clear(void **state)
{
	struct lists *l = *state;

	netcounter_list_clear(&l->before);
	netcounter_list_clear(&l->now);
	return 0;
}

static void add(struct netcounter_list *list, enum netcounter_layer layer, int ifindex,
		const char *device, uint64_t instance, const char *name, uint64_t value)
{
	struct netcounter c = {
	    .layer = layer, .ifindex = ifindex, .instance = instance, .value = value};

	strcpy(c.device, device);
	strcpy(c.name, name);
	netcounter_add(list, &c);
}

static void finish(struct lists *l)
{
	netcounter_finish(&l->before);
	netcounter_finish(&l->now);
	netcounter_subtract(&l->now, &l->before);
	netcounter_merge(&l->now);
}

static void expect(const struct netcounter_list *list, size_t i, const char *device,
		   const char *name, uint64_t value, uint64_t since)
{
	assert_true(i < list->count);
	assert_string_equal(list->counters[i].device, device);
	assert_string_equal(list->counters[i].name, name);
	assert_int_equal(list->counters[i].value, value);
	assert_int_equal(list->counters[i].since, since);
}

static void test_since(void **state)
{
	struct lists *l = *state;

	add(&l->before, NETCOUNTER_PROTOCOL, 0, "", 0, "UdpNoPorts", 1000);
	add(&l->before, NETCOUNTER_DEVICE, 2, "eth0", 0, "rx_dropped", 7);
	add(&l->before, NETCOUNTER_DEVICE, 3, "eth1", 0, "rx_dropped", 7);
	add(&l->now, NETCOUNTER_PROTOCOL, 0, "", 0, "UdpNoPorts", 1000);
	add(&l->now, NETCOUNTER_PROTOCOL, 0, "", 0, "UdpInErrors", 5);
	/* renamed, and still the same */
	add(&l->now, NETCOUNTER_DEVICE, 2, "wan", 0, "rx_dropped", 30);
	/* another one of that name */
	add(&l->now, NETCOUNTER_DEVICE, 4, "eth1", 0, "rx_dropped", 9);
	finish(l);
	assert_int_equal(l->now.count, 4);
	expect(&l->now, 0, "wan", "rx_dropped", 30, 23);
	expect(&l->now, 1, "eth1", "rx_dropped", 9, 9);
	expect(&l->now, 2, "", "UdpInErrors", 5, 5);
	expect(&l->now, 3, "", "UdpNoPorts", 1000, 0);
}

/* A qdisc that was replaced counts from 0. */
static void test_began_anew(void **state)
{
	struct lists *l = *state;

	add(&l->before, NETCOUNTER_QDISC, 2, "eth0", 1ULL << 48, "tbf 1: drops", 100);
	add(&l->now, NETCOUNTER_QDISC, 2, "eth0", 1ULL << 48, "tbf 1: drops", 40);
	finish(l);
	expect(&l->now, 0, "eth0", "tbf 1: drops", 40, 40);
}

/* What a CPU that is offline had counted is not taken for what the others did. */
static void test_sum(void **state)
{
	struct lists *l = *state;

	add(&l->before, NETCOUNTER_SOFTNET, 0, "", 0, "dropped", 10);
	add(&l->before, NETCOUNTER_SOFTNET, 0, "", 1, "dropped", 500);
	add(&l->now, NETCOUNTER_SOFTNET, 0, "", 2, "dropped", 1);
	add(&l->now, NETCOUNTER_SOFTNET, 0, "", 0, "dropped", 13);
	finish(l);
	assert_int_equal(l->now.count, 1);
	expect(&l->now, 0, "", "dropped", 14, 4);
}

static void test_sum_ends_at_the_most(void **state)
{
	struct lists *l = *state;

	add(&l->now, NETCOUNTER_SOFTNET, 0, "", 0, "dropped", UINT64_MAX - 1);
	add(&l->now, NETCOUNTER_SOFTNET, 0, "", 1, "dropped", 3);
	finish(l);
	expect(&l->now, 0, "", "dropped", UINT64_MAX, UINT64_MAX);
}

static void test_order(void **state)
{
	struct lists *l = *state;

	add(&l->before, NETCOUNTER_PROTOCOL, 0, "", 0, "a", 7);
	add(&l->before, NETCOUNTER_PROTOCOL, 0, "", 0, "b", 8);
	add(&l->now, NETCOUNTER_PROTOCOL, 0, "", 0, "a", 9);
	add(&l->now, NETCOUNTER_PROTOCOL, 0, "", 0, "b", 10);
	add(&l->now, NETCOUNTER_QDISC, 1, "lo", 0, "c", 2);
	add(&l->now, NETCOUNTER_DEVICE, 1, "lo", 0, "c", 2);
	add(&l->now, NETCOUNTER_PROTOCOL, 0, "", 0, "d", 3);
	finish(l);
	expect(&l->now, 0, "", "d", 3, 3);
	expect(&l->now, 1, "", "b", 10, 2);
	expect(&l->now, 2, "", "a", 9, 2);
	expect(&l->now, 3, "lo", "c", 2, 2);
	assert_int_equal(l->now.counters[3].layer, NETCOUNTER_DEVICE);
	assert_int_equal(l->now.counters[4].layer, NETCOUNTER_QDISC);
}

static void test_zeros_are_left_out(void **state)
{
	struct lists *l = *state;

	add(&l->now, NETCOUNTER_PROTOCOL, 0, "", 0, "UdpNoPorts", 0);
	finish(l);
	assert_int_equal(l->now.count, 0);
	assert_int_equal(l->now.left_out, 0);
}

static void test_bound(void **state)
{
	struct lists *l = *state;

	for (int i = 1; i <= NETCOUNTER_MOST + 3; i++) {
		add(&l->before, NETCOUNTER_DEVICE, i, "eth0", 0, "rx_dropped", 10);
		add(&l->before, NETCOUNTER_DEVICE, i, "eth0", 0, "tx_dropped", 0);
	}
	assert_int_equal(l->before.count, NETCOUNTER_MOST);
	assert_int_equal(l->before.left_out, 3);
	assert_true(l->before.partial[NETCOUNTER_DEVICE]);
	assert_false(l->before.partial[NETCOUNTER_PROTOCOL]);
	/* one that was kept, one that was not, and one of a layer that is whole */
	add(&l->now, NETCOUNTER_DEVICE, 1, "eth0", 0, "rx_dropped", 11);
	add(&l->now, NETCOUNTER_DEVICE, NETCOUNTER_MOST + 1, "eth1", 0, "rx_dropped", 11);
	add(&l->now, NETCOUNTER_PROTOCOL, 0, "", 0, "UdpNoPorts", 11);
	finish(l);
	expect(&l->now, 0, "", "UdpNoPorts", 11, 11);
	expect(&l->now, 1, "eth0", "rx_dropped", 11, 1);
	expect(&l->now, 2, "eth1", "rx_dropped", 11, 0);
}

static void test_malformed(void **state)
{
	struct lists *l = *state;

	netcounter_malformed(&l->before, NETCOUNTER_SOFTNET);
	assert_int_equal(l->before.malformed, 1);
	add(&l->now, NETCOUNTER_SOFTNET, 0, "", 0, "dropped", 5);
	finish(l);
	expect(&l->now, 0, "", "dropped", 5, 0);
}

/* Destructors take NULL and what is half made; what is not there can be subtracted. */
static void test_nothing(void **state)
{
	struct lists *l = *state;
	struct netcounter_list none = {};

	add(&l->now, NETCOUNTER_PROTOCOL, 0, "", 0, "UdpNoPorts", 1);
	netcounter_finish(&l->now);
	netcounter_subtract(&l->now, &none);
	netcounter_merge(&l->now);
	expect(&l->now, 0, "", "UdpNoPorts", 1, 1);
	netcounter_list_clear(&none);
	netcounter_list_clear(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_since, make, clear),
	    cmocka_unit_test_setup_teardown(test_began_anew, make, clear),
	    cmocka_unit_test_setup_teardown(test_sum, make, clear),
	    cmocka_unit_test_setup_teardown(test_sum_ends_at_the_most, make, clear),
	    cmocka_unit_test_setup_teardown(test_order, make, clear),
	    cmocka_unit_test_setup_teardown(test_zeros_are_left_out, make, clear),
	    cmocka_unit_test_setup_teardown(test_bound, make, clear),
	    cmocka_unit_test_setup_teardown(test_malformed, make, clear),
	    cmocka_unit_test_setup_teardown(test_nothing, make, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
