/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "counters.h"

static const struct counters sample = {
	.hits = 28,
	.filtered = 1,
	.captured = 2,
	.lost_ring = 3,
	.lost_client = 4,
	.limited = 5,
	.in_flight = 13,
	.missed = 7,
};

static void test_add(void **state)
{
	struct counters sum = sample;

	counters_add(&sum, &sample);
	assert_int_equal(sum.hits, 56);
	assert_int_equal(sum.filtered, 2);
	assert_int_equal(sum.captured, 4);
	assert_int_equal(sum.lost_ring, 6);
	assert_int_equal(sum.lost_client, 8);
	assert_int_equal(sum.limited, 10);
	assert_int_equal(sum.in_flight, 26);
	assert_int_equal(sum.missed, 14);
}

static void test_member_names(void **state)
{
	struct json_object *object = counters_to_json(&sample);

	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
			    "{\"hits\":28,\"filtered\":1,\"captured\":2,\"lostRing\":3,"
			    "\"lostClient\":4,\"limited\":5,\"inFlight\":13,\"missed\":7}");
	json_object_put(object);
}

static void test_there_and_back(void **state)
{
	struct json_object *object = counters_to_json(&sample);
	struct counters back = {0};

	json_object_object_add(object, "later", json_object_new_string("skipped"));
	assert_int_equal(counters_from_json(&back, object), 0);
	assert_memory_equal(&back, &sample, sizeof(back));
	json_object_put(object);
}

static void test_beyond_int64(void **state)
{
	struct counters c = {.hits = UINT64_MAX}, back;
	struct json_object *object = counters_to_json(&c);

	assert_int_equal(counters_from_json(&back, object), 0);
	assert_int_equal(back.hits, INT64_MAX);
	json_object_put(object);
}

static void check_refused(const char *name, struct json_object *value)
{
	struct json_object *object = counters_to_json(&sample);
	struct counters c = {.hits = 99};

	if (value)
		json_object_object_add(object, name, value);
	else
		json_object_object_del(object, name);
	assert_int_equal(counters_from_json(&c, object), -EINVAL);
	assert_int_equal(c.hits, 99);
	json_object_put(object);
}

static void test_refused(void **state)
{
	struct counters c;

	check_refused("hits", NULL);
	check_refused("missed", NULL);
	check_refused("lostRing", json_object_new_string("3"));
	check_refused("lostRing", json_object_new_double(3));
	check_refused("inFlight", json_object_new_int(-1));
	assert_int_equal(counters_from_json(&c, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_member_names),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_beyond_int64),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
