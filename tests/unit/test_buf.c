/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"

static void test_empty(void **state)
{
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(buf_len(&b), 0);
	assert_null(buf_head(&b));
	assert_int_equal(buf_add(&b, NULL, 0), 0);
	buf_drop(&b, 5);
	buf_truncate(&b, 5);
	assert_int_equal(buf_len(&b), 0);
	buf_clear(&b);
	buf_clear(&b);
	buf_clear(NULL);
}

static void test_clear_keeps_limit(void **state)
{
	struct buf b;

	buf_init(&b, 3);
	assert_int_equal(buf_add(&b, "abc", 3), 0);
	buf_clear(&b);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_add(&b, "abcd", 4), -ENOBUFS);
	assert_int_equal(buf_add(&b, "abc", 3), 0);
	buf_clear(&b);
}

static void test_limit_is_all_or_nothing(void **state)
{
	struct buf b;

	buf_init(&b, 10);
	assert_int_equal(buf_add(&b, "1234567", 7), 0);
	assert_int_equal(buf_add(&b, "8901", 4), -ENOBUFS);
	assert_int_equal(buf_len(&b), 7);
	assert_int_equal(buf_add(&b, "890", 3), 0);
	assert_memory_equal(buf_head(&b), "1234567890", 10);
	errno = 0;
	assert_null(buf_reserve(&b, 1));
	assert_int_equal(errno, ENOBUFS);
	/* What was read makes room again. */
	buf_drop(&b, 4);
	assert_int_equal(buf_add(&b, "abcd", 4), 0);
	assert_memory_equal(buf_head(&b), "567890abcd", 10);
	buf_clear(&b);
}

static void test_length_overflow(void **state)
{
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(buf_add(&b, "x", 1), 0);
	errno = 0;
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_int_equal(errno, ENOBUFS);
	errno = 0;
	assert_null(buf_reserve(&b, SIZE_MAX - 1));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(buf_len(&b), 1);
	assert_memory_equal(buf_head(&b), "x", 1);
	buf_clear(&b);
}

static void test_reserve_counts_only_what_is_committed(void **state)
{
	struct buf b;
	uint8_t *room;

	buf_init(&b, 0);
	room = buf_reserve(&b, 100);
	assert_non_null(room);
	memcpy(room, "hello", 5);
	assert_int_equal(buf_len(&b), 0);
	buf_commit(&b, 5);
	assert_int_equal(buf_len(&b), 5);
	assert_memory_equal(buf_head(&b), "hello", 5);
	buf_clear(&b);
}

static void test_truncate_undoes_an_append(void **state)
{
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(buf_add(&b, "keep", 4), 0);
	buf_drop(&b, 1);
	assert_int_equal(buf_add(&b, "undo", 4), 0);
	buf_truncate(&b, 3);
	assert_int_equal(buf_len(&b), 3);
	assert_memory_equal(buf_head(&b), "eep", 3);
	buf_truncate(&b, 100);
	assert_int_equal(buf_len(&b), 3);
	buf_clear(&b);
}

/* A queue of consecutive numbers, appended and dropped in uneven portions, stays in order. */
static void check_queue(size_t limit, size_t rounds)
{
	struct buf b;
	uint32_t in = 0, out = 0;
	unsigned seed = 7;

	buf_init(&b, limit);
	for (size_t i = 0; i < rounds; i++) {
		for (size_t n = (size_t)rand_r(&seed) % 200; n; n--) {
			int err = buf_add(&b, &in, sizeof(in));

			if (err) {
				assert_int_equal(err, -ENOBUFS);
				assert_true(buf_len(&b) + sizeof(in) > limit);
				break;
			}
			in++;
		}
		assert_int_equal(buf_len(&b), (in - out) * sizeof(in));
		for (size_t n = (size_t)rand_r(&seed) % 200; n && out < in; n--) {
			assert_memory_equal(buf_head(&b), &out, sizeof(out));
			buf_drop(&b, sizeof(out));
			out++;
		}
	}
	assert_true(out > rounds);
	if (limit)
		assert_true(b.size <= 2 * limit);
	buf_clear(&b);
}

static void test_queue_order(void **state)
{
	check_queue(0, 5000);
	check_queue(1000, 5000);
	check_queue(100000, 5000);
}

/* A reader that always leaves something must not make the memory grow. */
static void test_steady_backlog_keeps_its_memory(void **state)
{
	struct buf b;
	uint8_t block[1000] = {0};

	buf_init(&b, 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(buf_add(&b, block, sizeof(block)), 0);
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(buf_add(&b, block, sizeof(block)), 0);
		buf_drop(&b, sizeof(block));
	}
	assert_int_equal(buf_len(&b), 10 * sizeof(block));
	assert_true(b.size <= 64 * 1024);
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_clear_keeps_limit),
		cmocka_unit_test(test_limit_is_all_or_nothing),
		cmocka_unit_test(test_length_overflow),
		cmocka_unit_test(test_reserve_counts_only_what_is_committed),
		cmocka_unit_test(test_truncate_undoes_an_append),
		cmocka_unit_test(test_queue_order),
		cmocka_unit_test(test_steady_backlog_keeps_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
