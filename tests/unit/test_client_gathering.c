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

#include <json-c/json.h>
#include "gathering.h"
#include "limit.h"

static const struct gathering_view plain = {
	.width = 80, .gather_size = DEFAULT_GATHER_SIZE, .ring_bytes = DEFAULT_RING_BYTES};

#define BARS(text) "\"bars\":[" text "]"
#define TIMES      "\"minNs\":1200,\"p50Ns\":2500,\"p90Ns\":3100,\"p99Ns\":9000,\"maxNs\":120000,"
#define POINT(name, packets, missing, unsure) \
	"{\"name\":\"" name "\",\"packets\":" #packets ",\"missing\":" #missing ",\"unsure\":" #unsure "}"

static const char three_points[] =
	"{\"packets\":1009,\"open\":0,\"evicted\":0,\"unplaced\":0,\"points\":["
	POINT("tracepoint:net:netif_receive_skb", 1009, 0, 0) "," POINT("ip_local_deliver", 1009, 0, 0) ","
	POINT("icmp_rcv", 998, 11, 0) "],\"edges\":["
	"{\"from\":\"ip_local_deliver\",\"to\":\"icmp_rcv\",\"count\":998," TIMES
	BARS("{\"ns\":1024,\"count\":997},{\"ns\":1048576,\"count\":1}") "},"
	"{\"from\":\"tracepoint:net:netif_receive_skb\",\"to\":\"ip_local_deliver\",\"count\":998," TIMES
	BARS("{\"ns\":1024,\"count\":200},{\"ns\":2048,\"count\":700},{\"ns\":16384,\"count\":98}") "}"
	"],\"other\":0,\"whole\":{\"from\":\"\",\"to\":\"\",\"count\":998,"
	TIMES BARS("{\"ns\":4096,\"count\":998}") "}}";

/* For the caller to free. */
static char *printed(const char *json, const struct gathering_view *v)
{
	struct json_object *object = json_tokener_parse(json);
	unsigned lines, counted = 0;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(object);
	lines = gathering_print(out, object, v);
	fclose(out);
	json_object_put(object);
	for (const char *c = text; (c = strchr(c, '\n')); c++)
		counted++;
	assert_int_equal(lines, counted);
	return text;
}

static void assert_narrow(const char *text, size_t width)
{
	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		size_t columns = 0;

		for (const char *c = line; c < end; c++) {
			assert_false(*c > 0 && *c < 0x20);
			columns += (*c & 0xc0) != 0x80;
		}
		if (columns > width)
			fail_msg("%zu columns: %.*s", columns, (int)(end - line), line);
	}
}

static void few_edges_have_histograms(void **state)
{
	char *text = printed(three_points, &plain);

	assert_string_equal(text,
			    "1009 packets gathered.\n"
			    "\n"
			    "TRACE POINT                      PACKETS NEVER CAME SHARE\n"
			    "tracepoint:net:netif_receive_skb    1009          0     -\n"
			    "ip_local_deliver                    1009          0     -\n"
			    "icmp_rcv                             998         11 1.1 %\n"
			    "\n"
			    "tracepoint:net:netif_receive_skb -> ip_local_deliver\n"
			    "  998 packets: min 1.20us, p50 2.50us, p90 3.10us, p99 9.00us, max 120us\n"
			    "  from 1.02 us  200  #############\n"
			    "  from 2.05 us  700  ################################################\n"
			    "  from 4.10 us    0\n"
			    "  from 8.19 us    0\n"
			    "  from 16.4 us   98  ######\n"
			    "\n"
			    "ip_local_deliver -> icmp_rcv\n"
			    "  998 packets: min 1.20us, p50 2.50us, p90 3.10us, p99 9.00us, max 120us\n"
			    "  from 1.02 us  997  ################################################\n"
			    "  ...\n"
			    "  from 1.05 ms    1  #\n"
			    "\n"
			    "The whole way, from the first trace point of each packet to its last\n"
			    "  998 packets: min 1.20us, p50 2.50us, p90 3.10us, p99 9.00us, max 120us\n"
			    "  from 4.10 us  998  ################################################\n");
	free(text);
}

