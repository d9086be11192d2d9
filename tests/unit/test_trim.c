/* SPDX-License-Identifier: BSD-2-Clause */
/* What is taken out of programs, what must stay, and that the rest does what the whole did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/trim.h"

#define COUNT(array)  (sizeof(array) / sizeof(*(array)))
#define MOV(dst, n)   { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (dst), .imm = (n) }
#define COPY(dst, src) { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (dst), .src_reg = (src) }
#define JUMP(op, dst, n, distance) { .code = BPF_JMP | (op) | BPF_K, .dst_reg = (dst), .imm = (n), .off = (distance) }
#define GOTO(distance) { .code = BPF_JMP | BPF_JA, .off = (distance) }
#define CALL(distance) { .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (distance) }
#define WIDE(dst, n) \
	{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = (dst), .imm = (int32_t)(n) }, { .imm = (int64_t)(n) >> 32 }
#define EXIT          { .code = BPF_JMP | BPF_EXIT }

static size_t trim(struct bpf_insn *insns, size_t count)
{
	struct bpf_func_info functions[1] = {};
	uint32_t function_count = 1;

	assert_int_equal(trim_program(insns, &count, functions, &function_count), 0);
	assert_int_equal(function_count, 1);
	return count;
}

static void test_branches(void **state)
{
	struct bpf_insn insns[] = {
		MOV(2, 0),
		JUMP(BPF_JEQ, 2, 0, 2), /* always */
		MOV(0, 1),
		EXIT,
		JUMP(BPF_JNE, 2, 0, 1), /* never */
		JUMP(BPF_JEQ, 1, 7, 1), /* who knows */
		MOV(0, 2),
		MOV(0, 3),
		EXIT,
	};

	assert_int_equal(trim(insns, COUNT(insns)), 3); /* r0 is 3, whatever r1 is */
	assert_int_equal(insns[0].code, BPF_JMP | BPF_JEQ | BPF_K);
	assert_int_equal(insns[0].off, 0);
	assert_int_equal(insns[1].imm, 3);
}

/* What loads with an order (Linux 6.15) looks like an operation on memory, but writes a register. */
static void test_load_acquire(void **state)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8, .imm = 7 },
		MOV(1, 0),
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 1, .src_reg = 10, .off = -8, .imm = 0x100 },
		COPY(0, 1),
		EXIT,
	};

	assert_int_equal(trim(insns, COUNT(insns)), 5);
	assert_int_equal(insns[3].code, BPF_ALU64 | BPF_MOV | BPF_X);
}

static void test_what_ways_disagree_on(void **state)
{
	struct bpf_insn insns[] = {
		MOV(2, 0),
		JUMP(BPF_JEQ, 1, 7, 1),
		MOV(2, 1),
		MOV(0, 0),
		JUMP(BPF_JEQ, 2, 0, 1), /* r2 is 0 or 1 */
		MOV(0, 1),
		EXIT,
	};
	struct bpf_insn same[COUNT(insns)];

	memcpy(same, insns, sizeof(insns));
	assert_int_equal(trim(insns, COUNT(insns)), COUNT(insns));
	assert_memory_equal(insns, same, sizeof(insns));
}

/* The verifier compares states where jumps lead to: bpf/verifier.bpf.h asks for it in this way. */
static void test_meetings(void **state)
{
	struct bpf_insn insns[] = {
		MOV(0, 0),
		GOTO(0),
		GOTO(2), /* over what nobody reaches */
		MOV(0, 1),
		EXIT,
		EXIT,
	};

	assert_int_equal(trim(insns, COUNT(insns)), 3);
	assert_int_equal(insns[1].code, BPF_JMP | BPF_JA);
	assert_int_equal(insns[1].off, 0);
	assert_int_equal(insns[2].code, BPF_JMP | BPF_EXIT);
}

