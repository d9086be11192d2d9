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

#include "daemon/usercode.h"

/* An answer of the child, with an action of three instructions that shows two values, and has constants. */
struct answer {
	struct usercode_answer head;
	struct usercode_enum enums[1];
	struct bpf_insn insns[4];
	uint32_t functions[1];
	struct usercode_line lines[1];
	struct usercode_field fields[2];
	char strings[32];
	uint8_t data[8];
} __attribute__((packed));

static const char strings[32] = "\0a\0mode\0FAST\0%c\0x.c\0int a;";

static struct answer good(void)
{
	struct answer a = {
		.head = { .bytes = 8,
			  .field_count = 2,
			  .enum_count = 1,
			  .string_bytes = sizeof(a.strings),
			  .data_bytes = sizeof(a.data),
			  .action = { 4, 1, 1, 0 } },
		.enums = { { -2, 8 } },
		.insns = { { .code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_VALUE },
			   { .imm = 7 },
			   { .code = BPF_ALU64 | BPF_MOV | BPF_K },
			   { .code = BPF_JMP | BPF_EXIT } },
		.lines = { { 0, 16, 20, 3 } },
		.fields = { { .name = 1, .format = 13, .bits = 8, .kind = USERCODE_UNSIGNED },
			    { .name = 3,
			      .bit = 32,
			      .bits = 32,
			      .kind = USERCODE_ENUM,
			      .is_signed = 1,
			      .enum_count = 1 } },
	};

	memcpy(a.strings, strings, sizeof(strings));
	a.data[0] = 9;
	return a;
}

static int take(const struct answer *a, size_t size, struct usercode *code)
{
	void *copy = malloc(size);
	int r;

	memcpy(copy, a, size);
	r = usercode_take(copy, size, code);
	if (r)
		free(copy);
	return r;
}

static void test_values(void **state)
{
	const int32_t bytes[2] = { 'M', -2 }, other[2] = { ';', 7 };
	struct answer a = good();
	struct usercode code;
	char text[64];

	assert_int_equal(take(&a, sizeof(a), &code), 0);
	assert_int_equal(usercode_text(&code, bytes, text, sizeof(text)), 15);
	assert_string_equal(text, "a:'M';mode:FAST");
	usercode_text(&code, other, text, sizeof(text));
	assert_string_equal(text, "a:'\\x3b';mode:7");
	/* what does not fit is left out whole */
	assert_int_equal(usercode_text(&code, bytes, text, 10), 5);
	assert_string_equal(text, "a:'M'");
	assert_int_equal(usercode_line(&code, &code.action, 1)->line, 3);
	assert_int_equal(code.data_bytes, 8);
	assert_int_equal(code.data[0], 9);
	usercode_clear(&code);
}

static void refused(const struct answer *a, size_t size)
{
	struct usercode code;

	assert_int_equal(take(a, size, &code), -EBADMSG);
}

static void test_what_makes_no_sense(void **state)
{
	struct answer a = good();

	for (size_t size = 0; size < sizeof(a); size++)
		refused(&a, size);
#define WRONG(member, value) do { a = good(); a.member = value; refused(&a, sizeof(a)); } while (0)
	WRONG(head.action.count, 5);
	WRONG(head.action.count, UINT32_MAX);
	WRONG(head.action.function_count, 17);
	WRONG(head.action.function_count, 0);
	WRONG(head.filter.count, 1);
	WRONG(head.field_count, 129);
	WRONG(head.enum_count, 4096);
	WRONG(head.bytes, 257);
	WRONG(head.bytes, 4);
	WRONG(functions[0], 1);
	WRONG(lines[0].file, 32);
	WRONG(lines[0].text, UINT32_MAX);
	WRONG(fields[0].name, 32);
	WRONG(fields[0].format, 3); /* "mode" is none */
	WRONG(fields[0].bits, 0);
	WRONG(fields[0].bits, 65);
	WRONG(fields[0].bit, UINT32_MAX);
	WRONG(fields[0].kind, USERCODE_KINDS);
	WRONG(fields[1].enums, 2);
	WRONG(fields[1].enum_count, 2);
	WRONG(enums[0].name, 32);
	WRONG(strings[31], 'x');
	/* other maps of the daemon's, places beyond the constants, and half an instruction */
	WRONG(insns[0].src_reg, BPF_PSEUDO_MAP_FD);
	WRONG(insns[0].src_reg, BPF_PSEUDO_BTF_ID);
	WRONG(insns[0].imm, 3);
	WRONG(insns[1].imm, 8);
	WRONG(insns[1].imm, -1);
	WRONG(insns[3].code, BPF_LD | BPF_IMM | BPF_DW);
	WRONG(head.data_bytes, 7);
	WRONG(head.data_bytes, USERCODE_DATA + 1);
#undef WRONG
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