static void bars_have_eighths_where_they_can(void **state)
{
	struct gathering_view v = plain;
	char *text;

	v.utf8 = true;
	text = printed(three_points, &v);
	assert_non_null(strstr(text, "  from 1.02 us  200  █████████████▋\n"));
	assert_non_null(strstr(text, "  from 1.05 ms    1  ▏\n"));
	assert_narrow(text, 80);
	free(text);
}

static void the_only_edge_is_the_whole_way(void **state)
{
	char *text = printed("{\"packets\":2,\"points\":[],"
			     "\"edges\":[{\"from\":\"a\",\"to\":\"b\",\"count\":2," TIMES BARS("") "}],"
			     "\"whole\":{\"from\":\"\",\"to\":\"\",\"count\":2," TIMES BARS("") "}}", &plain);

	assert_string_equal(text, "2 packets gathered.\n\na -> b\n"
				  "  2 packets: min 1.20us, p50 2.50us, p90 3.10us, p99 9.00us, max 120us\n");
	free(text);
}

/* So many edges, the later ones with fewer packets, between points p0, p1, ... For the caller to free. */
static char *many_edges(unsigned edges, const char *prefix, uint64_t count)
{
	char *json;
	size_t size;
	FILE *f = open_memstream(&json, &size);

	fprintf(f, "{\"packets\":%ju,\"points\":[", (uintmax_t)count);
	for (unsigned i = 0; i <= edges; i++)
		fprintf(f, "%s{\"name\":\"%sp%u\",\"packets\":%ju,\"missing\":%ju,\"unsure\":%ju}", i ? "," : "",
			prefix, i, (uintmax_t)(i % 2 ? count : 0), (uintmax_t)count, (uintmax_t)count);
	fprintf(f, "],\"edges\":[");
	for (unsigned i = 0; i < edges; i++)
		fprintf(f, "%s{\"from\":\"%sp%u\",\"to\":\"%sp%u\",\"count\":%ju,\"minNs\":%ju,\"p50Ns\":%ju,"
			"\"p90Ns\":%ju,\"p99Ns\":%ju,\"maxNs\":%ju,\"bars\":[{\"ns\":1024,\"count\":%ju},"
			"{\"ns\":4611686018427387904,\"count\":%ju}]}",
			i ? "," : "", prefix, i, prefix, i + 1, (uintmax_t)(count - i), (uintmax_t)count,
			(uintmax_t)count, (uintmax_t)count, (uintmax_t)count, (uintmax_t)count, (uintmax_t)count,
			(uintmax_t)count);
	fprintf(f, "]}");
	fclose(f);
	return json;
}

static void many_edges_have_a_line_each(void **state)
{
	char *json = many_edges(24, "tracepoint:net:a_long_name_", 1000), *text = printed(json, &plain);
	unsigned drawn = 0;

	for (const char *c = text; (c = strstr(c, "packets: min")); c++)
		drawn++;
	assert_int_equal(drawn, 4); /* those with the most packets, in the session's order */
	assert_non_null(strstr(text, "\ntracepoint:net:a_long_name_p3 -> tracepoint:net:a_long_name_p4\n"
				     "  997 packets"));
	assert_non_null(strstr(text, "\nFROM "));
	assert_non_null(strstr(text, "\n~t:a_long_name_p23 ~t:a_long_name_p24     977 1.00us 1.00us 1.00us 1.00us "
				     "1.00us\n"));
	assert_non_null(strstr(text, "\n13 other trace points, where no packet came\n"));
	assert_narrow(text, 80);
	free(text);
	free(json);
}

