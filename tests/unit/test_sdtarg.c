/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <asm/ptrace.h>
#include "sdtarg.h"

#define REG(name) (offsetof(struct pt_regs, name) / 8)

static void every_form_is_read(void **state)
{
	static const struct {
		const char *text;
		struct sdtarg a;
	} cases[] = {
		{ "8@%rdi", { SDTARG_REGISTER, 8, false, REG(rdi), 0, 0, 0, 0 } },
		{ "-4@%eax", { SDTARG_REGISTER, 4, true, REG(rax), 0, 0, 0, 0 } },
		{ "2@%r8w", { SDTARG_REGISTER, 2, false, REG(r8), 0, 0, 0, 0 } },
		{ "1@%r15b", { SDTARG_REGISTER, 1, false, REG(r15), 0, 0, 0, 0 } },
		{ "4@%r10d", { SDTARG_REGISTER, 4, false, REG(r10), 0, 0, 0, 0 } },
		{ "-1@%sil", { SDTARG_REGISTER, 1, true, REG(rsi), 0, 0, 0, 0 } },
		{ "1@%ah", { SDTARG_REGISTER, 1, false, REG(rax), 0, 0, 8, 0 } },
		{ "-1@%bh", { SDTARG_REGISTER, 1, true, REG(rbx), 0, 0, 8, 0 } },
		{ "4@%rax", { SDTARG_REGISTER, 4, false, REG(rax), 0, 0, 0, 0 } },
		{ "-4@$5", { SDTARG_CONSTANT, 4, true, 0, 0, 0, 0, 5 } },
		{ "-4@$-1", { SDTARG_CONSTANT, 4, true, 0, 0, 0, 0, -1 } },
		{ "8@$0x7fffFFFF", { SDTARG_CONSTANT, 8, false, 0, 0, 0, 0, 0x7fffffff } },
		{ "8@$18446744073709551615", { SDTARG_CONSTANT, 8, false, 0, 0, 0, 0, -1 } },
		{ "8@$-9223372036854775808", { SDTARG_CONSTANT, 8, false, 0, 0, 0, 0, INT64_MIN } },
		{ "2@-24(%rbp)", { SDTARG_MEMORY, 2, false, REG(rbp), 0, 0, 0, -24 } },
		{ "8@(%rsp)", { SDTARG_MEMORY, 8, false, REG(rsp), 0, 0, 0, 0 } },
		{ "8@+0x10(%r12)", { SDTARG_MEMORY, 8, false, REG(r12), 0, 0, 0, 16 } },
		{ "8@(%rax,%rbx,8)", { SDTARG_MEMORY, 8, false, REG(rax), REG(rbx), 8, 0, 0 } },
		{ "4@-2147483648(%r9,%r13)", { SDTARG_MEMORY, 4, false, REG(r9), REG(r13), 1, 0, INT32_MIN } },
		{ "1@4(%rcx,%rdx,4)", { SDTARG_MEMORY, 1, false, REG(rcx), REG(rdx), 4, 0, 4 } },
		{ "8@%r11", { SDTARG_REGISTER, 8, false, REG(r11), 0, 0, 0, 0 } },
		{ "8@%r14", { SDTARG_REGISTER, 8, false, REG(r14), 0, 0, 0, 0 } },
	};
	struct sdtarg a;
	char why[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct sdtarg *wanted = &cases[i].a;

		assert_int_equal(sdtarg_parse(cases[i].text, &a, why, sizeof(why)), 0);
		assert_int_equal(a.kind, wanted->kind);
		assert_int_equal(a.size, wanted->size);
		assert_int_equal(a.is_signed, wanted->is_signed);
		assert_int_equal(a.reg, wanted->reg);
		assert_int_equal(a.index, wanted->index);
		assert_int_equal(a.scale, wanted->scale);
		assert_int_equal(a.shift, wanted->shift);
		assert_true(a.offset == wanted->offset);
	}
}

static void what_cannot_be_read_is_refused_in_a_sentence(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "does not begin with its size" },
		{ "%rdi", "does not begin with its size" },
		{ "3@%rdi", "does not begin with its size" },
		{ "16@%rdi", "does not begin with its size" },
		{ "+4@%rdi", "does not begin with its size" },
		{ "@%rdi", "does not begin with its size" },
		{ "8f@%xmm0", "is a floating-point number" },
		{ "8@%xmm0", "is none of x86-64 for whole numbers" },
		{ "8@%rip", "relative to the program counter" },
		{ "8@16(%rip)", "relative to the program counter" },
		{ "8@counter(%rip)", "has no number" },
		{ "8@%fs:16", "is in a segment" },
		{ "8@%", "is none of x86-64" },
		{ "8@%r16", "is none of x86-64" },
		{ "8@%r8x", "is none of x86-64" },
		{ "8@%r", "is none of x86-64" },
		{ "8@%r1", "is none of x86-64" },
		{ "8@%RDI", "is none of x86-64" },
		{ "8@%eax", "has more bytes than its register" },
		{ "2@%ah", "has more bytes than its register" },
		{ "8@", "has no number" },
		{ "8@$", "has no number" },
		{ "8@$x", "has no number" },
		{ "8@$0x", "has no number" },
		{ "8@$--1", "has no number" },
		{ "8@$18446744073709551616", "more than 64 bits" },
		{ "8@$-9223372036854775809", "more than 64 bits" },
		{ "8@4294967296(%rax)", "an offset of more than 32 bits" },
		{ "8@4", "is at a fixed address" },
		{ "8@(,%rbx,8)", "has no register where one belongs" },
		{ "8@()", "has no register where one belongs" },
		{ "8@(%eax)", "a part of a register" },
		{ "8@(%rax,%ebx)", "a part of a register" },
		{ "8@(%rax,%rsp,2)", "%rsp as its index" },
		{ "8@(%rax,%rbx,3)", "a scale that is not" },
		{ "8@(%rax,%rbx,)", "has no number" },
		{ "8@(%rax,%rbx,8", "has no \")\"" },
		{ "8@(%rax", "has no \")\"" },
		{ "8@(%rax) ", "something behind its end" },
		{ "8@%rax %rbx", "something behind its end" },
		{ "8@$1$", "something behind its end" },
		{ "8@$00000000000000000000000000000000000000000000000000000000000001", "is longer than any" },
	};
	struct sdtarg a;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char why[256] = "";

		assert_int_equal(sdtarg_parse(cases[i].text, &a, why, sizeof(why)), -EINVAL);
		assert_non_null(strstr(why, "the argument \""));
		if (!strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].text, why);
	}
}

static void arguments_of_functions_are_where_the_abi_has_them(void **state)
{
	static const uint8_t regs[] = { REG(rdi), REG(rsi), REG(rdx), REG(rcx), REG(r8), REG(r9) };
	char text[SDTARG_TEXT_BYTES], why[256];
	struct sdtarg a;

	for (unsigned n = 1; n <= 9; n++) {
		sdtarg_of_function(n, text);
		assert_int_equal(sdtarg_parse(text, &a, why, sizeof(why)), 0);
		assert_int_equal(a.size, 8);
		assert_int_equal(a.kind, n <= 6 ? SDTARG_REGISTER : SDTARG_MEMORY);
		assert_int_equal(a.reg, n <= 6 ? regs[n - 1] : REG(rsp));
		assert_int_equal(a.offset, n <= 6 ? 0 : 8 * (n - 6));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(what_cannot_be_read_is_refused_in_a_sentence),
		cmocka_unit_test(arguments_of_functions_are_where_the_abi_has_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
