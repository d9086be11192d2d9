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
#include "limit.h"
#include "summary.h"

#define COUNTERS(hits, filtered, captured, ring, client, limited, missed) \
	"{\"hits\":" #hits ",\"filtered\":" #filtered ",\"captured\":" #captured \
	",\"lostRing\":" #ring ",\"lostClient\":" #client ",\"limited\":" #limited \
	",\"inFlight\":0,\"missed\":" #missed "}"

/* What is said at the end of the session, for the caller to free. */
static char *ended(const char *session, const struct options *o, const struct sink *sink,
		   uint64_t received)
{
	struct json_object *object = json_tokener_parse(session);
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(object);
	summary_ended(out, object, "stopped", o, sink, received);
	fclose(out);
	json_object_put(object);
	return text;
}

static void all_is_well(void **state)
{
	const struct options o = {.spec = {.ring_bytes = DEFAULT_RING_BYTES}};
	const struct sink sink = {.packets = 7};
	static const char session[] =
		"{\"id\":3,\"points\":[],\"counters\":" COUNTERS(10, 2, 7, 0, 0, 1, 0) "}";
	char *text = ended(session, &o, &sink, 7);

	assert_string_equal(text,
			    "session 3 ended (stopped): 10 hits = 2 filtered + 7 captured + "
			    "0 lost (0 ring, 0 slow client) + 1 limited\nnothing was lost.\n");
	free(text);
}

static void tracked_packets_are_told(void **state)
{
	struct options o = {.spec = {.ring_bytes = DEFAULT_RING_BYTES, .track_size = DEFAULT_TRACK_SIZE}};
	const struct sink sink = {.packets = 7};
	static const char session[] = "{\"id\":3,\"points\":[],\"counters\":" COUNTERS(10, 2, 7, 0, 0, 1, 0)
				      ",\"tracking\":{\"packets\":5,\"evicted\":2,\"missed\":3}}";
	char *text = ended(session, &o, &sink, 7);

	assert_non_null(strstr(text, "\n5 packets tracked, 2 evicted: more could be followed at a time with a "
				     "larger --track-size.\n"));
	assert_non_null(strstr(text, "\n3 times the kernel did not run"));
	free(text);
	o.spec.track_size = LIMIT_TRACK_MAX;
	text = ended(session, &o, &sink, 7);
	assert_non_null(strstr(text, "\n5 packets tracked, 2 evicted.\n"));
	free(text);
}

/* Captured are events, and the stream holds packets: only these can be compared. */
static void gathered_packets_are_compared_with_those_that_came(void **state)
{
	struct options o = {.spec = {.ring_bytes = DEFAULT_RING_BYTES, .gather = (char *)"track"}};
	const struct sink sink = {.packets = 7};
	static const char session[] = "{\"id\":3,\"points\":[],\"counters\":" COUNTERS(30, 2, 28, 0, 0, 0, 0)
				      ",\"tracking\":{\"packets\":7,\"evicted\":2},\"gathering\":{\"packets\":7}}";
	char *text = ended(session, &o, &sink, 7);

	assert_null(strstr(text, "the data stream held"));
	assert_non_null(strstr(text, "\n7 packets tracked, 2 evicted.\n"));
	free(text);
	text = ended(session, &o, &sink, 6);
	assert_non_null(strstr(text, "\nthe data stream held 6 of the 7 packets that were gathered.\n"));
	free(text);
	o.spec.slower_ns = 1500000;
	text = ended(session, &o, &sink, 6);
	assert_non_null(strstr(text, "\n6 packets were slower than 1.50 ms.\n"));
	assert_null(strstr(text, "the data stream held"));
	free(text);
	o.spec.slower_ns = 0;
	o.spec.histogram = true;
	text = ended(session, &o, &sink, 0);
	assert_null(strstr(text, "the data stream held"));
	free(text);
}

