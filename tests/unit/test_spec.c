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

#include "limit.h"
#include "spec.h"

static int read_spec(struct spec *s, const char *text, const char **field, char *why, size_t size)
{
	struct json_object *object = jsonstrict_parse(text, strlen(text), 8, why, size);
	static char name[64];
	int r;

	if (!object)
		fail_msg("%s: %s", text, why);
	spec_init(s);
	r = spec_from_json(s, object, field, why, size);
	if (r == -EINVAL) {
		/* The name of an unknown member lives only as long as the object. */
		snprintf(name, sizeof(name), "%s", *field);
		*field = name;
	}
	json_object_put(object);
	return r;
}

static void check_refused(const char *text, const char *member, const char *reason)
{
	struct spec s;
	const char *field = NULL;
	char why[512] = "";

	assert_int_equal(read_spec(&s, text, &field, why, sizeof(why)), -EINVAL);
	assert_string_equal(field, member);
	if (!strstr(why, reason))
		fail_msg("%s: \"%s\" is not in: %s", text, reason, why);
	spec_clear(&s);
}

static void read_good(struct spec *s, const char *text)
{
	const char *field = "";
	char why[512] = "";

	if (read_spec(s, text, &field, why, sizeof(why)))
		fail_msg("%s: %s: %s", text, field, why);
}

static void test_defaults(void **state)
{
	struct json_object *object;
	struct spec s;

	read_good(&s, "{\"points\":[\"tp:skb:kfree_skb\"]}");
	assert_int_equal(s.points.count, 1);
	assert_string_equal(s.points.items[0], "tp:skb:kfree_skb");
	assert_null(s.filter);
	assert_null(s.interface);
	assert_null(s.comm);
	assert_int_equal(s.snaplen, DEFAULT_SNAPLEN);
	assert_int_equal(s.ring_bytes, DEFAULT_RING_BYTES);
	assert_int_equal(s.count, 0);
	assert_int_equal(s.mark_mask, 0);
	assert_false(s.stack);
	assert_false(s.dry_run);
	object = spec_to_json(&s);
	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
			    "{\"points\":[\"tp:skb:kfree_skb\"]}");
	json_object_put(object);
	spec_clear(&s);
	spec_clear(&s);
	spec_clear(NULL);
}

static void test_all_members_there_and_back(void **state)
{
	static const char text[] =
		"{\"points\":[\"icmp_rcv@1\",\"tp:net:net_dev_xmit\"],\"filter\":\"udp\\tport 9\","
		"\"interface\":\"eth0.5\",\"netns\":4026531840,\"mark\":0,\"markMask\":255,"
		"\"pid\":77,\"comm\":\"a b\",\"snaplen\":262144,\"count\":9223372036854775807,"
		"\"ringBytes\":65536,\"stack\":true,\"fakeHdr\":\"always\",\"inner\":true,\"track\":true,"
		"\"trackSize\":1024,\"trackEnds\":true,\"skbData\":true,"
		"\"skbDataOffset\":-34,\"quiet\":true,\"dryRun\":true}";
	struct json_object *object;
	struct spec s;

	read_good(&s, text);
	assert_int_equal(s.points.count, 2);
	assert_string_equal(s.filter, "udp\tport 9");
	assert_string_equal(s.interface, "eth0.5");
	assert_int_equal(s.netns, 4026531840);
	assert_int_equal(s.mark, 0);
	assert_int_equal(s.mark_mask, 255);
	assert_int_equal(s.pid, 77);
	assert_string_equal(s.comm, "a b");
	assert_int_equal(s.snaplen, 262144);
	assert_int_equal(s.count, INT64_MAX);
	assert_int_equal(s.ring_bytes, 65536);
	assert_true(s.stack);
	assert_string_equal(s.fake_hdr, "always");
	assert_true(s.inner);
	assert_true(s.quiet);
	assert_true(s.track);
	assert_true(s.track_ends);
	assert_int_equal(s.track_size, 1024);
	assert_true(s.skb_data);
	assert_int_equal(s.skb_data_offset, -34);
	assert_true(s.dry_run);
	object = spec_to_json(&s);
	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), text);
	json_object_put(object);
	spec_clear(&s);
}

#define P "{\"points\":[\"icmp_rcv\"],"

