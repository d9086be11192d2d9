/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and attaches a capture program at every tracepoint of the running kernel that carries an skb:
 * with and without a filter, in each way of attaching. Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/filtertext.h"
#include "daemon/kernel.h"
#include "daemon/log.h"
#include "daemon/probe.h"
#include "daemon/sessionload.h"
#include "daemon/symbols.h"
#include "daemon/tracepoint.h"

static struct kernel kernel;
static struct tracepoint_list all;

static int open_kernel(void **state)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	char why[512];

	log_init();
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* before Linux 5.11 maps count */
	if (kernel_open(&kernel, why, sizeof(why)) ||
	    tracepoint_list(kernel.tracepoints, &all, why, sizeof(why))) {
		print_error("%s\n", why);
		return -1;
	}
	return 0;
}

static int close_kernel(void **state)
{
	tracepoint_list_clear(&all);
	kernel_close(&kernel);
	return 0;
}

static void run(const char *point, const char *filter, bool stack, int64_t snaplen)
{
	char *items[] = { (char *)point };
	struct sessionload load;
	size_t in_use = 0;
	struct spec spec;
	char why[512];

	spec_init(&spec);
	spec.points = (struct jsonstrict_strings){ 1, items };
	spec.stack = stack;
	spec.snaplen = snaplen;
	spec.ring_bytes = 65536;
	sessionload_init(&load, &kernel, &spec, &in_use);
	if (filter) {
		load.filtered = true;
		assert_int_equal(filtertext_compile(filter, &load.classic, why, sizeof(why)), 0);
	}
	sessionload_run(&load);
	if (load.error)
		print_error("%s, filter %s, snaplen %lld: %s\n", point, filter ? filter : "none",
			    (long long)snaplen, load.why);
	assert_null(load.error);
	sessionload_silence(&load);
	sessionload_settle(&load);
	sessionload_clear(&load);
	assert_int_equal(in_use, 0);
}

static void test_every_tracepoint(void **state)
{
	unsigned tried = 0;
	char text[PROBE_TEXT_BYTES];

	for (size_t i = 0; i < all.count; i++) {
		if (all.items[i].skb == TRACEPOINT_NO_ARG)
			continue;
		snprintf(text, sizeof(text), "tracepoint:%s:%s", all.items[i].group,
			 all.items[i].name);
		run(text, tried % 2 ? "tcp port 9000 and host 10.0.0.1" : NULL, tried % 3 == 0, 256);
		tried++;
	}
	print_message("%u tracepoints\n", tried);
	assert_true(tried >= 4);
}

/* Sizes and filters at which the verifier takes other ways. */
static void test_variants(void **state)
{
	static const int64_t snaplens[] = { 1, 4, 64, 65, 1024, 1025, 1500, 65535, 262144 };

	for (size_t i = 0; i < sizeof(snaplens) / sizeof(*snaplens); i++) {
		run("tracepoint:skb:kfree_skb", "udp", i % 2, snaplens[i]);
		run("tracepoint:skb:consume_skb", NULL, i % 2 == 0, snaplens[i]);
	}
	run("tracepoint:skb:kfree_skb", "tcp[((tcp[12]&0xf0)>>2):4]=0x47455420", false, 256);
	run("tracepoint:skb:kfree_skb", "vlan and ip6 and ether[1400]=3 and len > 100", true, 256);
}

