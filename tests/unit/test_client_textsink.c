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

/* The printing of packets of all link types, in order, through tcpdump and beside it. */
#include <unistd.h>
#include "client_packet.h"
#include "exitcode.h"
#include "tcpdump.h"

static char *print(const struct buf *b, const char *flags, uint64_t packets)
{
	const struct options o = {.tcpdump_flags = flags};
	char *text = calloc(1, 1 << 20);
	int code = -1, saved = dup(STDOUT_FILENO);
	struct sink *sink = textsink_new(&o, &code);
	FILE *file = tmpfile();

	assert_int_equal(code, EXITCODE_OK);
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	assert_int_equal(client_feed(sink, b), 0);
	assert_int_equal(sink->finish(sink), 0);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_int_equal(sink->packets, packets);
	sink->free(sink);
	assert_true(pread(fileno(file), text, (1 << 20) - 1, 0) >= 0);
	fclose(file);
	return text;
}

/* Ethernet, IP and neither take turns; each group is a numbered head, tcpdump's rest, metadata. */
static void link_types_keep_their_order(void **state)
{
	struct buf b;
	char *text, *line, *rest;
	unsigned number = 0, heads = 0;

	buf_init(&b, 0);
	client_put_head(&b);
	for (uint32_t n = 0; n < 300; n++)
		client_put_packet(&b, n % 3, n, 60 + n);
	rest = text = print(&b, "-nn -# -e -tt --nano", 300);
	buf_clear(&b);
	while ((line = strsep(&rest, "\n")) && *line) {
		char expected[64];

		if (!strncmp(line, "    tracepoint:skb:kfree_skb NETFILTER_DROP", 43)) {
			assert_int_equal(heads, 1);
			heads = 0;
			continue;
		}
		snprintf(expected, sizeof(expected), "%5u  1700000000.%09u ", number + 1, number);
		if (heads)
			continue; /* further lines of tcpdump's own */
		assert_memory_equal(line, expected, strlen(expected));
		line += strlen(expected);
		snprintf(expected, sizeof(expected), "length %u", 60 + number);
		if (number % 3 == 0)
			assert_memory_equal(line, "00:00:00", 8);
		else if (number % 3 == 2)
			assert_memory_equal(line, "no packet headers, ethertype 0x0800, ", 37);
		if (number % 3 != 1)
			assert_non_null(strstr(line, expected));
		number++;
		heads++;
	}
	assert_int_equal(number, 300);
	assert_int_equal(heads, 0);
	free(text);
}

/* Packets with and without a way take turns, of all link types: nothing comes between the lines of one of them. */
static void journeys_stand_beneath_their_packets(void **state)
{
	struct buf b;
	char *text, *rest, *line, journey[256];

	buf_init(&b, 0);
	client_put_head(&b);
	for (uint32_t n = 0; n < 300; n++) {
		snprintf(journey, sizeof(journey), "journey=freed step=a,0,0,pid:7 step=b,%u,1 missing=%s", n * 1000,
			 n % 7 ? "icmp_rcv" : "tcp_v4_rcv");
		client_put_journey(&b, n % 3, n, 60 + n, CLIENT_COMMENT, n % 2 ? journey : NULL);
	}
	rest = text = print(&b, "-nn -tt --nano -vv -X", 300);
	buf_clear(&b);
	line = strsep(&rest, "\n");
	for (uint32_t n = 0; n < 300; n++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "1700000000.%09u ", n);
		assert_memory_equal(line, expected, strlen(expected));
		while ((line = strsep(&rest, "\n")) && strncmp(line, "    ", 4))
			assert_int_equal(*line, '\t'); /* bytes, by -X */
		if (n % 2 == 0) {
			assert_memory_equal(line, "    tracepoint:skb:kfree_skb NETFILTER_DROP", 43);
			line = strsep(&rest, "\n");
			continue;
		}
		assert_string_equal(line, "    netns 4026531840 pid 7 (nc)");
		assert_string_equal(strsep(&rest, "\n"), "          0.000 us              cpu 0  a");
		snprintf(expected, sizeof(expected), "    %7u.000 us %8u.000 cpu 1  b", n, n);
		line = strsep(&rest, "\n");
		assert_memory_equal(line, expected, 15);
		assert_string_equal(line + strlen(line) - 8, "cpu 1  b");
		assert_string_equal(strsep(&rest, "\n"), n % 7 ? "    NOT received at icmp_rcv" :
								 "    NOT received at tcp_v4_rcv");
		line = strsep(&rest, "\n");
	}
	assert_string_equal(line, "");
	free(text);
}

static void a_journey_of_another_grammar_is_told(void **state)
{
	struct buf b;
	char *text;

	buf_init(&b, 0);
	client_put_head(&b);
	client_put_journey(&b, 2, 0, 60, CLIENT_COMMENT, "journey=somehow");
	text = print(&b, "-t", 1);
	buf_clear(&b);
	assert_non_null(strstr(text, "\n    tracepoint:skb:kfree_skb NETFILTER_DROP dev eth0(2)"));
	assert_non_null(strstr(text, "\n    its way cannot be read;"));
	free(text);
}

static void flags_are_checked_before_anything_is_asked(void **state)
{
	struct options o = {.tcpdump_flags = "-w /tmp/x"};
	int code = 0;

	assert_null(textsink_new(&o, &code));
	assert_int_equal(code, EXITCODE_USAGE);
	o.tcpdump_flags = "-T no-such-type";
	assert_null(textsink_new(&o, &code));
	assert_int_equal(code, EXITCODE_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_types_keep_their_order),
		cmocka_unit_test(journeys_stand_beneath_their_packets),
		cmocka_unit_test(a_journey_of_another_grammar_is_told),
		cmocka_unit_test(flags_are_checked_before_anything_is_asked),
	};
	char path[4096];

	if (tcpdump_find(path, sizeof(path))) {
		printf("1..0 # SKIP tcpdump is not installed\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
