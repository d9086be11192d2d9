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

#include "exitcode.h"
#include "limit.h"
#include "options.h"

#define MAX_WORDS 32

/* Parses a command line of words separated by "|" (values may hold blanks). */
static int parse(struct options *o, const char *line)
{
	static char copy[4096];
	char *argv[MAX_WORDS + 1] = {0};
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *rest = copy, *word; argc < MAX_WORDS && (word = strsep(&rest, "|"));)
		argv[argc++] = word;
	*o = (struct options){0};
	return options_parse_skb(o, argc, argv);
}

static void the_verb_says_which_packets(void **state)
{
	const char *argument;
	char *points[] = {(char *)"points", (char *)"--xdp", (char *)"xdp_*", NULL};
	char *list[] = {(char *)"list", (char *)"--xdp", NULL};
	struct options o;

	assert_int_equal(parse(&o, "skb|-f|ip_rcv"), EXITCODE_OK);
	assert_null(o.spec.packets);
	options_clear(&o);
	assert_int_equal(parse(&o, "xdp|-f|xdp_do_redirect,progexit:xdp_pass"), EXITCODE_OK);
	assert_string_equal(o.spec.packets, "xdp");
	options_clear(&o);
	o = (struct options){0};
	assert_int_equal(options_parse_plain(&o, 3, points, 1, &argument), EXITCODE_OK);
	assert_string_equal(o.spec.packets, "xdp");
	assert_string_equal(argument, "xdp_*");
	options_clear(&o);
	o = (struct options){0};
	assert_int_equal(options_parse_plain(&o, 2, list, 0, &argument), EXITCODE_USAGE);
	options_clear(&o);
}

static void every_option_reaches_the_spec(void **state)
{
	struct options o;

	assert_int_equal(
		parse(&o, "skb|-f|tracepoint:skb:kfree_skb, tracepoint:net:net_dev_queue|-i|eth0"
			  "|-e|tcp port 9000|-c|10|--capture-max-size|64K|-S|--mark|0x10/0xf0"
			  "|--pid|7|--comm|nc|--ring-size|1M|--dry-run|--fake-hdr=never|--inner|--track|--group|--track-size|2K|--skb-data"
			  "|--skb-data-offset|-34"),
		EXITCODE_OK);
	assert_int_equal(o.spec.points.count, 2);
	assert_string_equal(o.spec.points.items[1], "tracepoint:net:net_dev_queue");
	assert_string_equal(o.spec.interface, "eth0");
	assert_string_equal(o.spec.filter, "tcp port 9000");
	assert_int_equal(o.spec.count, 10);
	assert_int_equal(o.spec.snaplen, 65536);
	assert_int_equal(o.spec.mark, 0x10);
	assert_int_equal(o.spec.mark_mask, 0xf0);
	assert_int_equal(o.spec.pid, 7);
	assert_string_equal(o.spec.comm, "nc");
	assert_int_equal(o.spec.ring_bytes, 1 << 20);
	assert_true(o.spec.stack);
	assert_true(o.spec.dry_run);
	assert_string_equal(o.spec.fake_hdr, "never");
	assert_true(o.spec.inner);
	assert_true(o.spec.track);
	assert_true(o.group);
	assert_true(o.spec.track_ends);
	assert_int_equal(o.spec.track_size, 2048);
	assert_true(o.spec.skb_data);
	assert_int_equal(o.spec.skb_data_offset, -34);
	options_clear(&o);
}

static void long_names_work_too(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "skb|--function=tracepoint:skb:kfree_skb|--interface=lo|--"
				   "expression=ip"
				   "|--tcpdump-flags=-e|--write-file=x.pcap|--write-file-rotate=5"
				   "|--count=1|--stack-dump|--stack-dump-color=cyan|--netns=blue"
				   "|--socket=/s|--format=pcapng"),
			 EXITCODE_OK);
	assert_string_equal(o.tcpdump_flags, "-e");
	assert_string_equal(o.write_path, "x.pcap");
	assert_int_equal(o.format, FORMAT_PCAPNG);
	assert_int_equal(o.rotate, 5);
	assert_string_equal(o.stack_color, "cyan");
	assert_string_equal(o.netns, "blue");
	assert_string_equal(o.socket_path, "/s");
	options_clear(&o);
}

