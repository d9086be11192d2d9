/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/gen_stats.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/netlinkstats.h"

#define LOOPBACK   1 /* its ifindex, everywhere */
#define STATS_MOST 512

static _Alignas(struct nlmsghdr) char buffer[4096];

static struct netlinkstats sink;

static int make(void **state)
{
	static struct netcounter_list list;

	*state = &list;
	sink = (struct netlinkstats){&list, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
	return sink.names < 0 || netcounter_list_init(&list);
}

static int clear(void **state)
{
	netcounter_list_clear(*state);
	close(sink.names);
	return 0;
}

static struct nlmsghdr *begin(uint16_t type, const void *header, size_t size)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);

	m->nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(m, size), header, size);
	return m;
}

/* A message of a device; stats: size bytes of struct rtnl_link_stats64, or of a newer kernel's. */
static struct nlmsghdr *make_device(const void *stats, size_t size)
{
	const struct if_stats_msg device = {.ifindex = LOOPBACK};
	struct nlmsghdr *m = begin(RTM_NEWSTATS, &device, sizeof(device));

	mnl_attr_put(m, IFLA_STATS_LINK_64, size, stats);
	return m;
}

static struct nlmsghdr *make_qdisc(const char *kind, uint32_t handle, uint32_t parent,
				   const void *queue, size_t size)
{
	const struct tcmsg qdisc = {
	    .tcm_ifindex = LOOPBACK, .tcm_handle = handle, .tcm_parent = parent};
	struct nlmsghdr *m = begin(RTM_NEWQDISC, &qdisc, sizeof(qdisc));
	struct nlattr *nest;

	mnl_attr_put_strz(m, TCA_KIND, kind);
	nest = mnl_attr_nest_start(m, TCA_STATS2);
	mnl_attr_put(m, TCA_STATS_QUEUE, size, queue);
	mnl_attr_nest_end(m, nest);
	return m;
}

static const struct netcounter *find(const struct netcounter_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->counters[i].name, name))
			return &list->counters[i];
	fail_msg("there is no counter %s", name);
	return NULL;
}

static void test_device(void **state)
{
	struct netcounter_list *list = *state;
	const struct rtnl_link_stats64 stats = {
	    .rx_packets = 100, .rx_dropped = 3, .tx_errors = 1ULL << 40, .rx_nohandler = 5};

	assert_int_equal(netlinkstats_device(make_device(&stats, sizeof(stats)), &sink), MNL_CB_OK);
	assert_int_equal(list->malformed, 0);
	assert_int_equal(list->count, 3);
	assert_int_equal(find(list, "rx_dropped")->value, 3);
	assert_int_equal(find(list, "tx_errors")->value, 1ULL << 40);
	assert_int_equal(find(list, "rx_nohandler")->value, 5);
	assert_int_equal(list->counters[0].layer, NETCOUNTER_DEVICE);
	assert_int_equal(list->counters[0].ifindex, LOOPBACK);
	assert_string_equal(list->counters[0].device, "lo");
}

/* Each counter under its name, with as many as the kernel has: some at the end are newer. */
static void test_device_of_other_kernels(void **state)
{
	struct netcounter_list *list = *state;
	uint64_t stats[STATS_MOST / sizeof(uint64_t)];
	const size_t nohandler = offsetof(struct rtnl_link_stats64, rx_nohandler);

	for (size_t i = 0; i < STATS_MOST / sizeof(uint64_t); i++)
		stats[i] = i + 1;
	netlinkstats_device(make_device(stats, nohandler), &sink);
	assert_int_equal(list->count, 13);
	assert_int_equal(find(list, "tx_dropped")->value, 8);
	netlinkstats_device(make_device(stats, nohandler + 8), &sink);
	assert_int_equal(list->count, 13 + 14);
	assert_int_equal(find(list, "rx_nohandler")->value, nohandler / 8 + 1);
	netlinkstats_device(make_device(stats, sizeof(stats)), &sink);
	assert_int_equal(list->count, 13 + 14 + 15);
	assert_int_equal(find(list, "rx_otherhost_dropped")->value, nohandler / 8 + 2);
	assert_int_equal(list->malformed, 0);
	netlinkstats_device(make_device(stats, nohandler - 1), &sink);
	assert_int_equal(list->malformed, 1);
}

static void test_device_malformed(void **state)
{
	struct netcounter_list *list = *state;
	const struct rtnl_link_stats64 stats = {.rx_dropped = 1};
	const struct if_stats_msg device = {.ifindex = LOOPBACK};
	struct nlmsghdr *m = make_device(&stats, sizeof(stats));

	m->nlmsg_type = RTM_NEWLINK;
	netlinkstats_device(m, &sink);
	netlinkstats_device(begin(RTM_NEWSTATS, &device, sizeof(device)), &sink);
	netlinkstats_device(begin(RTM_NEWSTATS, &device, sizeof(device) - 4), &sink);
	assert_int_equal(list->malformed, 3);
	assert_int_equal(list->count, 0);
	assert_true(list->partial[NETCOUNTER_DEVICE]);
}

/* It is gone before its name was asked for. */
static void test_device_gone(void **state)
{
	struct netcounter_list *list = *state;
	const struct rtnl_link_stats64 stats = {.rx_dropped = 1};
	const struct if_stats_msg gone = {.ifindex = INT32_MAX};
	struct nlmsghdr *m = make_device(&stats, sizeof(stats));

	memcpy(mnl_nlmsg_get_payload(m), &gone, sizeof(gone));
	netlinkstats_device(m, &sink);
	assert_int_equal(list->count, 0);
	assert_int_equal(list->malformed, 0);
}

