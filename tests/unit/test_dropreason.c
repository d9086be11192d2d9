/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <bpf/btf.h>
#include <cmocka.h>

#include "daemon/dropreason.h"

/* A kernel with two subsystems, one of which has names in vmlinux. */
static int set_up(void **state)
{
	static struct kernel k;
	struct btf *btf = btf__new_empty();

	assert_non_null(btf);
	assert_true(btf__add_enum(btf, "skb_drop_reason_subsys", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "SKB_DROP_REASON_SUBSYS_CORE", 0), 0);
	assert_int_equal(btf__add_enum_value(btf, "SKB_DROP_REASON_SUBSYS_OPENVSWITCH", 3), 0);
	assert_int_equal(btf__add_enum_value(btf, "SOMETHING_ELSE", 4), 0);
	assert_true(btf__add_enum(btf, "other_enum", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "NO_REASON", 0x30001), 0);
	assert_true(btf__add_enum(btf, "ovs_drop_reason", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "OVS_DROP_LAST_ACTION", 0x30001), 0);
	assert_int_equal(btf__add_enum_value(btf, "OVS_DROP_ACTION_ERROR", 0x30002), 0);
	k.btf = btf;
	*state = &k;
	return 0;
}

static int tear_down(void **state)
{
	btf__free(((struct kernel *)*state)->btf);
	return 0;
}

static void test_subsystems(void **state)
{
	const struct kernel *k = *state;
	const struct btf_type *all = dropreason_subsystems(k);
	char text[32];

	assert_non_null(all);
	assert_string_equal(dropreason_subsystem(k, all, 2, text, sizeof(text)), "core");
	assert_string_equal(dropreason_subsystem(k, all, 0x30002, text, sizeof(text)), "openvswitch");
	assert_string_equal(dropreason_subsystem(k, all, 0x40001, text, sizeof(text)), "subsystem_4");
	assert_string_equal(dropreason_subsystem(k, all, 0x70001, text, sizeof(text)), "subsystem_7");
	assert_string_equal(dropreason_subsystem(k, NULL, 0x30002, text, sizeof(text)), "subsystem_3");
	assert_string_equal(dropreason_subsystem(k, NULL, 5, text, sizeof(text)), "core");
}

static void test_names(void **state)
{
	const struct kernel *k = *state;
	char text[32];

	assert_false(dropreason_is_foreign(0xffff));
	assert_true(dropreason_is_foreign(0x10000));
	dropreason_search(k, 0x30001, text, sizeof(text));
	assert_string_equal(text, "OVS_DROP_LAST_ACTION");
	dropreason_search(k, 0x30002, text, sizeof(text));
	assert_string_equal(text, "OVS_DROP_ACTION_ERROR");
	dropreason_search(k, 0x3ffff, text, sizeof(text));
	assert_string_equal(text, "REASON_0x3ffff");
	dropreason_search(k, 0x30002, text, 8);
	assert_string_equal(text, "OVS_DRO");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_subsystems, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
