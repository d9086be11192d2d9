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

#include "pointname.h"

static void check(const char *text, enum pointname_kind kind, const char *group, const char *name,
		  int arg, int arg2, const char *shown)
{
	struct pointname p;
	char why[512] = "", formatted[256];

	if (pointname_parse(text, &p, why, sizeof(why)))
		fail_msg("%s: %s", text, why);
	assert_int_equal(p.kind, kind);
	assert_string_equal(p.group, group);
	assert_string_equal(p.name, name);
	assert_int_equal(p.arg, arg);
	assert_int_equal(p.arg2, arg2);
	assert_int_equal(pointname_format(&p, formatted, sizeof(formatted)), strlen(shown));
	assert_string_equal(formatted, shown);
}

static void test_good(void **state)
{
	check("tracepoint:skb:kfree_skb", POINTNAME_TRACEPOINT, "skb", "kfree_skb", 0, 0,
	      "tracepoint:skb:kfree_skb");
	check("tp:net:net_dev_xmit@1", POINTNAME_TRACEPOINT, "net", "net_dev_xmit", 1, 0,
	      "tracepoint:net:net_dev_xmit");
	check("tp:9p:9p_client_req@9@8", POINTNAME_TRACEPOINT, "9p", "9p_client_req", 9, 8,
	      "tracepoint:9p:9p_client_req");
	check("tp:xhci-hcd:xhci_urb_enqueue", POINTNAME_TRACEPOINT, "xhci-hcd", "xhci_urb_enqueue",
	      0, 0, "tracepoint:xhci-hcd:xhci_urb_enqueue");
	check("icmp_rcv", POINTNAME_FUNCTION, "", "icmp_rcv", 0, 0, "icmp_rcv");
	check("icmp_rcv@1", POINTNAME_FUNCTION, "", "icmp_rcv", 1, 0, "icmp_rcv");
	check("__ip_finish_output.constprop.0@3@1", POINTNAME_FUNCTION, "",
	      "__ip_finish_output.constprop.0", 3, 1, "__ip_finish_output.constprop.0");
}

static void check_refused(const char *text, const char *reason)
{
	struct pointname p;
	char why[512] = "";

	assert_int_equal(pointname_parse(text, &p, why, sizeof(why)), -EINVAL);
	if (!strstr(why, reason))
		fail_msg("%s: \"%s\" is not in: %s", text, reason, why);
}

static void test_names(void **state)
{
	check_refused("", "a trace point is empty");
	check_refused("@1", "empty function name");
	check_refused("tracepoint:skb", "no event behind its group");
	check_refused("tracepoint:", "no event behind its group");
	check_refused("tracepoint::kfree_skb", "empty group");
	check_refused("tracepoint:skb:", "empty event");
	check_refused("tp:skb:@1", "empty event");
	check_refused("tp:skb:a:b", "too many colons");
	check_refused("tp:skb:a-b", "\"-\" in its event");
	check_refused("tp:s.b:ab", "\".\" in its group");
	check_refused("icmp rcv", "\" \" in its function name");
	check_refused("icmp_rcv,ip_rcv", "\",\" in its function name");
	check_refused("icmp_rcv\n", "\"\\x0a\" in its function name");
	check_refused("icmp_rcv\xc3\xa4", "\"\\xc3\" in its function name");
	check_refused("9icmp", "begins with a digit");
}

