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

#include "daemon/userloads.h"

#define I(c, d, s, o, i) { .code = c, .dst_reg = d, .src_reg = s, .off = o, .imm = i }
#define LOAD(d, s, o)  I(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define LOAD8(d, s, o) I(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)
#define STORE(d, o, s) I(BPF_STX | BPF_MEM | BPF_DW, d, s, o, 0)
#define MOV(d, s)      I(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOVK(d, v)     I(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, v)
#define ADDK(d, v)     I(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, v)
#define ADD(d, s)      I(BPF_ALU64 | BPF_ADD | BPF_X, d, s, 0, 0)
#define JEQ(d, v, o)   I(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, v)
#define CALL(n)        I(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, n)
#define HELPER(n)      I(BPF_JMP | BPF_CALL, 0, 0, 0, n)
#define EXIT           I(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define COUNT(a)       (sizeof(a) / sizeof(*(a)))

static const uint32_t one[] = { 0 };

static struct userloads made(const struct bpf_insn *insns, uint32_t count, enum userloads_entry entry)
{
	struct userloads u;
	char why[256] = "";
	uint32_t at;

	if (userloads_make(insns, count, one, 1, entry, &u, &at, why, sizeof(why)))
		fail_msg("%s at %u", why, at);
	return u;
}

/* How many calls of bpf_probe_read_kernel() there are. */
static unsigned reads(const struct userloads *u)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < u->count; i++)
		n += u->insns[i].code == (BPF_JMP | BPF_CALL) && u->insns[i].imm == BPF_FUNC_probe_read_kernel;
	return n;
}

static unsigned reads_of(const struct bpf_insn *insns, uint32_t count, enum userloads_entry entry)
{
	struct userloads u = made(insns, count, entry);
	unsigned n = reads(&u);

	userloads_clear(&u);
	return n;
}

static void test_packet_is_read(void **state)
{
	const struct bpf_insn code[] = { LOAD(0, 2, 164), EXIT };
	struct userloads u = made(code, COUNT(code), USERLOADS_FILTER_CTX);

	assert_int_equal(reads(&u), 1);
	assert_int_equal(u.places[1], u.count - 1);
	/* from the stack, as many bytes as before */
	assert_int_equal(u.insns[u.count - 2].code, BPF_LDX | BPF_MEM | BPF_W);
	assert_int_equal(u.insns[u.count - 2].src_reg, 10);
	userloads_clear(&u);
}

static void test_own_memory_is_not(void **state)
{
	const struct bpf_insn context[] = { LOAD8(0, 1, 16), EXIT };
	const struct bpf_insn stack[] = { MOVK(0, 1), STORE(10, -8, 0), LOAD8(0, 10, -8), EXIT };
	const struct bpf_insn output[] = { LOAD8(0, 4, 8), EXIT };
	const struct bpf_insn spilled[] = { STORE(10, -16, 4), MOVK(4, 0), LOAD8(4, 10, -16), LOAD8(0, 4, 8), EXIT };
	const struct bpf_insn added[] = { MOV(5, 10), ADDK(5, -8), MOVK(0, 1), STORE(5, 0, 0), LOAD8(0, 5, 0), EXIT };
	const struct bpf_insn indexed[] = {
		MOVK(0, 1), STORE(10, -8, 0), MOV(5, 10), ADD(5, 3), LOAD8(0, 5, -8), EXIT
	};

	assert_int_equal(reads_of(context, COUNT(context), USERLOADS_FILTER_CTX), 0);
	assert_int_equal(reads_of(stack, COUNT(stack), USERLOADS_FILTER_CTX), 0);
	assert_int_equal(reads_of(output, COUNT(output), USERLOADS_ACTION_CTX), 0);
	assert_int_equal(reads_of(spilled, COUNT(spilled), USERLOADS_ACTION_CTX), 0);
	assert_int_equal(reads_of(added, COUNT(added), USERLOADS_FILTER_CTX), 0);
	assert_int_equal(reads_of(indexed, COUNT(indexed), USERLOADS_FILTER_CTX), 0);
}

static void test_constants_are_not(void **state)
{
	const struct bpf_insn table[] = { I(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_VALUE, 0, 0), I(0, 0, 0, 0, 16),
					  ADD(1, 3), LOAD(0, 1, 4), EXIT };
	const struct bpf_insn number[] = { I(BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, 0), I(0, 0, 0, 0, 16),
					   LOAD(0, 1, 4), EXIT };

	assert_int_equal(reads_of(table, COUNT(table), USERLOADS_FILTER_CTX), 0);
	assert_int_equal(reads_of(number, COUNT(number), USERLOADS_FILTER_CTX), 1);
}