static void defaults_are_those_of_the_protocol(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "skb|-f|tracepoint:skb:kfree_skb"), EXITCODE_OK);
	assert_int_equal(o.spec.snaplen, DEFAULT_SNAPLEN);
	assert_int_equal(o.spec.ring_bytes, DEFAULT_RING_BYTES);
	assert_string_equal(o.tcpdump_flags, "-nn");
	assert_null(o.spec.filter);
	assert_int_equal(o.spec.mark_mask, 0);
	assert_null(o.spec.fake_hdr);
	options_clear(&o);
	assert_int_equal(parse(&o, "skb|-f|ip_rcv|--fake-hdr"), EXITCODE_OK);
	assert_string_equal(o.spec.fake_hdr, "auto");
	options_clear(&o);
}

static void later_options_win_and_points_add_up(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "skb|-f|tracepoint:a:b|-f|tracepoint:c:d|-e|ip|-e| |--mark|7"),
			 EXITCODE_OK);
	assert_int_equal(o.spec.points.count, 2);
	assert_null(o.spec.filter); /* an empty expression means everything */
	assert_int_equal(o.spec.mark_mask, UINT32_MAX);
	options_clear(&o);
}

static void what_makes_no_sense_is_a_usage_error(void **state)
{
	static const char *const bad[] = {
		"skb",
		"skb|-f",
		"skb|-f|",
		"skb|-f|tracepoint:skb:kfree_skb,",
		"skb|-f|tracepoint:skb",
		"skb|-f|x|host 10.0.0.1",
		"skb|-f|x|--bogus",
		"skb|-f|x|-z",
		"skb|-f|x|-c|many",
		"skb|-f|x|--capture-max-size|0",
		"skb|-f|x|--capture-max-size|262145",
		"skb|-f|x|--ring-size|65535",
		"skb|-f|x|--mark|5/1",
		"skb|-f|x|--mark|0x100000000",
		"skb|-f|x|--mark|1/0",
		"skb|-f|x|--mark|1/",
		"skb|-f|x|--fake-hdr=maybe",
		"xdp",
		"xdp|-f|x|--mark|1",
		"xdp|-f|x|--fake-hdr",
		"xdp|-f|x|--skb-data",
		"skb|-f|x|--skb-data-offset|-34",
		"skb|-f|x|--skb-data|--skb-data-offset|--34",
		"skb|-f|x|--skb-data|--skb-data-offset|65536",
		"skb|-f|x|--pid|0",
		"skb|-f|x|--comm|a name too long for it",
		"skb|-f|x|-i|",
		"skb|-f|x|--stack-dump-color|pink",
		"skb|-f|x|--format|pcap",
		"skb|-f|x|-w|f|--format|zip",
		"skb|-f|x|--write-file-rotate|5",
		"skb|-f|x|-w|-|--write-file-rotate|5",
		"skb|-f|x|-w|",
		"skb|-f|x|-w|f|--json",
		"skb|-f|x|--group",
		"skb|-f|x|--track-size|2048",
		"skb|-f|x|--track|--track-size|1023",
	};
	struct options o;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int code = parse(&o, bad[i]);

		options_clear(&o);
		if (code != EXITCODE_USAGE)
			fail_msg("\"%s\" gives %d", bad[i], code);
	}
}

static void packets_are_told_apart_as_asked(void **state)
{
	static const struct {
		const char *line, *gather;
	} lines[] = {
		{"skb|-f|a,b|-G", "track"},
		{"skb|-f|a,b|--gather|--track", "track"},
		{"skb|-f|a,b|-G|--gather-distinguish-by-pointer", "pointer"},
		{"skb|-f|a|-f|b|--gather-distinguish-by-content|-G", "content"},
		{"xdp|-f|a,b|-G", "content"},
		{"xdp|-f|a,b|-G|--gather-distinguish-by-content", "content"},
		{"skb|-f|xdp:prog:x,tracepoint:net:netif_receive_skb|-G", "content"},
		{"skb|-f|a_*|-G", "track"}, /* may be many */
		{"skb|-f|all|-G", "track"},
		{"skb|-f|prog:x|-G", "track"},
	};
	struct options o;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(&o, lines[i].line), EXITCODE_OK);
		assert_string_equal(o.spec.gather, lines[i].gather);
		assert_false(o.spec.track); /* the daemon takes one of them */
		assert_true(o.spec.quiet);
		options_clear(&o);
	}
	assert_int_equal(parse(&o, "skb|-f|a,b"), EXITCODE_OK);
	assert_null(o.spec.gather);
	options_clear(&o);
}

