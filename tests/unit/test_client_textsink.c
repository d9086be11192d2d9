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
		cmocka_unit_test(flags_are_checked_before_anything_is_asked),
	};
	char path[4096];

	if (tcpdump_find(path, sizeof(path))) {
		printf("1..0 # SKIP tcpdump is not installed\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
