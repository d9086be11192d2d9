/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/netproc.h"

static int make(void **state)
{
	static struct netcounter_list list;

	*state = &list;
	return netcounter_list_init(&list);
}

static int clear(void **state)
{
	netcounter_list_clear(*state);
	return 0;
}

static void parse_bytes(void (*parse)(FILE *, struct netcounter_list *), const char *bytes,
			size_t size, struct netcounter_list *list)
{
	FILE *file = fmemopen((char *)bytes, size, "r");

	assert_non_null(file);
	parse(file, list);
	fclose(file);
}

static void parse_text(void (*parse)(FILE *, struct netcounter_list *), const char *text,
		       struct netcounter_list *list)
{
	parse_bytes(parse, text, strlen(text), list);
}

static uint64_t value_of(const struct netcounter_list *list, const char *name, uint64_t instance)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->counters[i].name, name) && list->counters[i].instance == instance)
			return list->counters[i].value;
	return 0;
}

static void test_softnet(void **state)
{
	struct netcounter_list *list = *state;

	/* CPU 1 is offline */
	parse_text(netproc_softnet,
		   "06b1cbad 00000003 00000000 00000000 00000000 00000000 00000000 00000000 "
		   "00000000 00000000 00000002 00000000 00000000 00000000 00000000\n"
		   "036f5c6a ffffffff 0000001a 00000000 00000000 00000000 00000000 00000000 "
		   "00000000 00000000 00000000 00000000 00000002 00000000 00000000\n",
		   list);
	assert_int_equal(list->malformed, 0);
	assert_int_equal(list->count, 4);
	assert_int_equal(list->counters[0].layer, NETCOUNTER_SOFTNET);
	assert_int_equal(value_of(list, "dropped", 0), 3);
	assert_int_equal(value_of(list, "flow_limit", 0), 2);
	assert_int_equal(value_of(list, "dropped", 2), UINT32_MAX);
	assert_int_equal(value_of(list, "time_squeeze", 2), 0x1a);
}

/* Without the later columns, the line's number is the CPU; columns that are yet to come do no harm.
 */
static void test_softnet_of_other_kernels(void **state)
{
	struct netcounter_list *list = *state;

	parse_text(netproc_softnet, "1 0 0\n1 5 0\n", list);
	assert_int_equal(value_of(list, "dropped", 1), 5);
	parse_text(netproc_softnet, "1 6 0 0 0 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0 zz\n", list);
	assert_int_equal(value_of(list, "dropped", 9), 6);
	assert_int_equal(list->malformed, 0);
}

static void test_softnet_malformed(void **state)
{
	static const char *const lines[] = {
	    "", " ", "1", "1 2", "1 2 x", "1 -2 3", "1 0x2 3", "1 fffffffffffffffff 3", "1 2g 3",
	};
	struct netcounter_list *list = *state;
	char text[64];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "%s\n", lines[i]);
		parse_text(netproc_softnet, text, list);
		assert_int_equal(list->malformed, i + 1);
	}
	assert_int_equal(list->count, 0);
	/* a good one behind a bad one counts */
	parse_text(netproc_softnet, "x\n1 2 3\n", list);
	assert_int_equal(value_of(list, "dropped", 1), 2);
	assert_true(list->partial[NETCOUNTER_SOFTNET]);
}

static void test_tables(void **state)
{
	struct netcounter_list *list = *state;

	parse_text(netproc_tables,
		   "Tcp: RtoAlgorithm MaxConn InErrs InCsumErrors\n"
		   "Tcp: 1 -1 4 0\n"
		   "Udp: InDatagrams NoPorts InErrors RcvbufErrors New\n"
		   "Udp: 409 3240000 18446744073709551615 7 x\n"
		   "TcpExt: TCPOFODrop ListenDrops\n"
		   "TcpExt: 11 12\n",
		   list);
	assert_int_equal(list->malformed, 0);
	assert_int_equal(list->count, 6);
	assert_int_equal(list->counters[0].layer, NETCOUNTER_PROTOCOL);
	assert_int_equal(value_of(list, "TcpInErrs", 0), 4);
	assert_int_equal(value_of(list, "UdpNoPorts", 0), 3240000);
	assert_int_equal(value_of(list, "UdpInErrors", 0), UINT64_MAX);
	assert_int_equal(value_of(list, "UdpRcvbufErrors", 0), 7);
	assert_int_equal(value_of(list, "TcpExtTCPOFODrop", 0), 11);
	assert_int_equal(value_of(list, "TcpExtListenDrops", 0), 12);
}