static void losses_are_named_with_what_to_do(void **state)
{
	struct options o = {.spec = {.ring_bytes = 65536}};
	const struct sink sink = {.packets = 7};
	static const char session[] =
		"{\"id\":3,\"points\":[{\"name\":\"a\",\"counters\":" COUNTERS(5, 0, 3, 1, 1, 0, 0)
		"},{\"name\":\"b\",\"counters\":" COUNTERS(8, 0, 4, 2, 2, 0, 9)
		"}],\"counters\":" COUNTERS(13, 0, 7, 3, 3, 0, 9) "}";
	char *text = ended(session, &o, &sink, 7);

	assert_non_null(strstr(text, "\n  a: 5 hits = 0 filtered + 3 captured + 2 lost (1 ring, "
				     "1 slow client) + 0 limited\n"));
	assert_non_null(strstr(text, "\n  b: 8 hits"));
	assert_non_null(strstr(text, "9 missed\n"));
	assert_non_null(strstr(text, "3 packets were lost because the ring was full"));
	assert_non_null(strstr(text, "--ring-size, now 65536 bytes"));
	assert_non_null(strstr(text, "3 packets were lost because they were not taken fast"));
	assert_non_null(strstr(text, "-w FILE"));
	assert_null(strstr(text, "nothing was lost"));
	free(text);
	o.spec.ring_bytes = LIMIT_RING_MAX; /* no larger ring to be had */
	text = ended(session, &o, &sink, 7);
	assert_null(strstr(text, "--ring-size"));
	assert_non_null(strstr(text, "narrow the filter"));
	free(text);
}

/* With many trace points, those that saw nothing are a number, and those that failed were told before. */
static void trace_points_without_hits_are_counted(void **state)
{
	const struct options o = {0};
	const struct sink sink = {.packets = 1};
	char *text, *session;
	size_t size;
	FILE *f = open_memstream(&session, &size);

	fputs("{\"id\":3,\"points\":[{\"name\":\"hit\",\"counters\":" COUNTERS(1, 0, 1, 0, 0, 0, 0)
	      "},{\"name\":\"failed\",\"reason\":\"x\",\"counters\":" COUNTERS(0, 0, 0, 0, 0, 0, 0) "}", f);
	for (int i = 0; i < 20; i++)
		fputs(",{\"name\":\"never\",\"counters\":" COUNTERS(0, 0, 0, 0, 0, 0, 0) "}", f);
	fputs("],\"counters\":" COUNTERS(1, 0, 1, 0, 0, 0, 0) "}", f);
	fclose(f);
	text = ended(session, &o, &sink, 1);
	assert_non_null(strstr(text, "\n  hit: 1 hits"));
	assert_non_null(strstr(text, "\n  20 other trace points were never hit\n"));
	assert_null(strstr(text, "failed"));
	assert_null(strstr(text, "never: "));
	free(text);
	free(session);
}

static void files_and_differences_are_counted(void **state)
{
	const struct options o = {.write_path = "x.pcap"};
	const struct sink sink = {.packets = 5, .skipped = 1};
	static const char session[] =
		"{\"id\":3,\"points\":[],\"counters\":" COUNTERS(7, 0, 7, 0, 0, 0, 0) "}";
	char *text = ended(session, &o, &sink, 6);

	assert_non_null(strstr(text, "held 6 of the 7 captured"));
	assert_non_null(strstr(text, "5 packets written to x.pcap.\n"));
	assert_non_null(strstr(text, "1 packets without packet headers were left out"));
	free(text);
}

static void a_reply_without_counts_is_no_crash(void **state)
{
	static const char *const odd[] = {"{}", "{\"counters\":7}", "{\"counters\":{}}", "[]",
					  "{\"counters\":{\"hits\":\"x\"}}"};
	const struct options o = {0};
	const struct sink sink = {0};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		char *text = ended(odd[i], &o, &sink, 0);

		assert_string_equal(text, "the daemon sent no final counts.\n");
		free(text);
	}
}

static void trace_points_that_failed_are_named(void **state)
{
	struct json_object *session = json_tokener_parse(
		"{\"filter\":\"tcp\",\"points\":[{\"name\":\"a\",\"hook\":\"tp_btf\"},"
		"{\"name\":\"b\\u001b\",\"reason\":\"no such thing\"},"
		"{\"name\":\"c\",\"hook\":\"kprobe\",\"note\":\"not at all of them\"}]}");
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	summary_attached(out, session);
	fclose(out);
	assert_string_equal(text, "not attached: b\\x1b: no such thing\n"
				  "partly attached: c: not at all of them\n"
				  "capturing at 2 trace points matching \"tcp\"; Ctrl-C ends it\n");
	free(text);
	json_object_put(session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(tracked_packets_are_told),
		cmocka_unit_test(gathered_packets_are_compared_with_those_that_came),
		cmocka_unit_test(losses_are_named_with_what_to_do),
		cmocka_unit_test(trace_points_without_hits_are_counted),
		cmocka_unit_test(files_and_differences_are_counted),
		cmocka_unit_test(a_reply_without_counts_is_no_crash),
		cmocka_unit_test(trace_points_that_failed_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