static void how_ways_are_gathered_reaches_the_spec(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "skb|-f|a,b|-G|--gather-timeout|500|--gather-buffer-size|4K"
				   "|--gather-output-color|cyan|-S|--json"), EXITCODE_OK);
	assert_int_equal(o.spec.gather_timeout_ms, 500);
	assert_int_equal(o.spec.gather_size, 4096);
	assert_string_equal(o.gather_color, "cyan");
	options_clear(&o);
	assert_int_equal(parse(&o, "skb|-f|a,b|-G|--gather-timeout|2s"), EXITCODE_OK);
	assert_int_equal(o.spec.gather_timeout_ms, 2000);
	assert_int_equal(o.spec.gather_size, DEFAULT_GATHER_SIZE);
	options_clear(&o);
	assert_int_equal(parse(&o, "skb|-f|a,b|--slower-than|1.5ms|-w|f"), EXITCODE_OK);
	assert_string_equal(o.spec.gather, "track");
	assert_int_equal(o.spec.slower_ns, 1500000);
	assert_int_equal(o.spec.gather_timeout_ms, DEFAULT_GATHER_TIMEOUT);
	options_clear(&o);
	/* a packet is not forgotten while it is slow */
	assert_int_equal(parse(&o, "skb|-f|a,b|--slower-than|2s"), EXITCODE_OK);
	assert_int_equal(o.spec.gather_timeout_ms, 4000);
	options_clear(&o);
	assert_int_equal(parse(&o, "skb|-f|a,b|--slower-than|800ms"), EXITCODE_OK);
	assert_int_equal(o.spec.gather_timeout_ms, 1600);
	options_clear(&o);
	assert_int_equal(parse(&o, "skb|-f|a,b|--slower-than|500s"), EXITCODE_OK);
	assert_int_equal(o.spec.gather_timeout_ms, LIMIT_GATHER_TIMEOUT);
	options_clear(&o);
	assert_int_equal(parse(&o, "skb|-f|a,b|--histogram|--json|--summary"), EXITCODE_OK);
	assert_string_equal(o.spec.gather, "track");
	assert_true(o.spec.histogram);
	assert_true(o.spec.gather_summary);
	assert_false(o.spec.quiet); /* or nothing would come */
	options_clear(&o);
	assert_int_equal(parse(&o, "skb|-f|a,b|--summary|-c|0|--dry-run"), EXITCODE_OK);
	assert_string_equal(o.spec.gather, "track");
	options_clear(&o);
}

