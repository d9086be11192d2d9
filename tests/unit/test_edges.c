/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/edges.h"

/* Every time is in its bucket, which is no wider than promised, and buckets follow one another. */
static void test_buckets(void **state)
{
	for (uint64_t ns = 0; ns < 1ull << 40; ns += 1 + ns / 97) {
		uint32_t bucket = netcap_bucket(ns);
		uint64_t low = netcap_bucket_ns(bucket), high = netcap_bucket_ns(bucket + 1);

		assert_true(bucket < NETCAP_BUCKETS);
		assert_true(ns >= low && ns < high);
		assert_true((high - low) * 32 <= (low < 32 ? 32 : low));
	}
	assert_int_equal(netcap_bucket(UINT64_MAX), NETCAP_BUCKETS - 1);
}

static bool is_near(uint64_t value, uint64_t expected)
{
	uint64_t off = value > expected ? value - expected : expected - value;

	return off * 1000 <= expected * 16;
}

static void test_percentiles(void **state)
{
	struct edges *e = edges_new();

	assert_non_null(e);
	for (uint64_t i = 1; i <= 1000; i++)
		edges_add(e, 0, 1, i * 1000);
	assert_true(is_near(edges_percentile(e, 0, 1, 500), 501000));
	assert_true(is_near(edges_percentile(e, 0, 1, 990), 991000));
	assert_true(edges_percentile(e, 1, 0, 500) == 0);
	edges_clear(e);
	assert_true(edges_percentile(e, 0, 1, 500) == 0);
	edges_add(e, 0, 1, 123456789);
	assert_true(edges_percentile(e, 0, 1, 500) == 123456789); /* one is what it is */
	edges_free(e);
	edges_free(NULL);
}

static int64_t number(struct json_object *o, const char *name)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(o, name, &value));
	return json_object_get_int64(value);
}

static const char *text(struct json_object *o, const char *name)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(o, name, &value));
	return json_object_get_string(value);
}

static void test_json(void **state)
{
	static const char *const names[] = {"a", "b", "c"};
	struct json_object *o = json_object_new_object(), *list, *edge, *bars, *whole;
	struct edges *e = edges_new();
	int64_t sum = 0;

	edges_add(e, 0, 1, 5);
	edges_add(e, 1, 2, 100);
	edges_add(e, 1, 2, 5000);
	edges_add(e, EDGES_WHOLE, EDGES_WHOLE, 5100);
	assert_true(edges_to_json(e, names, o));
	list = json_object_object_get(o, "edges");
	assert_int_equal(json_object_array_length(list), 2);
	edge = json_object_array_get_idx(list, 0);
	assert_string_equal(text(edge, "from"), "b");
	assert_string_equal(text(edge, "to"), "c");
	assert_int_equal(number(edge, "count"), 2);
	assert_int_equal(number(edge, "minNs"), 100);
	assert_int_equal(number(edge, "maxNs"), 5000);
	bars = json_object_object_get(edge, "bars");
	for (size_t i = 0; i < json_object_array_length(bars); i++)
		sum += number(json_object_array_get_idx(bars, i), "count");
	assert_int_equal(sum, 2);
	assert_int_equal(number(json_object_array_get_idx(bars, 0), "ns"), 64);
	assert_int_equal(json_object_array_length(bars), 7); /* 64 to 4,096 */
	assert_int_equal(number(o, "other"), 0);
	whole = json_object_object_get(o, "whole");
	assert_int_equal(number(whole, "count"), 1);
	json_object_put(o);
	edges_free(e);
}

/* What there is no room for is counted: ways beyond those that are kept, and beyond those that are shown. */
static void test_many(void **state)
{
	static const char *names[64];
	struct json_object *o = json_object_new_object();
	struct edges *e = edges_new();

	for (int i = 0; i < 64; i++)
		names[i] = "point";
	for (uint16_t from = 0; from < 64; from++)
		for (uint16_t to = 0; to < 64; to++)
			edges_add(e, from, to, 10);
	assert_true(edges_to_json(e, names, o));
	assert_int_equal(json_object_array_length(json_object_object_get(o, "edges")), EDGES_SHOWN);
	assert_int_equal(number(o, "other"), 64 * 64 - EDGES_SHOWN);
	assert_null(json_object_object_get(o, "whole"));
	json_object_put(o);
	edges_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