static void little_room_takes_histograms_away(void **state)
{
	struct gathering_view v = plain;
	unsigned last = UINT32_MAX;

	for (v.lines = 30; v.lines; v.lines--) {
		char *text = printed(three_points, &v); /* no lines are counted that are not there */
		unsigned lines = 0;

		for (const char *c = text; (c = strchr(c, '\n')); c++)
			lines++;
		assert_in_range(lines, 1, v.lines);
		assert_true(lines <= last);
		last = lines;
		if (v.lines == 12) {
			assert_non_null(strstr(text, "... and "));
			assert_null(strstr(text, "###"));
		}
		free(text);
	}
}

static void what_went_wrong_has_a_sentence(void **state)
{
	static const char json[] = "{\"packets\":10,\"open\":3,\"evicted\":4,\"unplaced\":5,\"other\":6,\"points\":["
				   POINT("a", 99999, 1, 1) "," POINT("b", 1, 99999, 0) "],\"edges\":[]}";
	struct gathering_view v = plain;
	char *text = printed(json, &v);

	assert_string_equal(text,
			    "10 packets gathered, 3 of them still on the way.\n"
			    "4 of them were given up, as more were on the way than --gather-buffer-size\n"
			    "(32768): make it larger, or --gather-timeout shorter.\n"
			    "5 events belong to no packet that is known, and count as lost: its first event\n"
			    "was lost, or its way was over. A larger --ring-size or --gather-timeout may\n"
			    "help.\n"
			    "6 times packets went from one trace point to another in ways that are too many\n"
			    "to list.\n"
			    "\n"
			    "TRACE POINT PACKETS NEVER CAME  SHARE OF THESE UNSURE\n"
			    "a             99999          1 <0.1 %               1\n"
			    "b                 1      99999 99.9 %               -\n");
	free(text);
	v.gather_size = LIMIT_GATHER_MAX;
	v.ring_bytes = LIMIT_RING_MAX;
	text = printed(json, &v);
	assert_non_null(strstr(text, "(1048576): narrow the filter (-e).\n"));
	assert_non_null(strstr(text, " A narrower filter (-e) or"));
	free(text);
}

static void huge_numbers_and_hostile_names_fit(void **state)
{
	static const char *const prefixes[] = {
		"",
		"\\u001b[2J\\n\\u00e9",
		"a_name_that_is_longer_than_a_line_of_this_table_and_even_longer_than_a_line_of_a_wide_terminal_is",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		for (unsigned edges = 1; edges < 9; edges += 7) {
			char *json = many_edges(edges, prefixes[i], INT64_MAX), *text = printed(json, &plain);

			assert_narrow(text, 80);
			assert_non_null(strstr(text, "9223372036854775807 packets"));
			free(text);
			free(json);
		}
	}
}

static void odd_objects_are_harmless(void **state)
{
	static const char *const odd[] = {
		"{}", "[]", "7", "{\"packets\":-5,\"points\":7,\"edges\":{},\"whole\":[]}",
		"{\"edges\":[null,7,{},{\"from\":\"a\"},{\"from\":\"a\",\"to\":\"b\",\"count\":0}],\"points\":[]}",
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		char *text = printed(odd[i], &plain);

		assert_string_equal(text, "0 packets gathered.\n");
		free(text);
	}
	free(printed("{\"points\":[null,{\"name\":7}],"
		     "\"edges\":[{\"from\":\"a\",\"to\":\"a\",\"count\":1,\"bars\":[null,"
		     "{\"ns\":-1,\"count\":-1},{\"ns\":1,\"count\":9}]}]}", &plain));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_edges_have_histograms),
		cmocka_unit_test(bars_have_eighths_where_they_can),
		cmocka_unit_test(the_only_edge_is_the_whole_way),
		cmocka_unit_test(many_edges_have_a_line_each),
		cmocka_unit_test(little_room_takes_histograms_away),
		cmocka_unit_test(what_went_wrong_has_a_sentence),
		cmocka_unit_test(huge_numbers_and_hostile_names_fit),
		cmocka_unit_test(odd_objects_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