static void test_kinds(void **state)
{
	static const char *const other[] = {"usdt", "uprobe", "uretprobe"};
	char text[64];

	check("kprobe:icmp_rcv", POINTNAME_KPROBE, "", "icmp_rcv", 0, 0, "kprobe:icmp_rcv");
	check("fentry:icmp_rcv@1", POINTNAME_FENTRY, "", "icmp_rcv", 1, 0, "fentry:icmp_rcv");
	check("fentry:nf_tables:nft_do_chain@1@2", POINTNAME_FENTRY, "nf_tables", "nft_do_chain", 1, 2, "fentry:nf_tables:nft_do_chain");
	check("fexit:tcp_v4_rcv", POINTNAME_FEXIT, "", "tcp_v4_rcv", 0, 0, "fexit:tcp_v4_rcv");
	check("prog:xdp_pass", POINTNAME_PROG, "", "xdp_pass", 0, 0, "prog:xdp_pass");
	check("xdp:__xsk_rcv@2", POINTNAME_FUNCTION, "", "__xsk_rcv", 2, 0, "xdp:__xsk_rcv");
	check("xdp:progexit:xdp_pass", POINTNAME_PROGEXIT, "", "xdp_pass", 0, 0, "xdp:progexit:xdp_pass");
	check_refused("xdp:tracepoint:net:netif_rx", "has tracepoint behind xdp:");
	check_refused("xdp:xdp:__xsk_rcv", "says twice what holds its packets");
	check_refused("xdp:", "empty function name");
	check("progexit:42:xdp_*@1", POINTNAME_PROGEXIT, "42", "xdp_*", 1, 0, "progexit:42:xdp_*");
	check("prog:all", POINTNAME_PROG, "", "*", 0, 0, "prog:*");
	check("nf_tables:nft_do_chain", POINTNAME_FUNCTION, "nf_tables", "nft_do_chain", 0, 0, "nf_tables:nft_do_chain");
	check_refused("kretprobe:kfree_skb", "is of kind kretprobe, which");
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		snprintf(text, sizeof(text), "%s:vec_func", other[i]);
		check_refused(text, "does not say what its packets are");
	}
	check_refused(":kfree_skb", "empty kind or module");
	check_refused("a:b:c", "too many colons");
	check_refused("kprobe:a:b:c", "too many colons");
	check_refused("prog:1:b:c", "too many colons");
	check_refused("prog:veth:xdp_pass", "no number where the id of a program stands");
	check_refused("progexit:12345678901:xdp_pass", "no number where the id of a program stands");
	check_refused("prog:", "empty function name");
	check_refused("no-module:f", "\"-\" in its kind or module");
}

static void test_process(void **state)
{
	struct pointname p;
	char why[512];

	check("mbuf:vec_func@1@2", POINTNAME_UPROBE, "", "vec_func", 1, 2, "mbuf:vec_func");
	check("mbuf:uprobe:librte_mbuf.so.23:rte_pktmbuf_free_bulk@1@2", POINTNAME_UPROBE, "librte_mbuf.so.23",
	      "rte_pktmbuf_free_bulk", 1, 2, "mbuf:librte_mbuf.so.23:rte_pktmbuf_free_bulk");
	check("raw:uretprobe:rx@2", POINTNAME_URETPROBE, "", "rx", 2, 0, "raw:uretprobe:rx");
	check("raw:usdt:my-app:probe@1@2", POINTNAME_USDT, "my-app", "probe", 1, 2, "raw:usdt:my-app:probe");
	check("mbuf:usdt:probe@1", POINTNAME_USDT, "", "probe", 1, 0, "mbuf:usdt:probe");
	check("raw:ns::Queue::push@2@3", POINTNAME_UPROBE, "", "ns::Queue::push", 2, 3, "raw:ns::Queue::push");
	check("raw:libq.so:ns::Queue::push", POINTNAME_UPROBE, "libq.so", "ns::Queue::push", 0, 0,
	      "raw:libq.so:ns::Queue::push");
	check("raw:main+0x10@1@2", POINTNAME_UPROBE, "", "main+0x10", 1, 2, "raw:main+0x10");
	check("raw:0x4711@1@2", POINTNAME_UPROBE, "", "0x4711", 1, 2, "raw:0x4711");
	check_refused("mbuf:tracepoint:skb:kfree_skb", "has tracepoint behind mbuf:");
	check_refused("raw:fentry:icmp_rcv", "has fentry behind raw:");
	check_refused("mbuf:raw:f", "says twice what holds its packets");
	check_refused("mbuf:", "empty function name");
	check_refused("mbuf:usdt::probe", "empty provider");
	check_refused("raw:f*@1@2", "\"*\" in its function name");
	check_refused("raw:a/b:f@1@2", "\"/\" in its object");
	assert_int_equal(pointname_parse("raw:f@1@2", &p, why, sizeof(why)), 0);
	assert_true(pointname_is_process(&p));
	assert_int_equal(pointname_parse("f@1", &p, why, sizeof(why)), 0);
	assert_false(pointname_is_process(&p));
}