static void test_qdisc(void **state)
{
	struct netcounter_list *list = *state;
	const struct gnet_stats_queue queue = {.drops = UINT32_MAX, .overlimits = 4, .requeues = 2};
	const struct gnet_stats_queue few = {.drops = 1};

	netlinkstats_qdisc(make_qdisc("tbf", 0x80010000, 0xffffffff, &queue, sizeof(queue)), &sink);
	netlinkstats_qdisc(make_qdisc("fq_codel", 0, 1, &few, sizeof(few)), &sink);
	netlinkstats_qdisc(make_qdisc("fq_codel", 0, 2, &few, sizeof(few)), &sink);
	assert_int_equal(list->malformed, 0);
	assert_int_equal(list->count, 5);
	assert_int_equal(find(list, "tbf 8001: drops")->value, UINT32_MAX);
	assert_int_equal(find(list, "tbf 8001: overlimits")->value, 4);
	assert_int_equal(find(list, "tbf 8001: requeues")->value, 2);
	assert_string_equal(list->counters[0].device, "lo");
	assert_int_equal(list->counters[0].layer, NETCOUNTER_QDISC);
	/* two queues of a device: one row */
	netcounter_merge(list);
	assert_int_equal(list->count, 4);
	assert_int_equal(find(list, "fq_codel drops")->value, 2);
}

/* The device is gone before its name was asked for, or a qdisc has no statistics. */
static void test_qdisc_without(void **state)
{
	struct netcounter_list *list = *state;
	const struct tcmsg gone = {.tcm_ifindex = INT32_MAX};
	const struct gnet_stats_queue queue = {.drops = 1};
	struct nlmsghdr *m = make_qdisc("tbf", 0x10000, 0, &queue, sizeof(queue));

	memcpy(mnl_nlmsg_get_payload(m), &gone, sizeof(gone));
	netlinkstats_qdisc(m, &sink);
	m = begin(RTM_NEWQDISC, &gone, sizeof(gone));
	mnl_attr_put_strz(m, TCA_KIND, "noqueue");
	netlinkstats_qdisc(m, &sink);
	assert_int_equal(list->count, 0);
	assert_int_equal(list->malformed, 0);
}

static void test_qdisc_malformed(void **state)
{
	struct netcounter_list *list = *state;
	const struct gnet_stats_queue queue = {.drops = 1};
	const struct tcmsg qdisc = {.tcm_ifindex = LOOPBACK};
	struct nlmsghdr *m;

	netlinkstats_qdisc(make_qdisc("tbf", 0x10000, 0, &queue, sizeof(queue) - 1), &sink);
	netlinkstats_qdisc(make_qdisc("a-kind-that-is-too-long", 0x10000, 0, &queue, sizeof(queue)),
			   &sink);
	netlinkstats_qdisc(begin(RTM_NEWQDISC, &qdisc, sizeof(qdisc)), &sink);
	netlinkstats_qdisc(begin(RTM_NEWQDISC, &qdisc, sizeof(qdisc) - 4), &sink);
	m = make_qdisc("tbf", 0x10000, 0, &queue, sizeof(queue));
	m->nlmsg_type = RTM_DELQDISC;
	netlinkstats_qdisc(m, &sink);
	assert_int_equal(list->malformed, 5);
	assert_int_equal(list->count, 0);
	assert_true(list->partial[NETCOUNTER_QDISC]);
}

/* Takes the first bytes of a message, in no more memory, for the address sanitizer. */
static size_t take_copy(mnl_cb_t take, const struct nlmsghdr *m, size_t bytes, size_t changed,
			uint8_t value)
{
	uint8_t *copy = malloc(bytes);

	assert_non_null(copy);
	memcpy(copy, m, bytes);
	((struct nlmsghdr *)copy)->nlmsg_len = bytes;
	if (changed < bytes)
		copy[changed] = value;
	sink.list->count = 0;
	assert_int_equal(take((const struct nlmsghdr *)copy, &sink), MNL_CB_OK);
	free(copy);
	return sink.list->count;
}

/*
 * Cut after any word, which is what netlink aligns to, it has no counters; with any byte changed, it
 * has no more than there are.
 */
static void take_any(mnl_cb_t take, const struct nlmsghdr *m, size_t most)
{
	for (size_t bytes = sizeof(*m); bytes < m->nlmsg_len; bytes += MNL_ALIGNTO)
		assert_int_equal(take_copy(take, m, bytes, bytes, 0), 0);
	assert_int_equal(take_copy(take, m, m->nlmsg_len, m->nlmsg_len, 0), 1);
	for (size_t changed = sizeof(*m); changed < m->nlmsg_len; changed++)
		for (int value = 0; value < 256; value++)
			assert_true(take_copy(take, m, m->nlmsg_len, changed, value) <= most);
}

static void test_any_bytes(void **state)
{
	const struct rtnl_link_stats64 stats = {.rx_dropped = 1};
	const struct gnet_stats_queue queue = {.drops = 1};

	take_any(netlinkstats_device, make_device(&stats, sizeof(stats)), 15);
	take_any(netlinkstats_qdisc, make_qdisc("tbf", 0x10000, 2, &queue, sizeof(queue)), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_device, make, clear),
	    cmocka_unit_test_setup_teardown(test_device_of_other_kernels, make, clear),
	    cmocka_unit_test_setup_teardown(test_device_malformed, make, clear),
	    cmocka_unit_test_setup_teardown(test_device_gone, make, clear),
	    cmocka_unit_test_setup_teardown(test_qdisc, make, clear),
	    cmocka_unit_test_setup_teardown(test_qdisc_without, make, clear),
	    cmocka_unit_test_setup_teardown(test_qdisc_malformed, make, clear),
	    cmocka_unit_test_setup_teardown(test_any_bytes, make, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
