/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/splice.h"

#define MOV(value) { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value }
#define EXIT { .code = BPF_JMP | BPF_EXIT }
#define CALL(distance) { .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = distance }
#define HELPER(number) { .code = BPF_JMP | BPF_CALL, .imm = number }

/* Three functions: 0 calls 4 and 6, 4 calls 6. */
static const struct bpf_insn program[] = { CALL(3), CALL(4), HELPER(6), EXIT, CALL(1), EXIT, MOV(1), EXIT };
static const uint32_t starts[] = { 0, 4, 6 };

static int make(const struct splice_part *parts, size_t count, struct splice *out)
{
	return splice_make(program, 8, starts, 3, parts, count, out);
}

static void test_nothing_replaced(void **state)
{
	struct splice s;

	assert_int_equal(make(NULL, 0, &s), 0);
	assert_int_equal(s.count, 8);
	assert_memory_equal(s.insns, program, sizeof(program));
	free(s.insns);
}

/* The middle function grows: what is behind it moves. */
static void test_larger(void **state)
{
	const struct bpf_insn more[] = { MOV(2), MOV(3), CALL(1), EXIT, MOV(4), EXIT };
	const struct splice_part part = { 4, more, 6, false };
	struct splice s;

	assert_int_equal(make(&part, 1, &s), 0);
	assert_int_equal(s.count, 12);
	assert_int_equal(s.insns[0].imm, 3); /* to the middle, where it was */
	assert_int_equal(s.insns[1].imm, 8); /* to the last one, at 10 */
	assert_int_equal(s.insns[2].imm, 6); /* a helper's number is no distance */
	assert_int_equal(s.insns[6].imm, 1); /* the part's own call stays in it */
	assert_int_equal(s.starts[2], 10);
	free(s.insns);
}

/* The first function shrinks, and the part calls what it called before, as if it stood where the old one did. */
static void test_smaller_that_calls(void **state)
{
	const struct bpf_insn less[] = { CALL(1), EXIT };
	const struct bpf_insn last[] = { MOV(9), MOV(9), EXIT };
	const struct splice_part parts[] = { { 4, less, 2, true }, { 6, last, 3, false } };
	struct splice s;

	assert_int_equal(make(parts, 2, &s), 0);
	assert_int_equal(s.count, 9);
	assert_int_equal(s.insns[4].imm, 1);
	assert_int_equal(s.insns[6].imm, 9);
	free(s.insns);
}

static void test_call_to_nowhere(void **state)
{
	const struct bpf_insn wrong[] = { CALL(0), EXIT };
	const struct splice_part part = { 4, wrong, 2, true };
	struct splice s;

	assert_int_equal(make(&part, 1, &s), -EPROTO);
	free(s.insns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_replaced),
		cmocka_unit_test(test_larger),
		cmocka_unit_test(test_smaller_that_calls),
		cmocka_unit_test(test_call_to_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