static void test_patterns(void **state)
{
	struct pointname p;
	char why[512];

	check("tcp_*", POINTNAME_FUNCTION, "", "tcp_*", 0, 0, "tcp_*");
	check("all", POINTNAME_FUNCTION, "", "*", 0, 0, "*");
	check("nf_tables:all", POINTNAME_FUNCTION, "nf_tables", "*", 0, 0, "nf_tables:*");
	check("kprobe:tcp_v[46]_rcv", POINTNAME_KPROBE, "", "tcp_v[46]_rcv", 0, 0, "kprobe:tcp_v[46]_rcv");
	check("tracepoint:net:*", POINTNAME_TRACEPOINT, "net", "*", 0, 0, "tracepoint:net:*");
	assert_int_equal(pointname_parse("tcp_v?_rcv", &p, why, sizeof(why)), 0);
	assert_true(pointname_is_pattern(&p));
	assert_int_equal(pointname_parse("tcp_v4_rcv", &p, why, sizeof(why)), 0);
	assert_false(pointname_is_pattern(&p));
}

static void test_arguments(void **state)
{
	check_refused("icmp_rcv@", "no number behind \"@\"");
	check_refused("icmp_rcv@1@", "no number behind \"@\"");
	check_refused("icmp_rcv@@1", "no number behind \"@\"");
	check_refused("icmp_rcv@0", "argument position \"0\"");
	check_refused("icmp_rcv@10", "argument position \"10\"");
	check_refused("icmp_rcv@-1", "argument position \"-1\"");
	check_refused("icmp_rcv@x", "argument position \"x\"");
	check_refused("icmp_rcv@1@x", "argument position \"x\"");
	check_refused("icmp_rcv@1 ", "argument position \"1 \"");
	check_refused("icmp_rcv@1@2@3", "more than two");
}

static void check_length(const char *before, size_t len, const char *after, const char *reason)
{
	char text[512], part[400];
	struct pointname p;
	char why[512] = "";

	memset(part, 'a', len);
	part[len] = '\0';
	snprintf(text, sizeof(text), "%s%s%s", before, part, after);
	if (reason)
		check_refused(text, reason);
	else
		assert_int_equal(pointname_parse(text, &p, why, sizeof(why)), 0);
}

static void test_lengths(void **state)
{
	check_length("", 191, "", NULL);
	check_length("", 192, "", "function name of 192 characters: give at most 191");
	check_length("tp:", 63, ":a", NULL);
	check_length("tp:", 64, ":a", "group of 64 characters: give at most 63");
	check_length("tp:a:", 191, "", NULL);
	check_length("tp:a:", 192, "", "event of 192 characters: give at most 191");
	check_length("", 256, "", "is 256 characters long: give at most 255");
}

/* A sentence that does not fit is cut, never overrun. */
static void test_small_why(void **state)
{
	struct pointname p;
	char why[8] = "1234567";

	assert_int_equal(pointname_parse("a b", &p, why, 4), -EINVAL);
	assert_string_equal(why, "the");
	assert_string_equal(why + 4, "567");
}

static void test_small_text(void **state)
{
	struct pointname p = {.kind = POINTNAME_TRACEPOINT, .group = "a", .name = "b"};
	char text[14];

	assert_int_equal(pointname_format(&p, text, sizeof(text)), -ENOBUFS);
	p.kind = POINTNAME_FENTRY;
	assert_int_equal(pointname_format(&p, text, sizeof(text)), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),       cmocka_unit_test(test_names),
		cmocka_unit_test(test_kinds),      cmocka_unit_test(test_process), cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_lengths),    cmocka_unit_test(test_small_why),
		cmocka_unit_test(test_small_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
