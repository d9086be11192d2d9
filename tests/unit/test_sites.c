/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/sites.h"

static void test_hash_of_modules(void **state)
{
	static const char veth[] = "veth 45056 0 - Live 0xffffffffc0a00000";
	static const char *const same[] = {
		"veth 45056 1 - Live 0xffffffffc0a00000",
		"veth 45056 2 bonding,team, Live 0xffffffffc0a00000",
		"veth 45056 0 - Live 0xffffffffc0a00000",
	};
	static const char *const others[] = {
		"veth 45056 0 - Live 0xffffffffc0b00000",
		"veth 45060 0 - Live 0xffffffffc0a00000",
		"veth 45056 0 - Loading 0xffffffffc0a00000",
		"vethx 45056 0 - Live 0xffffffffc0a00000",
		"",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		assert_true(sites_hash_module(7, veth) == sites_hash_module(7, same[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_true(sites_hash_module(7, veth) != sites_hash_module(7, others[i]));
	assert_true(sites_hash_module(7, veth) != sites_hash_module(8, veth));
}

/* What is built outside of the kernel's tree has a word behind its address. */
static void test_hash_of_tainted_modules(void **state)
{
	assert_true(sites_hash_module(7, "zfs 6 0 - Live 0xffffffffc0a00000 (POE)") !=
		    sites_hash_module(7, "zfs 6 0 - Live 0xffffffffc0b00000 (POE)"));
	assert_true(sites_hash_module(7, "zfs 6 0 - Live 0xffffffffc0a00000 (POE)") ==
		    sites_hash_module(7, "zfs 6 3 - Live 0xffffffffc0a00000 (POE)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_of_modules),
		cmocka_unit_test(test_hash_of_tainted_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
