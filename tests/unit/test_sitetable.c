/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/sitetable.h"

/* As the programs look it up. */
static uint64_t look_up(const struct netcap_site_bucket *buckets, uint8_t bits, uint64_t address)
{
	return netcap_site_word(&buckets[netcap_site_bucket(address, bits)], address);
}

static void check(size_t count, uint64_t step)
{
	uint64_t *addresses = calloc(count + 1, sizeof(*addresses));
	__u64 *words = calloc(count + 1, sizeof(*words));
	struct netcap_site_bucket *buckets;
	uint8_t bits;

	assert_non_null(addresses);
	assert_non_null(words);
	for (size_t i = 0; i < count; i++) {
		addresses[i] = 0xffffffff81000000 + i * step;
		words[i] = i + 1;
	}
	buckets = sitetable_make(addresses, words, count, &bits);
	assert_non_null(buckets);
	assert_in_range(bits, 1, NETCAP_SITE_BITS_MAX);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(look_up(buckets, bits, addresses[i]), words[i]);
	assert_int_equal(look_up(buckets, bits, 0xffffffff80fffff0), NETCAP_SITE_NONE);
	assert_int_equal(look_up(buckets, bits, 0), NETCAP_SITE_NONE);
	free(buckets);
	free(addresses);
	free(words);
}

static void test_all_are_found(void **state)
{
	static const uint64_t steps[] = {16, 48, 0x130, 0x1000, 0x10000};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		check(1, steps[i]);
		check(9, steps[i]);
		check(1750, steps[i]);
		check(4096, steps[i]);
	}
}

static void test_twice(void **state)
{
	const uint64_t addresses[] = {0xffffffff81000000, 0xffffffff81000000};
	const __u64 words[] = {7, 8};
	struct netcap_site_bucket *buckets;
	uint8_t bits;

	buckets = sitetable_make(addresses, words, 2, &bits);
	assert_non_null(buckets);
	assert_int_equal(look_up(buckets, bits, addresses[0]), 7);
	free(buckets);
}

static void test_too_many(void **state)
{
	size_t count = ((size_t)NETCAP_SITE_SLOTS << NETCAP_SITE_BITS_MAX) + 1;
	uint64_t *addresses = calloc(count, sizeof(*addresses));
	__u64 *words = calloc(count, sizeof(*words));
	uint8_t bits;

	assert_non_null(addresses);
	assert_non_null(words);
	assert_null(sitetable_make(addresses, words, count, &bits));
	free(addresses);
	free(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_found),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