static void test_constants(void **state)
{
	struct bpf_insn insns[] = {
		MOV(1, 0),
		WIDE(1, -5),
		MOV(2, 0),
		WIDE(2, 0x80000000), /* no imm that is sign-extended */
		COPY(6, 2),
		CALL(2),
		COPY(0, 6),
		EXIT,
		COPY(0, 1),
		EXIT,
	};
	struct bpf_func_info functions[2] = { { .insn_off = 0 }, { .insn_off = 10 } };
	uint32_t function_count = 2;
	size_t count = COUNT(insns);

	assert_int_equal(trim_program(insns, &count, functions, &function_count), 0);
	assert_int_equal(count, COUNT(insns) - 2);
	assert_int_equal(insns[0].code, BPF_ALU64 | BPF_MOV | BPF_K);
	assert_int_equal(insns[0].imm, -5);
	assert_int_equal(insns[1].code, BPF_ALU64 | BPF_MOV | BPF_K); /* constants_put() says what for */
	assert_int_equal(insns[2].code, BPF_LD | BPF_IMM | BPF_DW);
	assert_int_equal(insns[5].code, BPF_JMP | BPF_CALL);
	assert_int_equal(insns[5].imm, 2);
	assert_int_equal(function_count, 2);
	assert_int_equal(functions[1].insn_off, 8);
}

static void test_subprograms(void **state)
{
	struct bpf_insn insns[] = {
		MOV(2, 0),
		JUMP(BPF_JEQ, 2, 0, 1),
		CALL(6), /* never */
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 2, .src_reg = BPF_PSEUDO_FUNC, .imm = 7 },
		{},
		{ .code = BPF_JMP | BPF_CALL, .imm = 181 /* bpf_loop() */ },
		MOV(0, 0),
		EXIT,
		EXIT, /* 8: nobody's */
		MOV(0, 2),
		EXIT,
		MOV(0, 3), /* 11: the callback */
		EXIT,
	};
	struct bpf_func_info functions[3] = { { .insn_off = 0 }, { .insn_off = 9, .type_id = 5 },
					      { .insn_off = 11, .type_id = 6 } };
	uint32_t function_count = 3;
	size_t count = COUNT(insns);

	assert_int_equal(trim_program(insns, &count, functions, &function_count), 0);
	assert_int_equal(count, 7);
	assert_int_equal(insns[0].src_reg, BPF_PSEUDO_FUNC);
	assert_int_equal(insns[0].imm, 4);
	assert_int_equal(function_count, 2);
	assert_int_equal(functions[1].insn_off, 5);
	assert_int_equal(functions[1].type_id, 6);
	assert_int_equal(insns[5].imm, 3);
}

/* ---- programs made at random ---- */

#define LENGTH 60
#define WORDS  4 /* of memory, at r10 - 8 and below */

struct machine {
	uint64_t registers[11];
	uint64_t memory[WORDS];
};

static uint64_t alu(uint8_t op, uint64_t a, uint64_t b, unsigned bits)
{
	switch (op) {
	case BPF_MOV:
		return b;
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & (bits - 1));
	default:
		return a >> (b & (bits - 1));
	}
}

static bool holds(uint8_t op, uint64_t a, uint64_t b, bool wide)
{
	int64_t sa = wide ? (int64_t)a : (int32_t)a, sb = wide ? (int64_t)b : (int32_t)b;

	a = wide ? a : (uint32_t)a;
	b = wide ? b : (uint32_t)b;
	switch (op) {
	case BPF_JA:
		return true;
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSET:
		return a & b;
	case BPF_JSLT:
		return sa < sb;
	default:
		return sa >= sb;
	}
}