static void ways_that_make_no_sense_are_usage_errors(void **state)
{
	static const char *const bad[] = {
		"skb|-G",
		"skb|-f|a|-G",
		"skb|-f|a,a|-G",
		"skb|-f|tracepoint:skb:kfree_skb|--histogram",
		"skb|-f|a|--slower-than|1ms",
		"skb|-f|a|--summary",
		"xdp|-f|a|-G",
		"skb|-f|a,b|--gather-timeout|5",
		"skb|-f|a,b|--gather-buffer-size|16",
		"skb|-f|a,b|--gather-distinguish-by-pointer",
		"skb|-f|a,b|--gather-distinguish-by-content",
		"skb|-f|a,b|--gather-output-color|red",
		"skb|-f|a,b|-G|--gather-timeout|0",
		"skb|-f|a,b|-G|--gather-timeout|100us",
		"skb|-f|a,b|-G|--gather-timeout|1.5ms",
		"skb|-f|a,b|-G|--gather-timeout|600001",
		"skb|-f|a,b|-G|--gather-timeout|601s",
		"skb|-f|a,b|-G|--gather-timeout|soon",
		"skb|-f|a,b|-G|--gather-timeout|-1",
		"skb|-f|a,b|-G|--gather-buffer-size|0",
		"skb|-f|a,b|-G|--gather-buffer-size|15",
		"skb|-f|a,b|-G|--gather-buffer-size|1048577",
		"skb|-f|a,b|-G|--gather-buffer-size|many",
		"skb|-f|a,b|-G|--gather-output-color|pink",
		"skb|-f|a,b|-G|--gather-distinguish-by-pointer|--gather-distinguish-by-content",
		"skb|-f|a,b|-G|--track|--gather-distinguish-by-pointer",
		"skb|-f|a,b|-G|--track|--group",
		"skb|-f|a,b|-G|--group",
		"skb|-f|a,b|-G|--track|--track-size|2048",
		"skb|-f|a,b|-G|--track-size|2048",
		"xdp|-f|a,b|-G|--track",
		"skb|-f|xdp:prog:x,b|-G|--track",
		"skb|-f|a,xdp:b|-G|--gather-distinguish-by-pointer",
		"xdp|-f|a,b|-G|--gather-distinguish-by-pointer",
		"skb|-f|a,b|--slower-than|1",
		"skb|-f|a,b|--slower-than|0ms",
		"skb|-f|a,b|--slower-than|-1ms",
		"skb|-f|a,b|--slower-than|601s",
		"skb|-f|a,b|--slower-than|1s|--gather-timeout|500",
		"skb|-f|a,b|--slower-than|1s|--gather-timeout|1s",
		"skb|-f|a,b|--histogram|--slower-than|1ms",
		"skb|-f|a,b|--histogram|-S",
		"skb|-f|a,b|--histogram|-w|f",
		"skb|-f|a,b|--histogram|-c|5",
	};
	struct options o;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int code = parse(&o, bad[i]);

		options_clear(&o);
		if (code != EXITCODE_USAGE)
			fail_msg("\"%s\" gives %d", bad[i], code);
	}
}

static void limits_of_the_protocol_hold(void **state)
{
	char line[2200] = "skb|-f|x|-e|";
	struct options o;

	memset(line + strlen(line), 'a', LIMIT_FILTER_BYTES + 1);
	assert_int_equal(parse(&o, line), EXITCODE_USAGE);
	options_clear(&o);
	line[strlen(line) - 1] = '\0';
	assert_int_equal(parse(&o, line), EXITCODE_OK);
	options_clear(&o);
	strcpy(line, "skb|-f|x");
	for (int i = 1; i < LIMIT_POINTS; i++)
		strcat(line, ",x");
	assert_int_equal(parse(&o, line), EXITCODE_OK);
	options_clear(&o);
	strcat(line, ",x");
	assert_int_equal(parse(&o, line), EXITCODE_USAGE);
	options_clear(&o);
}

static void help_comes_before_all_else(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "skb|--help|--bogus"), EXITCODE_OK);
	assert_true(o.help);
	options_clear(&o);
}

static void plain_verbs_take_one_argument(void **state)
{
	char words[][8] = {"stats", "--json", "7", "8"};
	char *argv[] = {words[0], words[1], words[2], words[3], NULL};
	struct options o = {0};
	const char *argument;

	assert_int_equal(options_parse_plain(&o, 3, argv, 1, &argument), EXITCODE_OK);
	assert_string_equal(argument, "7");
	assert_true(o.json);
	options_clear(&o);
	assert_int_equal(options_parse_plain(&o, 4, argv, 1, &argument), EXITCODE_USAGE);
	options_clear(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verb_says_which_packets),
		cmocka_unit_test(every_option_reaches_the_spec),
		cmocka_unit_test(long_names_work_too),
		cmocka_unit_test(defaults_are_those_of_the_protocol),
		cmocka_unit_test(later_options_win_and_points_add_up),
		cmocka_unit_test(what_makes_no_sense_is_a_usage_error),
		cmocka_unit_test(packets_are_told_apart_as_asked),
		cmocka_unit_test(how_ways_are_gathered_reaches_the_spec),
		cmocka_unit_test(ways_that_make_no_sense_are_usage_errors),
		cmocka_unit_test(limits_of_the_protocol_hold),
		cmocka_unit_test(help_comes_before_all_else),
		cmocka_unit_test(plain_verbs_take_one_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
