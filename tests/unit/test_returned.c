/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/btf.h>

#include "bpf/record.h"
#include "daemon/returned.h"

/* A function of two arguments, the first so many bytes large, that returns type. */
static struct returned returned_of(struct btf *btf, int type, uint32_t bytes)
{
	int argument = btf__add_struct(btf, "argument", bytes), proto, id;
	struct function f = { .btf = btf, .args = 2 };
	struct returned r;

	assert_true(argument > 0);
	proto = btf__add_func_proto(btf, type);
	assert_true(proto > 0);
	assert_int_equal(btf__add_func_param(btf, "a", argument), 0);
	assert_int_equal(btf__add_func_param(btf, "b", argument), 0);
	id = btf__add_func(btf, "function", BTF_FUNC_STATIC, proto);
	assert_true(id > 0);
	f.id = id;
	returned_init(&r, &f);
	return r;
}

static void check(struct btf *btf, int type, uint64_t value, const char *expected)
{
	struct returned r = returned_of(btf, type, 8);
	char text[RETURNED_TEXT_BYTES];

	assert_int_equal(r.slot, 2);
	assert_string_equal(returned_text(&r, value, text, sizeof(text)), expected);
}

static void test_integers(void **state)
{
	struct btf *btf = btf__new_empty();
	int s32 = btf__add_int(btf, "int", 4, BTF_INT_SIGNED), u32 = btf__add_int(btf, "u32", 4, 0);
	int u16 = btf__add_int(btf, "u16", 2, 0), u64 = btf__add_int(btf, "u64", 8, 0);
	int s64 = btf__add_int(btf, "s64", 8, BTF_INT_SIGNED);
	int truth = btf__add_int(btf, "_Bool", 1, BTF_INT_BOOL);
	int named = btf__add_typedef(btf, "errno_t", btf__add_const(btf, s32));

	/* the rest of the register holds anything */
	check(btf, s32, 0xdeadbeeffffffff4, "-12");
	check(btf, named, 0xfffffff4, "-12");
	check(btf, s32, 0xffffffff00000001, "1");
	check(btf, u32, 0xffffffffffffffff, "4294967295");
	check(btf, u16, 0xabcd0008, "8");
	check(btf, u64, 0xffffffffffffffff, "18446744073709551615");
	check(btf, s64, 0xffffffffffffffff, "-1");
	check(btf, truth, 0xffffff01, "true");
	check(btf, truth, 0xffffff00, "false");
	btf__free(btf);
}

static void test_others(void **state)
{
	struct btf *btf = btf__new_empty();
	int address = btf__add_ptr(btf, 0), verdict = btf__add_enum(btf, "verdict", 4);

	assert_int_equal(btf__add_enum_value(btf, "FAILED", -1), 0);
	assert_int_equal(btf__add_enum_value(btf, "ACCEPT", 1), 0);
	check(btf, address, 0xffff888004c3a000, "0xffff888004c3a000");
	check(btf, address, 0, "0x0");
	check(btf, verdict, 0xabc00000001, "ACCEPT");
	check(btf, verdict, 0xffffffff, "FAILED");
	check(btf, verdict, 7, "7");
	btf__free(btf);
}

static void test_nothing(void **state)
{
	struct btf *btf = btf__new_empty();
	struct returned r = returned_of(btf, 0, 8), none = {};
	char text[RETURNED_TEXT_BYTES];

	assert_int_equal(r.slot, NETCAP_NO_ARG);
	assert_null(returned_text(&r, 5, text, sizeof(text)));
	assert_null(returned_text(&none, 5, text, sizeof(text)));
	btf__free(btf);
}

/* Structures by value take several slots before the return value's. */
static void test_slots(void **state)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);

	assert_int_equal(returned_of(btf, number, 4).slot, 2);
	assert_int_equal(returned_of(btf, number, 9).slot, 4);
	assert_int_equal(returned_of(btf, number, 16).slot, 4);
	btf__free(btf);
}

/* A program says int, and the names of what it means are elsewhere. */
static void test_verdicts(void **state)
{
	struct btf *kernel = btf__new_empty(), *none = btf__new_empty(), *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED), proto = btf__add_func_proto(btf, number);
	const struct function f = {
		.btf = btf,
		.id = btf__add_func(btf, "program", BTF_FUNC_GLOBAL, proto),
	};
	char text[RETURNED_TEXT_BYTES];
	struct returned r;

	assert_true(btf__add_enum(kernel, "xdp_action", 4) > 0);
	assert_int_equal(btf__add_enum_value(kernel, "XDP_DROP", 1), 0);
	returned_init_verdict(&r, kernel, &f, true);
	assert_string_equal(returned_text(&r, 1, text, sizeof(text)), "XDP_DROP");
	assert_string_equal(returned_text(&r, 77, text, sizeof(text)), "77");
	returned_init_verdict(&r, none, &f, true);
	assert_string_equal(returned_text(&r, 1, text, sizeof(text)), "1");
	returned_init_verdict(&r, kernel, &f, false);
	assert_string_equal(returned_text(&r, 0xffffffff, text, sizeof(text)), "TC_ACT_UNSPEC");
	assert_string_equal(returned_text(&r, 2, text, sizeof(text)), "TC_ACT_SHOT");
	assert_string_equal(returned_text(&r, 8, text, sizeof(text)), "TC_ACT_TRAP");
	assert_string_equal(returned_text(&r, 9, text, sizeof(text)), "9");
	btf__free(btf);
	btf__free(none);
	btf__free(kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
