/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/filter.h>

#include "tests/filter/filterprogs.h"

#define MEMORY_WORDS 3 /* few, so that words are used again */

static const uint16_t codes[] = {
    BPF_LD | BPF_W | BPF_ABS,
    BPF_LD | BPF_H | BPF_ABS,
    BPF_LD | BPF_B | BPF_ABS,
    BPF_LD | BPF_W | BPF_IND,
    BPF_LD | BPF_H | BPF_IND,
    BPF_LD | BPF_B | BPF_IND,
    BPF_LD | BPF_W | BPF_LEN,
    BPF_LD | BPF_IMM,
    BPF_LD | BPF_MEM,
    BPF_LDX | BPF_W | BPF_LEN,
    BPF_LDX | BPF_IMM,
    BPF_LDX | BPF_MEM,
    BPF_LDX | BPF_B | BPF_MSH,
    BPF_LDX | BPF_B | BPF_MSH,
    BPF_ST,
    BPF_STX,
    BPF_ALU | BPF_ADD | BPF_K,
    BPF_ALU | BPF_ADD | BPF_X,
    BPF_ALU | BPF_SUB | BPF_K,
    BPF_ALU | BPF_SUB | BPF_X,
    BPF_ALU | BPF_MUL | BPF_K,
    BPF_ALU | BPF_MUL | BPF_X,
    BPF_ALU | BPF_DIV | BPF_K,
    BPF_ALU | BPF_DIV | BPF_X,
    BPF_ALU | BPF_MOD | BPF_K,
    BPF_ALU | BPF_MOD | BPF_X,
    BPF_ALU | BPF_AND | BPF_K,
    BPF_ALU | BPF_AND | BPF_X,
    BPF_ALU | BPF_OR | BPF_K,
    BPF_ALU | BPF_OR | BPF_X,
    BPF_ALU | BPF_XOR | BPF_K,
    BPF_ALU | BPF_XOR | BPF_X,
    BPF_ALU | BPF_LSH | BPF_K,
    BPF_ALU | BPF_LSH | BPF_X,
    BPF_ALU | BPF_RSH | BPF_K,
    BPF_ALU | BPF_RSH | BPF_X,
    BPF_ALU | BPF_NEG,
    BPF_JMP | BPF_JA,
    BPF_JMP | BPF_JEQ | BPF_K,
    BPF_JMP | BPF_JEQ | BPF_X,
    BPF_JMP | BPF_JGT | BPF_K,
    BPF_JMP | BPF_JGT | BPF_X,
    BPF_JMP | BPF_JGE | BPF_K,
    BPF_JMP | BPF_JGE | BPF_X,
    BPF_JMP | BPF_JSET | BPF_K,
    BPF_JMP | BPF_JSET | BPF_X,
    BPF_MISC | BPF_TAX,
    BPF_MISC | BPF_TXA,
    BPF_RET | BPF_K,
    BPF_RET | BPF_A,
};

static uint32_t constant(struct filterrand *r)
{
	static const uint32_t edges[] = {
	    0, 1, 2, 4, 31, 32, 33, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe};

	switch (filterrand_below(r, 3)) {
	case 0:
		return FILTERRAND_PICK(r, edges);
	case 1:
		return filterrand_below(r, 256);
	default:
		return filterrand_u32(r);
	}
}

/* Mostly inside a packet. */
static uint32_t packet_offset(struct filterrand *r)
{
	static const uint32_t edges[] = {
	    91,    92,    93,    94,         95,         96,         32763,      32764,     32766,
	    32767, 32768, 65536, 0x7ffffffd, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffff00};
	uint32_t k;

	if (!filterrand_one_in(r, 16))
		return filterrand_below(r, filterrand_one_in(r, 3) ? 200 : 40);
	k = FILTERRAND_PICK(r, edges);
	return k;
}

/* Constants that filter_translate() refuses are no part of a valid program. */
static uint32_t operand(struct filterrand *r, uint16_t code)
{
	uint32_t k = constant(r);

	if (BPF_SRC(code) != BPF_K)
		return 0;
	if (BPF_OP(code) == BPF_LSH || BPF_OP(code) == BPF_RSH)
		return k % 32;
	if (BPF_OP(code) == BPF_DIV || BPF_OP(code) == BPF_MOD)
		return k ? k : 7;
	return k;
}

/* left: instructions behind this one; at least 1. */
static struct filter_insn make_insn(struct filterrand *r, size_t left)
{
	struct filter_insn insn = {.code = FILTERRAND_PICK(r, codes)};
	uint32_t far = left < 6 ? (uint32_t)left : 6;

	switch (BPF_CLASS(insn.code)) {
	case BPF_LD:
	case BPF_LDX:
		if (BPF_MODE(insn.code) == BPF_MEM)
			insn.k = filterrand_below(r, MEMORY_WORDS);
		else if (BPF_MODE(insn.code) == BPF_IMM)
			insn.k = constant(r);
		else if (BPF_MODE(insn.code) != BPF_LEN)
			insn.k = packet_offset(r);
		break;
	case BPF_ST:
	case BPF_STX:
		insn.k = filterrand_below(r, MEMORY_WORDS);
		break;
	case BPF_ALU:
		insn.k = operand(r, insn.code);
		break;
	case BPF_JMP:
		insn.jt = (uint8_t)filterrand_below(r, far);
		insn.jf = (uint8_t)filterrand_below(r, far);
		insn.k = BPF_OP(insn.code) == BPF_JA ? insn.jt : constant(r);
		break;
	case BPF_RET:
		insn.k = filterrand_below(r, 2);
		break;
	}
	return insn;
}

size_t filterprogs_make(struct filterrand *r, struct filter_insn *insns)
{
	size_t count = MEMORY_WORDS + 1 + filterrand_below(r, FILTERPROGS_MAX - MEMORY_WORDS - 1);
	size_t i = 0;

	for (; i < MEMORY_WORDS; i++)
		insns[i] = (struct filter_insn){.code = BPF_ST, .k = (uint32_t)i};
	for (; i < count - 1; i++) {
		insns[i] = make_insn(r, count - 1 - i);
		/* returns and jumps end most programs too early to test much */
		if (BPF_CLASS(insns[i].code) == BPF_RET && !filterrand_one_in(r, 8))
			insns[i] = (struct filter_insn){.code = BPF_MISC | BPF_TAX};
	}
	insns[i] = (struct filter_insn){.code = BPF_RET | BPF_A};
	return count;
}
