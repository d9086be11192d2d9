/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/gather.h"

#define MS        1000000ull
#define TIMEOUT   (1000 * MS)
#define SLACK     (100 * MS)
#define WAYS_MOST 4096

/* What came of each way, as text: "number end[ unsure][ +more]: point@ns ..." */
struct ways {
	struct gather *gather;
	__u64 lost;
	uint64_t visited; /* of the last one */
	unsigned count;
	unsigned unplaced, not_kept, surplus;
	char text[WAYS_MOST][256];
};

static void on_over(void *arg, struct gather_packet *p)
{
	struct ways *w = arg;
	char *at = w->text[w->count % WAYS_MOST];
	size_t used, size = sizeof(w->text[0]);

	used = snprintf(at, size, "%ju %s%s", (uintmax_t)p->number, journey_end_name(p->end), p->unsure ? " unsure" : "");
	if (p->more)
		used += snprintf(at + used, size - used, " +%ju", (uintmax_t)p->more);
	for (unsigned i = 0; i < p->count && i < 8; i++) {
		const struct gather_step *s = &p->steps[i];

		used += snprintf(at + used, size - used, " %u@%ju", s->event.point,
				 (uintmax_t)(s->back_ns ? s->back_ns : s->event.time_ns));
	}
	w->visited = p->visited;
	w->count++;
}

static void on_unplaced(void *arg, uint32_t point, bool first)
{
	struct ways *w = arg;

	w->unplaced++;
}

static void on_not_kept(void *arg, uint32_t point)
{
	struct ways *w = arg;

	w->not_kept++;
}

static void on_surplus(void *arg)
{
	struct ways *w = arg;

	w->surplus++;
}

static void open_ways(struct ways *w, size_t size)
{
	static const struct gather_callbacks callbacks = {on_over, on_unplaced, on_not_kept, on_surplus};

	w->count = w->unplaced = w->not_kept = w->surplus = 0;
	w->lost = 0;
	w->gather = gather_new(size, TIMEOUT, &w->lost, &callbacks, w);
	assert_non_null(w->gather);
}

static void begin(struct ways *w, uint64_t number, uint32_t point, uint64_t ns)
{
	const struct netcap_record r = {.track = number, .point = point, .time_ns = ns};

	gather_record(w->gather, &r, sizeof(r));
}

static void step(struct ways *w, uint64_t number, uint32_t point, uint64_t ns)
{
	const struct netcap_step s = {.track = number, .point = point, .time_ns = ns};

	gather_step(w->gather, &s, sizeof(s));
}

static void freed(struct ways *w, uint64_t number)
{
	const struct netcap_end end = {.track = number};

	gather_freed(w->gather, &end);
}

static struct ways ways;

static void test_freed(void **state)
{
	open_ways(&ways, 16);
	begin(&ways, 1, 0, 100);
	begin(&ways, 2, 0, 110);
	step(&ways, 1, 1, 120);
	step(&ways, 2, 1, 130);
	step(&ways, 1, 1, 140); /* twice at one */
	freed(&ways, 1);
	assert_int_equal(ways.count, 1);
	assert_string_equal(ways.text[0], "1 freed 0@100 1@120 1@140");
	freed(&ways, 1);
	freed(&ways, 2);
	assert_int_equal(ways.count, 2);
	assert_string_equal(ways.text[1], "2 freed 0@110 1@130");
	gather_free(ways.gather);
	gather_free(NULL);
}

static void test_order_of_time(void **state)
{
	open_ways(&ways, 16);
	begin(&ways, 1, 3, 300);
	step(&ways, 1, 1, 100);
	step(&ways, 1, 4, 400);
	step(&ways, 1, 2, 200);
	freed(&ways, 1);
	assert_string_equal(ways.text[0], "1 freed 1@100 2@200 3@300 4@400");
	gather_free(ways.gather);
}

