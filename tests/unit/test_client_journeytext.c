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

#include "journeytext.h"
#include "print.h"

static const struct meta first = {
	.point = "tracepoint:net:netif_receive_skb", .dev = "eth0", .ifindex = 2, .netns = 4026531840u, .cpu = 1,
	.pid = 7, .tid = 7, .comm = "ping", .mark = 42, .track = 17, .frames = 1, .stack = {"s+0x1"},
};

static void assert_printed(const char *comment, const struct journeytext_colors *colors, const char *expected)
{
	static struct journey j;
	static char store[JOURNEY_TEXT_MAX];
	const struct journeytext_colors none = {0};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(journey_parse(&j, comment, strlen(comment), store), 0);
	journeytext_print(out, &j, &first, colors ? colors : &none);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void steps_are_aligned_and_say_what_changes(void **state)
{
	assert_printed("journey=freed "
		       "step=tracepoint:net:netif_receive_skb,0,1,dev:eth0,ifindex:2,netns:4026531840,pid:7 "
		       "stack=s+0x1,t+0x2 step=ip_local_deliver,4210,1 "
		       "step=fexit:ip_rcv,1004210,10,netns:4026532386,pid:9,ret:-12,took_ns:999 "
		       "step=fexit:f,1004211,2,dev:,ifindex:0,pid:0 "
		       "step=tracepoint:skb:kfree_skb,12345678901,2,reason:NETFILTER_DROP,location:nft_do_chain+0x3e8 "
		       "more=1 missing=icmp_rcv,icmp_echo",
		       NULL,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n"
		       "          0.000 us              cpu 1  tracepoint:net:netif_receive_skb dev eth0(2)\n"
		       "        s+0x1\n"
		       "        t+0x2\n"
		       "          4.210 us       +4.210 cpu 1  ip_local_deliver dev eth0(2)\n"
		       "       1004.210 us    +1000.000 cpu 10 fexit:ip_rcv returned -12 after 0.999 us "
		       "dev eth0(2) netns 4026532386 pid 9\n"
		       "       1004.211 us       +0.001 cpu 2  fexit:f (return not seen)\n"
		       "    12345678.901 us +12344674.690 cpu 2  tracepoint:skb:kfree_skb NETFILTER_DROP at "
		       "nft_do_chain+0x3e8\n"
		       "    and 1 more step that was not kept\n"
		       "    NOT received at icmp_rcv\n"
		       "    NOT received at icmp_echo\n");
}

/* A packet that is several sk_buffs says which of them is where. */
static void clones_are_told_apart(void **state)
{
	assert_printed("journey=idle step=a,0,0,pid:7,skb:0x1 step=b,1,0 step=b,2,0,skb:0x2 step=c,3,0", NULL,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n"
		       "        s+0x1\n" /* of a packet whose steps have none */
		       "          0.000 us              cpu 0  a skb 0x1\n"
		       "          0.001 us       +0.001 cpu 0  b\n"
		       "          0.002 us       +0.001 cpu 0  b skb 0x2\n"
		       "          0.003 us       +0.001 cpu 0  c\n");
	assert_printed("journey=idle step=a,0,0,pid:7,skb:0x1 step=b,1,0", NULL,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n"
		       "        s+0x1\n"
		       "          0.000 us              cpu 0  a\n"
		       "          0.001 us       +0.001 cpu 0  b\n");
}

static void what_is_not_known_is_not_claimed(void **state)
{
	assert_printed("journey=idle step=a,0,0,pid:7 stack=x missing=b unsure=1", NULL,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n"
		       "          0.000 us              cpu 0  a\n"
		       "        x\n"
		       "    NOT seen at b, but records were lost meanwhile\n");
	assert_printed("journey=stopped step=a,0,0,pid:7 stack=x missing=b more=2", NULL,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n"
		       "          0.000 us              cpu 0  a\n"
		       "        x\n"
		       "    and 2 more steps that were not kept\n"
		       "    still on its way when the capture ended\n"
		       "    NOT received at b until then\n");
	assert_printed("journey=evicted step=a,0,0,pid:7 stack=x", NULL,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n"
		       "          0.000 us              cpu 0  a\n"
		       "        x\n"
		       "    given up here, as more packets were on their way than --gather-buffer-size\n");
}

/* Of the steps before a packet was found to be slow only the times are known. */
static void what_stays_is_said_once(void **state)
{
	assert_printed("journey=idle step=a,0,0 step=b,2000,0,dev:lo,ifindex:1,netns:4026531840,pid:7 stack=x "
		       "step=c,3000,0,netns:5,pid:8 step=d,4000,0,netns:0,pid:0 step=e,5000,0,netns:5,pid:8",
		       NULL,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n"
		       "          0.000 us              cpu 0  a\n"
		       "          2.000 us       +2.000 cpu 0  b dev lo(1)\n"
		       "        x\n"
		       "          3.000 us       +1.000 cpu 0  c dev lo(1) netns 5 pid 8\n"
		       "          4.000 us       +1.000 cpu 0  d dev lo(1)\n"
		       "          5.000 us       +1.000 cpu 0  e dev lo(1)\n");
}

static void the_colour_is_that_of_whole_lines(void **state)
{
	struct journeytext_colors colors = {.journey = print_color("cyan")};

	assert_printed("journey=idle step=a,0,0,pid:7 stack=x missing=b", &colors,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n"
		       "\033[36m          0.000 us              cpu 0  a\033[0m\n"
		       "        \033[36mx\033[0m\n"
		       "\033[36m    NOT received at b\033[0m\n");
	colors.stack = print_color("red");
	assert_printed("journey=idle step=a,0,0,pid:7 stack=x", &colors,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n"
		       "\033[36m          0.000 us              cpu 0  a\033[0m\n"
		       "        \033[31mx\033[0m\n");
}

/* Names come from the kernel and hold any byte; times of a stranger's stream may run backwards. */
static void hostile_values_are_harmless(void **state)
{
	assert_printed("journey=freed step=a%1B]0;x%07,18446744073709551615,4294967295,dev:%0Aeth,pid:4294967295 "
		       "stack=%1B[2J step=b,0,0 missing=%1Bc",
		       NULL,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n"
		       "    18446744073709551.615 us              cpu 4294967295 a\\x1b]0;x\\x07 dev \\x0aeth "
		       "pid 4294967295\n"
		       "        \\x1b[2J\n"
		       "          0.000 us -18446744073709551.615 cpu 0  b dev \\x0aeth\n"
		       "    NOT received at \\x1bc\n");
	assert_printed("journey=freed", NULL,
		       "    netns 4026531840 pid 7 (ping) mark 0x2a track 17\n        s+0x1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_aligned_and_say_what_changes),
		cmocka_unit_test(clones_are_told_apart),
		cmocka_unit_test(what_is_not_known_is_not_claimed),
		cmocka_unit_test(what_stays_is_said_once),
		cmocka_unit_test(the_colour_is_that_of_whole_lines),
		cmocka_unit_test(hostile_values_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