static void run(struct machine *m, const struct bpf_insn *insns)
{
	for (const struct bpf_insn *i = insns; i->code != (BPF_JMP | BPF_EXIT); i++) {
		uint64_t *dst = &m->registers[i->dst_reg], *word = &m->memory[(-i->off / 8 - 1) & (WORDS - 1)];
		uint64_t b = BPF_SRC(i->code) == BPF_X ? m->registers[i->src_reg] : (uint64_t)(int64_t)i->imm;

		switch (BPF_CLASS(i->code)) {
		case BPF_ALU64:
			*dst = alu(BPF_OP(i->code), *dst, b, 64);
			break;
		case BPF_ALU:
			*dst = (uint32_t)alu(BPF_OP(i->code), (uint32_t)*dst, (uint32_t)b, 32);
			break;
		case BPF_LD:
			*dst = (uint32_t)i[0].imm | (uint64_t)(uint32_t)i[1].imm << 32;
			i++;
			break;
		case BPF_LDX:
			*dst = *word;
			break;
		case BPF_STX:
			*word = m->registers[i->src_reg];
			break;
		default:
			if (holds(BPF_OP(i->code), *dst, b, BPF_CLASS(i->code) == BPF_JMP))
				i += i->off;
		}
	}
}

/* Few registers and few numbers, so that much is known and much is written in vain. */
static struct bpf_insn make_insn(size_t at)
{
	static const uint8_t alus[] = { BPF_MOV, BPF_MOV, BPF_ADD, BPF_SUB, BPF_AND, BPF_OR, BPF_XOR, BPF_LSH, BPF_RSH };
	static const uint8_t jumps[] = { BPF_JA, BPF_JEQ, BPF_JNE, BPF_JGT, BPF_JLE, BPF_JSET, BPF_JSLT, BPF_JSGE };
	struct bpf_insn i = { .dst_reg = rand() % 4, .imm = rand() % 5 - 2 };
	uint8_t source = rand() % 2 ? BPF_X : BPF_K;

	i.src_reg = source == BPF_X ? rand() % 4 : 0;
	switch (rand() % 8) {
	case 0:
		return (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = i.dst_reg, .src_reg = 10,
					  .off = -8 * (1 + rand() % WORDS) };
	case 1:
		return (struct bpf_insn){ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 10, .src_reg = rand() % 4,
					  .off = -8 * (1 + rand() % WORDS) };
	case 2:
	case 3:
		i.code = (rand() % 2 ? BPF_JMP : BPF_JMP32) | jumps[rand() % COUNT(jumps)] | source;
		if (BPF_OP(i.code) == BPF_JA)
			i = (struct bpf_insn){ .code = BPF_JMP | BPF_JA };
		i.off = rand() % (LENGTH - at);
		return i;
	default:
		i.code = (rand() % 3 ? BPF_ALU64 : BPF_ALU) | alus[rand() % COUNT(alus)] | source;
		return i;
	}
}

static void make_program(struct bpf_insn insns[LENGTH + 1])
{
	for (size_t at = 0; at < LENGTH; at++)
		insns[at] = make_insn(at);
	insns[LENGTH] = (struct bpf_insn)EXIT;
}

static void test_random(void **state)
{
	struct bpf_insn whole[LENGTH + 1], trimmed[LENGTH + 1];
	size_t left = 0, programs = 3000;

	srand(20);
	for (size_t n = 0; n < programs; n++) {
		make_program(whole);
		memcpy(trimmed, whole, sizeof(whole));
		left += trim(trimmed, COUNT(trimmed));
		for (int input = 0; input < 6; input++) {
			struct machine a = {}, b;

			for (size_t r = 0; r < COUNT(a.registers); r++)
				a.registers[r] = input ? (uint64_t)rand() % 5 - 2 : (uint64_t)rand() << 32 | rand();
			b = a;
			run(&a, whole);
			run(&b, trimmed);
			assert_true(a.registers[0] == b.registers[0]);
			assert_memory_equal(a.memory, b.memory, sizeof(a.memory));
		}
	}
	assert_true(left < programs * LENGTH * 3 / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_load_acquire),
		cmocka_unit_test(test_what_ways_disagree_on),
		cmocka_unit_test(test_meetings),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_subprograms),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