static void test_idle(void **state)
{
	open_ways(&ways, 16);
	assert_true(gather_due_ns(ways.gather) == 0);
	begin(&ways, 1, 0, 100);
	begin(&ways, 2, 0, 200);
	step(&ways, 1, 1, 300); /* now 2 is the one not seen longest */
	assert_true(gather_due_ns(ways.gather) == 200 + TIMEOUT + SLACK);
	assert_false(gather_expire(ways.gather, 199 + TIMEOUT + SLACK));
	assert_int_equal(ways.count, 0);
	assert_true(gather_expire(ways.gather, 200 + TIMEOUT + SLACK));
	assert_false(gather_expire(ways.gather, 200 + TIMEOUT + SLACK));
	assert_int_equal(ways.count, 1);
	assert_string_equal(ways.text[0], "2 idle 0@200");
	gather_expire(ways.gather, UINT64_MAX);
	assert_string_equal(ways.text[1], "1 idle 0@100 1@300");
	gather_free(ways.gather);
}

static void test_evicted(void **state)
{
	struct gather_counts counts;

	open_ways(&ways, 16);
	for (uint64_t i = 1; i <= 20; i++)
		begin(&ways, i, 0, i);
	assert_int_equal(ways.count, 4);
	assert_string_equal(ways.text[3], "4 evicted 0@4");
	step(&ways, 4, 1, 30); /* too late */
	step(&ways, 77, 1, 30); /* its first record was lost */
	gather_counts(ways.gather, &counts);
	assert_true(counts.begun == 20 && counts.open == 16 && counts.evicted == 4 && counts.unplaced == 2);
	assert_int_equal(ways.unplaced, 2);
	gather_free(ways.gather);
}

/* Few ways of large packets: their bytes are bounded, too. */
static void test_bytes(void **state)
{
	size_t len = sizeof(struct netcap_record) + NETCAP_SNAPLEN_MAX;
	struct netcap_record *r = calloc(1, len);

	open_ways(&ways, WAYS_MOST);
	for (r->track = 1; r->track <= 1100; r->track++)
		gather_record(ways.gather, r, len);
	assert_in_range(ways.count, 840, 860); /* of 1,100, less those that 64 MiB hold */
	gather_free(ways.gather);
	free(r);
}

static void test_unsure(void **state)
{
	open_ways(&ways, 16);
	begin(&ways, 1, 0, 100);
	ways.lost++;
	begin(&ways, 2, 0, 200); /* from before or after the loss, who knows */
	gather_caught_up(ways.gather, ways.lost);
	begin(&ways, 3, 0, 300);
	freed(&ways, 1);
	freed(&ways, 2);
	freed(&ways, 3);
	assert_string_equal(ways.text[0], "1 freed unsure 0@100");
	assert_string_equal(ways.text[1], "2 freed unsure 0@200");
	assert_string_equal(ways.text[2], "3 freed 0@300");
	gather_free(ways.gather);
}

/* Without a number nothing can follow; and two CPUs may both have had a packet first. */
static void test_first_records(void **state)
{
	open_ways(&ways, 16);
	begin(&ways, 0, 5, 100);
	assert_int_equal(ways.count, 1);
	begin(&ways, 1, 0, 110);
	begin(&ways, 1, 2, 105);
	assert_int_equal(ways.surplus, 1);
	freed(&ways, 1);
	assert_string_equal(ways.text[1], "1 freed 2@105 0@110");
	assert_int_equal(ways.unplaced, 0);
	gather_free(ways.gather);
}

static void test_many_steps(void **state)
{
	open_ways(&ways, 16);
	begin(&ways, 1, 0, 1);
	for (uint64_t i = 2; i <= JOURNEY_STEPS_MOST + 4; i++)
		step(&ways, 1, 1, i);
	step(&ways, 1, 63, 1000);
	freed(&ways, 1);
	assert_true(ways.visited == (1ull << 63 | 3)); /* it was there, though the step is not kept */
	assert_string_equal(ways.text[0], "1 freed +5 0@1 1@2 1@3 1@4 1@5 1@6 1@7 1@8");
	assert_int_equal(ways.not_kept, 5);
	assert_int_equal(ways.unplaced, 0);
	gather_free(ways.gather);
}