static void test_what_context_and_argument_lead_to_is_read(void **state)
{
	const struct bpf_insn context[] = { LOAD8(1, 1, 16), LOAD8(0, 1, 0), EXIT };
	const struct bpf_insn argument[] = { LOAD8(0, 1, 16), EXIT };

	assert_int_equal(reads_of(context, COUNT(context), USERLOADS_FILTER_CTX), 1);
	assert_int_equal(reads_of(argument, COUNT(argument), USERLOADS_FILTER_ARG), 1);
}

/* What is wanted later is saved, and nothing else: here r3, not r1 and not what is overwritten. */
static void test_saved_registers(void **state)
{
	const struct bpf_insn code[] = { LOAD(2, 2, 0), ADD(2, 3), MOV(0, 2), EXIT };
	struct userloads u = made(code, COUNT(code), USERLOADS_FILTER_CTX);
	unsigned saved = 0;

	for (uint32_t i = 0; i < u.places[1]; i++)
		if (u.insns[i].code == (BPF_STX | BPF_MEM | BPF_DW)) {
			assert_int_equal(u.insns[i].src_reg, 3);
			saved++;
		}
	assert_int_equal(saved, 1);
	userloads_clear(&u);
}

static void test_jumps_and_calls_move(void **state)
{
	const struct bpf_insn code[] = { JEQ(2, 0, 2), LOAD(0, 2, 0), EXIT,	     MOV(1, 2),
					 CALL(1),      EXIT,	      LOAD(0, 1, 4), EXIT };
	const uint32_t two[] = { 0, 6 };
	struct userloads u;
	char why[256];
	uint32_t at;

	assert_int_equal(userloads_make(code, COUNT(code), two, 2, USERLOADS_FILTER_CTX, &u, &at, why, sizeof(why)), 0);
	assert_int_equal(reads(&u), 2);
	assert_int_equal(u.insns[0].off + 1, u.places[3]);
	assert_int_equal(u.places[4] + 1 + u.insns[u.places[4]].imm, u.places[6]);
	userloads_clear(&u);
}

static void refused(const struct bpf_insn *insns, uint32_t count, const char *what, uint32_t where)
{
	struct userloads u;
	char why[256] = "";
	uint32_t at;

	assert_int_equal(userloads_make(insns, count, one, 1, USERLOADS_FILTER_CTX, &u, &at, why, sizeof(why)),
			 -EINVAL);
	if (!strstr(why, what) || at != where)
		fail_msg("%s at %u", why, at);
}

static void test_refusals(void **state)
{
	const struct bpf_insn writes[] = { MOVK(0, 1), STORE(2, 8, 0), EXIT };
	const struct bpf_insn far[] = { JEQ(2, 0, 7), EXIT };
	const struct bpf_insn back[] = { JEQ(2, 0, -2), EXIT };
	const struct bpf_insn open[] = { MOVK(0, 1) };
	const struct bpf_insn reg[] = { MOVK(12, 1), EXIT };
	const struct bpf_insn wide[] = { I(BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, 0), EXIT };
	const struct bpf_insn into[] = { JEQ(2, 0, 1), I(BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, 0), I(0, 0, 0, 0, 0),
					 EXIT };
	const struct bpf_insn call[] = { CALL(0), EXIT };
	const struct bpf_insn deep[] = { MOVK(0, 1), STORE(10, -512, 0), LOAD(0, 2, 0), EXIT };

	refused(writes, COUNT(writes), "writes to memory of the kernel", 1);
	refused(far, COUNT(far), "the object is damaged", 0);
	refused(back, COUNT(back), "the object is damaged", 0);
	refused(open, COUNT(open), "the object is damaged", 0);
	refused(reg, COUNT(reg), "the object is damaged", 0);
	refused(wide, COUNT(wide), "the object is damaged", 0);
	refused(into, COUNT(into), "the object is damaged", 0);
	refused(call, COUNT(call), "the object is damaged", 0);
	refused(deep, COUNT(deep), "take 512 bytes", 0);
	refused(writes, 0, "0 instructions", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packet_is_read),
		cmocka_unit_test(test_own_memory_is_not),
		cmocka_unit_test(test_constants_are_not),
		cmocka_unit_test(test_what_context_and_argument_lead_to_is_read),
		cmocka_unit_test(test_saved_registers),
		cmocka_unit_test(test_jumps_and_calls_move),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