/* What does not fit together gives no counter at all: it might be another's. */
static void test_tables_malformed(void **state)
{
	static const char *const texts[] = {
	    "Udp: NoPorts InErrors\nUdp: 1\n",
	    "Udp: NoPorts\nUdp: 1 2\n",
	    "Udp: NoPorts\nTcp: 1\n",
	    "Udp: NoPorts\n",
	    "Udp\nUdp\n1\n",
	    "NoPorts\n1\n",
	    ":\n:\n",
	    "\n\n",
	    "Udp: NoPorts\nUdp: -1\n",
	    "Udp: NoPorts\nUdp: 1x\n",
	    "Udp: NoPorts\nUdp: 18446744073709551616\n",
	    "Udp: NoPorts\nUdp: abc\n",
	    ": UdpNoPorts\nUdp: 1\n",
	};
	struct netcounter_list *list = *state;
	size_t before = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		parse_text(netproc_tables, texts[i], list);
		assert_true(list->malformed > before);
		assert_int_equal(list->count, 0);
		before = list->malformed;
	}
	assert_true(list->partial[NETCOUNTER_PROTOCOL]);
	parse_text(netproc_tables, "Udp: NoPorts InErrors\nUdp: x 2\n", list);
	assert_int_equal(value_of(list, "UdpInErrors", 0), 2);
}

static void test_pairs(void **state)
{
	struct netcounter_list *list = *state;

	parse_text(netproc_pairs,
		   "Ip6InReceives                   \t3\n"
		   "Ip6InHdrErrors                  \t5\n"
		   "Udp6NoPorts                     \t0\n"
		   "Udp6RcvbufErrors                \t6",
		   list);
	assert_int_equal(list->malformed, 0);
	assert_int_equal(list->count, 2);
	assert_int_equal(value_of(list, "Ip6InHdrErrors", 0), 5);
	assert_int_equal(value_of(list, "Udp6RcvbufErrors", 0), 6);
}

static void test_pairs_malformed(void **state)
{
	static const char *const lines[] = {"\n", "Udp6NoPorts\n", "Udp6NoPorts x\n",
					    "Udp6NoPorts -1\n"};
	struct netcounter_list *list = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		parse_text(netproc_pairs, lines[i], list);
		assert_int_equal(list->malformed, i + 1);
	}
	assert_int_equal(list->count, 0);
}

/* A line without end, names without end, NULs: left out, and what follows is read. */
static void test_long_lines(void **state)
{
	static void (*const parsers[])(FILE *, struct netcounter_list *) = {
	    netproc_softnet, netproc_tables, netproc_pairs};
	struct netcounter_list *list = *state;
	size_t size = 1 << 20;
	char *text = malloc(size + 64);

	assert_non_null(text);
	for (size_t i = 0; i < 3; i++) {
		memset(text, 'a', size);
		parse_bytes(parsers[i], text, size, list);
		assert_int_equal(list->malformed, i + 1);
	}
	memset(text, ' ', size);
	strcpy(text + size, "\nUdp6NoPorts 3\n");
	parse_text(netproc_pairs, text, list);
	assert_int_equal(list->malformed, 4);
	assert_int_equal(value_of(list, "Udp6NoPorts", 0), 3);
	free(text);
	parse_bytes(netproc_pairs, "Udp6InErrors\0 1\nUdp6InErrors 2\n", 31, list);
	assert_int_equal(list->malformed, 5);
}

static void test_nothing(void **state)
{
	struct netcounter_list *list = *state;
	FILE *file = fopen("/dev/null", "r");

	assert_non_null(file);
	netproc_softnet(file, list);
	netproc_tables(file, list);
	netproc_pairs(file, list);
	fclose(file);
	assert_int_equal(list->count, 0);
	assert_int_equal(list->malformed, 0);
}

/* Every byte of a good text, replaced by every other: nothing but numbers may come of it. */
static void test_any_bytes(void **state)
{
	static const char good[] = "Udp: NoPorts InErrors\nUdp: 1 2\n";
	struct netcounter_list *list = *state;
	char text[sizeof(good)];

	for (size_t i = 0; i < sizeof(good) - 1; i++)
		for (int c = 0; c < 256; c++) {
			memcpy(text, good, sizeof(good));
			text[i] = c;
			list->count = 0;
			parse_bytes(netproc_tables, text, sizeof(good) - 1, list);
			parse_bytes(netproc_pairs, text, sizeof(good) - 1, list);
			parse_bytes(netproc_softnet, text, sizeof(good) - 1, list);
			assert_true(list->count <= 2);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_softnet, make, clear),
	    cmocka_unit_test_setup_teardown(test_softnet_of_other_kernels, make, clear),
	    cmocka_unit_test_setup_teardown(test_softnet_malformed, make, clear),
	    cmocka_unit_test_setup_teardown(test_tables, make, clear),
	    cmocka_unit_test_setup_teardown(test_tables_malformed, make, clear),
	    cmocka_unit_test_setup_teardown(test_pairs, make, clear),
	    cmocka_unit_test_setup_teardown(test_pairs_malformed, make, clear),
	    cmocka_unit_test_setup_teardown(test_long_lines, make, clear),
	    cmocka_unit_test_setup_teardown(test_nothing, make, clear),
	    cmocka_unit_test_setup_teardown(test_any_bytes, make, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