static void call(struct ways *w, uint64_t number, uint32_t point, uint64_t ns, uint64_t frame)
{
	const struct netcap_step s = {
		.track = number, .point = point, .time_ns = ns, .frame = frame, .flags = NETCAP_F_CALL};

	gather_step(w->gather, &s, sizeof(s));
}

static void back(struct ways *w, uint64_t frame, uint64_t ns)
{
	const struct netcap_return r = {.time_ns = ns, .frame = frame, .value = 7};

	gather_return(w->gather, &r);
}

/* A function's time is that of its return, and a packet that it frees is over with it. */
static void test_returns(void **state)
{
	open_ways(&ways, 16);
	begin(&ways, 1, 0, 100);
	call(&ways, 1, 1, 110, 0xf000);
	call(&ways, 1, 2, 120, 0xe000);
	back(&ways, 0xe000, 130);
	step(&ways, 1, 3, 140);
	freed(&ways, 1);
	assert_int_equal(ways.count, 0);
	back(&ways, 0xf000, 150);
	assert_int_equal(ways.count, 1);
	assert_string_equal(ways.text[0], "1 freed 0@100 2@130 3@140 1@150");
	back(&ways, 0xf000, 160); /* nobody's */
	gather_free(ways.gather);
}

/* One whose frame comes again never returned; and one that never returns does not keep the packet. */
static void test_no_return(void **state)
{
	open_ways(&ways, 16);
	begin(&ways, 1, 0, 100);
	call(&ways, 1, 1, 110, 0xf000);
	begin(&ways, 2, 0, 200);
	call(&ways, 2, 1, 210, 0xf000);
	freed(&ways, 1);
	assert_string_equal(ways.text[0], "1 freed 0@100 1@110");
	freed(&ways, 2);
	assert_int_equal(ways.count, 1);
	gather_expire(ways.gather, UINT64_MAX);
	assert_string_equal(ways.text[1], "2 freed 0@200 1@210");
	back(&ways, 0xf000, 220);
	gather_free(ways.gather);
}

static void test_history(void **state)
{
	struct netcap_history h = {.track = 1, .count = 3, .dropped = 3, .visited = 1 << 7 | 3,
				   .kept = {{100, 0, 1}, {110, 1, 0}, {0, 0, 0}}};

	open_ways(&ways, 16);
	begin(&ways, 1, 2, 500);
	gather_history(ways.gather, &h);
	h.track = 9;
	gather_history(ways.gather, &h); /* its packet's record was lost */
	step(&ways, 1, 3, 600);
	freed(&ways, 1);
	/* a place that is empty, as two CPUs took the one before, counts */
	assert_string_equal(ways.text[0], "1 freed +4 0@100 1@110 2@500 3@600");
	assert_true(ways.visited == (1 << 7 | 15));
	gather_free(ways.gather);
}

static void test_drain(void **state)
{
	open_ways(&ways, 16);
	for (uint64_t i = 1; i <= 5; i++)
		begin(&ways, i, 0, i);
	for (unsigned i = 1; i <= 5; i++) {
		assert_true(gather_drain(ways.gather));
		assert_int_equal(ways.count, i);
	}
	assert_false(gather_drain(ways.gather));
	assert_string_equal(ways.text[4], "5 stopped 0@5");
	gather_free(ways.gather);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_freed),	      cmocka_unit_test(test_order_of_time),
		cmocka_unit_test(test_idle),	      cmocka_unit_test(test_evicted),
		cmocka_unit_test(test_bytes),	      cmocka_unit_test(test_unsure),
		cmocka_unit_test(test_first_records), cmocka_unit_test(test_many_steps),
		cmocka_unit_test(test_returns),	      cmocka_unit_test(test_no_return),
		cmocka_unit_test(test_history),	      cmocka_unit_test(test_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