static void test_raw_tp(void **state)
{
	struct template_maps maps = MAPS_NONE;
	struct filter_programs classic = {};
	struct filter_code code = {};
	struct filter_target target = { .access = NETCAP_ACCESS_WINDOW,
					.var_stack = kernel.var_stack };
	struct netcap_config config = { .snaplen = 256, .filtered = 1, .stack = 1,
					.location_arg = 1, .reason_arg = NETCAP_NO_ARG };
	const struct template_copy copy = { .config = &config, .kind = TEMPLATE_UNTYPED, .hook = TEMPLATE_RAW_TP,
					    .filter = &code };
	char why[512];
	int fd;

	assert_int_equal(filtertext_compile("udp and port 53", &classic, why, sizeof(why)), 0);
	template_target(kernel.templates, TEMPLATE_UNTYPED, &target);
	assert_int_equal(filter_translate(&classic, &target, &code, why, sizeof(why)), 0);
	assert_int_equal(maps_make_shared(&maps, 1, 65536), 0);
	fd = template_load(kernel.templates, &copy, &maps, why, sizeof(why));
	if (fd < 0)
		print_error("%s\n", why);
	assert_true(fd >= 0);
	close(fd);
	filter_code_clear(&code);
	filter_programs_clear(&classic);
	maps_close(&maps);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		enum probe_error error;
		const char *words;
	} cases[] = {
		{ "tracepoint:skb:kfre_skb", PROBE_UNKNOWN, "skb:kfre_skb" },
		{ "tracepoint:net:kfree_skb", PROBE_UNKNOWN, "net:kfree_skb" },
		{ "tracepoint:sched:sched_switch", PROBE_REFUSED, "carries no struct sk_buff" },
		{ "tracepoint:skb:kfree_skb@2", PROBE_REFUSED, "argument 2" },
		{ "tracepoint:skb:kfree_skb@9", PROBE_REFUSED, "no argument 9" },
		{ "icmp_rcvv", PROBE_UNKNOWN, "no function icmp_rcvv" },
		{ "schedule", PROBE_REFUSED, "takes no struct sk_buff" },
		{ "icmp_rcv@2", PROBE_REFUSED, "no argument 2" },
		{ "tcp_v4_do_rcv@1", PROBE_REFUSED, "argument 1" },
		{ "fentry:kfree_skbb", PROBE_UNKNOWN, "kfree_skbb" },
		{ "no_such_*", PROBE_UNKNOWN, "matches no_such_*" },
		{ "usdt:a:b", PROBE_REFUSED, "does not say what its packets are" },
		{ "raw:f@1@2", PROBE_REFUSED, "the request has no sites for it" },
		{ "icmp_rcv@1@2", PROBE_REFUSED, "two argument positions" },
		{ "tcp_*@2@1", PROBE_REFUSED, "two argument positions" },
		{ "tracepoint:skb:kfree_skb@1@2", PROBE_REFUSED, "two argument positions" },
	};
	const struct module_set none = {};
	struct probe_list list;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *items[] = { (char *)cases[i].text };
		const struct spec spec = { .points = { 1, items } };

		assert_int_equal(probe_list_resolve(&list, &kernel, &none, &spec), 0);
		assert_int_equal(list.count, 1);
		if (list.items[0].error != cases[i].error || !strstr(list.items[0].why, cases[i].words))
			print_error("%s: %s\n", cases[i].text, list.items[0].why);
		assert_int_equal(list.items[0].error, cases[i].error);
		assert_non_null(strstr(list.items[0].why, cases[i].words));
		probe_list_clear(&list);
	}
}

/* Where the skb is, and what stands for how many. */
static void test_functions(void **state)
{
	static const struct {
		const char *text;
		size_t least;
		int skb; /* -1: not looked at */
		bool indirect;
	} cases[] = {
		{ "icmp_rcv", 1, 0, false },
		{ "tcp_v4_do_rcv", 1, 1, false },
		{ "__netif_receive_skb_core", 1, 0, true },
		{ "tcp_v4_send_synack", 1, 6, false },
		{ "kprobe:icmp_rcv@1", 1, 0, false },
		{ "fentry:icmp_rcv", 1, 0, false },
		{ "tcp_*", 50, -1, false },
		{ "all", 1000, -1, false },
		{ "tracepoint:net:*", 3, -1, false },
	};
	const struct module_set none = {};
	struct probe_list list;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *items[] = { (char *)cases[i].text };
		const struct spec spec = { .points = { 1, items } };

		assert_int_equal(probe_list_resolve(&list, &kernel, &none, &spec), 0);
		assert_true(list.count >= cases[i].least);
		assert_int_equal(list.items[0].error, PROBE_OK);
		if (cases[i].skb >= 0) {
			assert_int_equal(list.items[0].skb, cases[i].skb);
			assert_int_equal(list.items[0].indirect, cases[i].indirect);
		}
		probe_list_clear(&list);
	}
}

static void test_symbols(void **state)
{
	struct symbols *s = symbols_new();
	char text[128];

	if (!s)
		skip(); /* the kernel hides its addresses from this user */
	assert_string_equal(symbols_name(s, 0x1234, text, sizeof(text)), "0x1234");
	symbols_free(s);
	assert_string_equal(symbols_name(NULL, 0xffffffff81000000, text, sizeof(text)),
			    "0xffffffff81000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_tracepoint), cmocka_unit_test(test_variants),
		cmocka_unit_test(test_raw_tp),		 cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_symbols),
	};

	return cmocka_run_group_tests(tests, open_kernel, close_kernel);
}
