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

#include "print.h"

static void assert_printed(const struct meta *m, const char *color, const char *expected)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print_meta(out, m, color);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void a_full_line_and_a_stack(void **state)
{
	const struct meta m = {
		.point = "tracepoint:skb:kfree_skb",
		.reason = "NETFILTER_DROP",
		.location = "nf_hook_slow+0xa3",
		.dev = "eth0",
		.comm = "nc",
		.ifindex = 2,
		.netns = 4026531840u,
		.cpu = 1,
		.pid = 7,
		.tid = 8,
		.mark = 42,
		.frames = 2,
		.stack = {"kfree_skb_reason+0x1", "nf_hook_slow+0xa3"},
	};

	assert_printed(&m, NULL,
		       "    tracepoint:skb:kfree_skb NETFILTER_DROP at nf_hook_slow+0xa3 dev "
		       "eth0(2) netns 4026531840 cpu 1 pid 7 tid 8 (nc) mark 0x2a\n"
		       "        kfree_skb_reason+0x1\n"
		       "        nf_hook_slow+0xa3\n");
	assert_printed(&m, print_color("red"),
		       "    tracepoint:skb:kfree_skb NETFILTER_DROP at nf_hook_slow+0xa3 dev "
		       "eth0(2) netns 4026531840 cpu 1 pid 7 tid 8 (nc) mark 0x2a\n"
		       "        \033[31mkfree_skb_reason+0x1\033[0m\n"
		       "        \033[31mnf_hook_slow+0xa3\033[0m\n");
}

static void what_does_not_apply_is_left_out(void **state)
{
	const struct meta m = {.point = "tracepoint:net:net_dev_queue"};
	const struct meta made = {.point = "udp_send_skb", .tunnel = "vxlan", .made = "ip-length+udp", .track = 17};
	const struct meta odd = {.point = "p", .ifindex = 3, .partial = 1, .comm = "\033]0;x\a"};

	assert_printed(&m, NULL, "    tracepoint:net:net_dev_queue cpu 0 pid 0\n");
	assert_printed(&made, NULL, "    udp_send_skb cpu 0 pid 0 in vxlan headers made: ip-length+udp track 17\n");
	assert_printed(&odd, NULL,
		       "    p dev (3) cpu 0 pid 0 (\\x1b]0;x\\x07) (bytes missing: page "
		       "fragments could not be read)\n");
}

static void returns_of_functions(void **state)
{
	struct meta m = {.point = "fexit:ip_rcv", .ret = "-12", .took_ns = 1234567};

	assert_printed(&m, NULL, "    fexit:ip_rcv returned -12 after 1234.567 us cpu 0 pid 0\n");
	m.ret = NULL;
	m.took_ns = 98;
	assert_printed(&m, NULL, "    fexit:ip_rcv returned after 0.098 us cpu 0 pid 0\n");
	m.took_ns = 0;
	assert_printed(&m, NULL, "    fexit:ip_rcv (return not seen) cpu 0 pid 0\n");
}

static void six_colors_have_names(void **state)
{
	static const char *const names[] = {"red", "green", "yellow", "blue", "purple", "cyan"};

	for (size_t i = 0; i < 6; i++)
		assert_non_null(print_color(names[i]));
	assert_null(print_color("pink"));
	assert_null(print_color(""));
}

static void files_get_no_color(void **state)
{
	FILE *file = tmpfile();

	unsetenv("NO_COLOR");
	assert_false(print_wants_color(file));
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_line_and_a_stack),
		cmocka_unit_test(what_does_not_apply_is_left_out),
		cmocka_unit_test(returns_of_functions),
		cmocka_unit_test(six_colors_have_names),
		cmocka_unit_test(files_get_no_color),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
