/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/describe.h"

static const char *names[] = { "NOT_DROPPED_YET", NULL, "NETFILTER_DROP" };
static const struct kernel kernel = { .reasons = names, .reason_count = 3 };

static char drop_text[] = "tracepoint:skb:kfree_skb", function_text[] = "icmp_rcv";
static const struct probe drop = { .text = drop_text, .location = 1, .reason = 2 };
static const struct probe function = { .text = function_text, .location = NETCAP_NO_ARG,
				       .reason = NETCAP_NO_ARG };

static struct netcap_record *make_record(void)
{
	struct netcap_record *r = calloc(1, sizeof(*r) + NETCAP_STACK_FRAMES * 8);

	assert_non_null(r);
	r->reason = 2;
	r->location = 0x1234;
	r->ifindex = 7;
	r->netns = 4026531840;
	r->cpu = 1;
	r->pid = 10;
	r->tid = 11;
	r->mark = 0x99;
	r->protocol = 0x0800;
	r->skb = 0xffff888012345678;
	memcpy(r->comm, "0123456789abcdef", NETCAP_COMM_LEN); /* full: no NUL */
	strcpy(r->dev, "eth0");
	return r;
}

static void test_fields(void **state)
{
	struct netcap_record *r = make_record();
	struct describe_store store;
	struct meta m;

	describe_record(r, &drop, &kernel, NULL, &store, &m);
	assert_string_equal(m.point, "tracepoint:skb:kfree_skb");
	assert_string_equal(m.reason, "NETFILTER_DROP");
	assert_string_equal(m.location, "0x1234");
	assert_string_equal(m.comm, "0123456789abcdef");
	assert_string_equal(m.dev, "eth0");
	assert_string_equal(m.link, "ethernet");
	assert_int_equal(m.ifindex, 7);
	assert_int_equal(m.netns, 4026531840);
	assert_int_equal(m.tid, 11);
	assert_int_equal(m.skb, 0xffff888012345678);
	assert_int_equal(m.frames, 0);
	assert_int_equal(m.partial, 0);
	assert_null(m.made);
	assert_null(m.tunnel);
	r->tunnels = 1 << NETCAP_TUNNEL_IPIP | 1 << NETCAP_TUNNEL_GENEVE;
	r->made = NETCAP_MADE_IP_LENGTH | NETCAP_MADE_UDP;
	describe_record(r, &drop, &kernel, NULL, &store, &m);
	assert_string_equal(m.made, "ip-length+udp");
	assert_string_equal(m.tunnel, "ipip+geneve");
	r->made = NETCAP_MADE_IP | NETCAP_MADE_IP_LENGTH | NETCAP_MADE_TCP | NETCAP_MADE_UDP;
	describe_record(r, &drop, &kernel, NULL, &store, &m);
	assert_string_equal(m.made, "ip+ip-length+tcp+udp");
	free(r);
}

/* Names that the kernel does not have, and fields that do not apply. */
static void test_unknown(void **state)
{
	struct netcap_record *r = make_record();
	struct describe_store store;
	struct meta m;

	r->reason = 1;
	r->location = 0;
	r->dev[0] = r->comm[0] = 0;
	r->link = 200;
	r->flags = NETCAP_F_PARTIAL;
	describe_record(r, &drop, &kernel, NULL, &store, &m);
	assert_string_equal(m.reason, "REASON_1");
	assert_null(m.location);
	assert_null(m.dev);
	assert_null(m.comm);
	assert_null(m.link);
	assert_int_equal(m.partial, 1);
	r->reason = 70000;
	describe_record(r, &drop, &kernel, NULL, &store, &m);
	assert_string_equal(m.reason, "REASON_70000");
	describe_record(r, &function, &kernel, NULL, &store, &m);
	assert_null(m.reason);
	free(r);
}

/* frame and location share their place. */
static void test_return(void **state)
{
	const struct netcap_return back = { .time_ns = 1500, .frame = 0x1234, .value = 7 };
	struct netcap_record *r = make_record();
	struct describe_store store;
	struct meta m;

	r->flags = NETCAP_F_CALL;
	r->time_ns = 1000;
	describe_record(r, &function, &kernel, NULL, &store, &m);
	assert_null(m.location);
	assert_int_equal(m.took_ns, 0);
	describe_return(r, &function, &back, &store, &m);
	assert_int_equal(m.took_ns, 500);
	assert_null(m.ret); /* it returns nothing */
	free(r);
}

static void test_stack(void **state)
{
	struct netcap_record *r = make_record();
	struct describe_store store;
	struct meta m;

	r->flags = NETCAP_F_STACK;
	r->stack[0] = 0xabc;
	r->stack[1] = 0xdef;
	r->stack_bytes = 16;
	describe_record(r, &drop, &kernel, NULL, &store, &m);
	assert_int_equal(m.frames, 2);
	assert_string_equal(m.stack[0], "0xabc");
	assert_string_equal(m.stack[1], "0xdef");
	r->stack_bytes = 65535; /* never more than the slot */
	describe_record(r, &drop, &kernel, NULL, &store, &m);
	assert_int_equal(m.frames, NETCAP_STACK_FRAMES);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_return),
		cmocka_unit_test(test_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