static void test_packets(void **state)
{
	struct json_object *object;
	struct spec s;

	read_good(&s, P "\"packets\":\"skb\",\"mark\":1}");
	assert_false(spec_is_xdp(&s));
	spec_clear(&s);
	assert_false(spec_is_xdp(&s));
	read_good(&s, P "\"packets\":\"xdp\"}");
	assert_true(spec_is_xdp(&s));
	object = spec_to_json(&s);
	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
			    P "\"packets\":\"xdp\"}");
	json_object_put(object);
	spec_clear(&s);
}

static void test_null_is_absent(void **state)
{
	struct spec s;

	read_good(&s, P "\"filter\":null,\"snaplen\":null,\"mark\":null}");
	assert_null(s.filter);
	assert_int_equal(s.snaplen, DEFAULT_SNAPLEN);
	assert_int_equal(s.mark_mask, 0);
	spec_clear(&s);
	check_refused("{\"points\":null}", "points", "is missing");
}

static void test_points(void **state)
{
	char text[LIMIT_POINTS * 8 + 64] = "{\"points\":[\"a\"";

	check_refused("{}", "points", "\"points\" is missing: add it");
	check_refused("{\"points\":[]}", "points", "has 0 entries: give 1 to 64");
	check_refused("{\"points\":\"icmp_rcv\"}", "points", "is a string: give an array");
	check_refused("{\"points\":[\"a\",7]}", "points", "entry 2 of the member");
	check_refused("{\"points\":[\"a\",\"usdt:a:b\"]}", "points", "does not say what its packets are");
	for (int i = 1; i <= LIMIT_POINTS; i++)
		strcat(text, ",\"a\"");
	strcat(text, "]}");
	check_refused(text, "points", "has 65 entries");
}

static void check_length(const char *member, size_t limit, bool empty_is_good)
{
	char text[2048], value[1100];
	struct spec s;

	memset(value, 'a', sizeof(value));
	value[limit] = '\0';
	snprintf(text, sizeof(text), P "\"%s\":\"%s\"}", member, value);
	read_good(&s, text);
	spec_clear(&s);
	snprintf(text, sizeof(text), P "\"%s\":\"a%s\"}", member, value);
	check_refused(text, member, "bytes long");
	snprintf(text, sizeof(text), P "\"%s\":\"\"}", member);
	if (!empty_is_good)
		check_refused(text, member, "is 0 bytes long");
}

static void test_lengths(void **state)
{
	check_length("filter", LIMIT_FILTER_BYTES, true);
	check_length("interface", LIMIT_IFNAME_BYTES, false);
	check_length("comm", LIMIT_COMM_BYTES, false);
}

static void check_range(const char *member, int64_t min, int64_t max)
{
	char text[256];
	struct spec s;

	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), P "\"markMask\":4294967295,\"%s\":%lld}", member,
			 (long long)(i ? max : min));
		if (!strcmp(member, "markMask"))
			snprintf(text, sizeof(text), P "\"%s\":%lld}", member,
				 (long long)(i ? max : min));
		read_good(&s, text);
		spec_clear(&s);
	}
	snprintf(text, sizeof(text), P "\"%s\":%lld}", member, (long long)min - 1);
	check_refused(text, member, "give a number from");
	if (max < INT64_MAX) {
		snprintf(text, sizeof(text), P "\"%s\":%lld}", member, (long long)max + 1);
		check_refused(text, member, "give a number from");
	}
	snprintf(text, sizeof(text), P "\"%s\":\"1\"}", member);
	check_refused(text, member, "is a string: give an integer");
	snprintf(text, sizeof(text), P "\"%s\":1.0}", member);
	check_refused(text, member, "is a number with a fraction: give an integer");
}

static void test_ranges(void **state)
{
	check_range("snaplen", 1, LIMIT_SNAPLEN);
	check_range("ringBytes", LIMIT_RING_MIN, LIMIT_RING_MAX);
	check_range("count", 0, INT64_MAX);
	check_range("netns", 0, UINT32_MAX);
	check_range("mark", 0, UINT32_MAX);
	check_range("markMask", 0, UINT32_MAX);
	check_range("pid", 0, INT32_MAX);
}

