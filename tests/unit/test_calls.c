/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/calls.h"

#define SEEN_MOST 256

/* What was delivered, in order. */
struct seen {
	struct calls *calls;
	unsigned count;
	uint32_t points[SEEN_MOST];
	uint64_t values[SEEN_MOST]; /* 0: without a return */
};

static void on_deliver(void *arg, const struct netcap_record *r, const struct netcap_return *back)
{
	struct seen *s = arg;

	assert_true(s->count < SEEN_MOST);
	if (back)
		assert_int_equal(back->frame, r->frame);
	s->points[s->count] = r->point;
	s->values[s->count++] = back ? back->value : 0;
}

static int set_up(void **state)
{
	struct seen *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->calls = calls_new(on_deliver, s);
	assert_non_null(s->calls);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct seen *s = *state;

	calls_free(s->calls);
	free(s);
	return 0;
}

/* point tells the records apart; bytes of packet follow. */
static void enter(struct seen *s, uint64_t frame, uint32_t point, size_t bytes)
{
	struct netcap_record *r = calloc(1, sizeof(*r) + bytes);

	assert_non_null(r);
	r->flags = NETCAP_F_CALL;
	r->frame = frame;
	r->point = point;
	calls_enter(s->calls, r, sizeof(*r) + bytes);
	free(r);
}

static void leave(struct seen *s, uint64_t frame, uint64_t value)
{
	const struct netcap_return back = { .frame = frame, .value = value };

	calls_return(s->calls, &back);
}

static void check(const struct seen *s, unsigned i, uint32_t point, uint64_t value)
{
	assert_true(i < s->count);
	assert_int_equal(s->points[i], point);
	assert_int_equal(s->values[i], value);
}

static void test_pairs(void **state)
{
	struct seen *s = *state;

	enter(s, 0x1000, 1, 10);
	enter(s, 0x2000, 2, 20);
	assert_int_equal(s->count, 0);
	leave(s, 0x1000, 11);
	leave(s, 0x2000, 22);
	leave(s, 0x2000, 33); /* nobody waits */
	assert_int_equal(s->count, 2);
	check(s, 0, 1, 11);
	check(s, 1, 2, 22);
}

/* A call in the same place: the earlier one is over, and its return will not come. */
static void test_same_frame(void **state)
{
	struct seen *s = *state;

	enter(s, 0x1000, 1, 0);
	enter(s, 0x1000, 2, 0);
	assert_int_equal(s->count, 1);
	check(s, 0, 1, 0);
	leave(s, 0x1000, 22);
	check(s, 1, 2, 22);
	assert_int_equal(s->count, 2);
}

static void test_end(void **state)
{
	struct seen *s = *state;

	for (uint32_t i = 0; i < 10; i++)
		enter(s, 0x1000 * (i + 1), i, 100);
	leave(s, 0x4000, 33);
	assert_false(calls_drain(s->calls));
	assert_int_equal(s->count, 10);
	check(s, 0, 3, 33);
	check(s, 1, 0, 0); /* oldest first */
	check(s, 9, 9, 0);
	assert_false(calls_drain(s->calls));
	assert_int_equal(s->count, 10);
}

/* What waits goes in portions, which the output can take. */
static void test_portions(void **state)
{
	struct seen *s = *state;

	for (uint32_t i = 0; i < SEEN_MOST - 1; i++)
		enter(s, 0x1000 * (i + 1), i, 0);
	assert_true(calls_drain(s->calls));
	assert_in_range(s->count, 1, SEEN_MOST / 2);
	while (calls_drain(s->calls))
		;
	assert_int_equal(s->count, SEEN_MOST - 1);
}

/* Large ones in smaller portions; one that is larger than a portion, by itself. */
static void test_portions_of_bytes(void **state)
{
	struct seen *s = *state;

	for (uint32_t i = 0; i < 7; i++)
		enter(s, 0x1000 * (i + 1), i, CALLS_DRAIN_BYTES / 4);
	assert_true(calls_drain(s->calls));
	assert_int_equal(s->count, 4); /* with their heads they are enough */
	assert_false(calls_drain(s->calls));
	assert_int_equal(s->count, 7);
	enter(s, 0x1000, 7, CALLS_DRAIN_BYTES + 1);
	enter(s, 0x2000, 8, 0);
	assert_true(calls_drain(s->calls));
	assert_int_equal(s->count, 8);
}

/* Memory is bounded: the oldest go on without their return. */
static void test_limit(void **state)
{
	struct seen *s = *state;
	size_t bytes = CALLS_BYTES_MOST / 8;

	for (uint32_t i = 0; i < 10; i++)
		enter(s, 0x1000 * (i + 1), i, bytes);
	assert_int_equal(s->count, 3); /* seven and their heads fit */
	check(s, 0, 0, 0);
	check(s, 2, 2, 0);
	leave(s, 0x1000, 11);
	assert_int_equal(s->count, 3);
	leave(s, 0xa000, 99);
	check(s, 3, 9, 99);
}

static void test_null(void **state)
{
	struct seen *s = *state;

	calls_free(NULL);
	enter(s, 0x1000, 1, 0); /* and tear_down() frees it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pairs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_same_frame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_portions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_portions_of_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_null, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