static void test_booleans(void **state)
{
	check_refused(P "\"fakeHdr\":\"sometimes\"}", "fakeHdr", "auto, always or never, not \"sometimes\"");
	check_refused(P "\"packets\":\"mbuf\"}", "packets", "\"mbuf\" are not known: give skb or xdp");
	check_refused(P "\"packets\":\"xdp\",\"mark\":1}", "mark", "have no mark");
	check_refused(P "\"packets\":\"xdp\",\"fakeHdr\":\"auto\"}", "fakeHdr", "all their headers");
	check_refused(P "\"packets\":\"xdp\",\"skbData\":true}", "skbData", "begin with them");
	check_refused(P "\"skbDataOffset\":-34}", "skbDataOffset", "-34 bytes from skb->data needs skbData");
	check_refused(P "\"trackEnds\":true}", "trackEnds", "needs track");
	check_refused(P "\"trackSize\":2048}", "trackSize", "size of 2048 packets");
	check_refused(P "\"track\":true,\"packets\":\"xdp\"}", "track", "not followed");
	check_refused(P "\"track\":true,\"trackSize\":1023}", "trackSize", "give a number from");
	check_refused(P "\"track\":true,\"trackSize\":1048577}", "trackSize", "give a number from");
	check_refused(P "\"stack\":1}", "stack", "is an integer: give true or false");
	check_refused(P "\"dryRun\":\"true\"}", "dryRun", "is a string: give true or false");
}

static void test_unknown_member(void **state)
{
	check_refused(P "\"snapLen\":5}", "snapLen", "\"snapLen\" is not known");
	check_refused(P "\"snapLen\":null}", "snapLen", "known are points, filter,");
}

static void test_filter_text(void **state)
{
	struct spec s;

	check_refused(P "\"filter\":\"udp\\u0001\"}", "filter", "control character 0x01 at byte 3");
	check_refused(P "\"filter\":\"\\r\"}", "filter", "control character 0x0d at byte 0");
	check_refused(P "\"filter\":\"\\u007f\"}", "filter", "control character 0x7f");
	read_good(&s, P "\"filter\":\"udp\\n and\\ttcp \\u00e4\"}");
	assert_string_equal(s.filter, "udp\n and\ttcp \xc3\xa4");
	spec_clear(&s);
	read_good(&s, P "\"filter\":\" \\n\"}");
	assert_null(s.filter);
	spec_clear(&s);
}

static void test_nul_in_a_string(void **state)
{
	struct json_object *object = json_object_new_object(), *points = json_object_new_array();
	const char *field = NULL;
	char why[256];
	struct spec s;

	spec_init(&s);
	json_object_array_add(points, json_object_new_string("a"));
	json_object_object_add(object, "points", points);
	json_object_object_add(object, "filter", json_object_new_string_len("ud\0p", 4));
	assert_int_equal(spec_from_json(&s, object, &field, why, sizeof(why)), -EINVAL);
	assert_string_equal(field, "filter");
	assert_non_null(strstr(why, "holds a NUL"));
	json_object_put(object);
	spec_clear(&s);
}

static void test_interface(void **state)
{
	static const char *const bad[] = {"e h", "a/b", "a:b", ".", "..", "a\\n", "\\u007f"};
	char text[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), P "\"interface\":\"%s\"}", bad[i]);
		check_refused(text, "interface", "cannot be the name of a device");
	}
}

static void test_mark(void **state)
{
	struct spec s;

	read_good(&s, P "\"mark\":0}");
	assert_int_equal(s.mark_mask, UINT32_MAX);
	spec_clear(&s);
	check_refused(P "\"mark\":3,\"markMask\":1}", "mark",
		      "mark 0x3 has bits that its mask 0x1");
	check_refused(P "\"mark\":3,\"markMask\":0}", "mark", "no packet would match");
}

static void test_parameters_type(void **state)
{
	check_refused("[]", "parameters", "the parameters are an array: give an object");
}

/* What a first, failed reading left is freed by the second. */
static void test_read_twice(void **state)
{
	static const char text[] = P "\"filter\":\"udp\",\"comm\":\"x\",\"snaplen\":0}";
	struct json_object *object;
	const char *field;
	char why[256];
	struct spec s;

	object = jsonstrict_parse(text, strlen(text), 8, why, sizeof(why));
	assert_non_null(object);
	spec_init(&s);
	for (int i = 0; i < 2; i++)
		assert_int_equal(spec_from_json(&s, object, &field, why, sizeof(why)), -EINVAL);
	assert_string_equal(s.filter, "udp");
	json_object_put(object);
	spec_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_members_there_and_back),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_null_is_absent),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_unknown_member),
		cmocka_unit_test(test_filter_text),
		cmocka_unit_test(test_nul_in_a_string),
		cmocka_unit_test(test_interface),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_parameters_type),
		cmocka_unit_test(test_read_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
