/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <linux/filter.h>

#include "daemon/filtercheck.h"

__attribute__((format(printf, 4, 5))) static int refuse(char *why, size_t size, int error,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return error;
}

static bool is_ancillary(uint32_t k)
{
	return k >= (uint32_t)SKF_AD_OFF && k < (uint32_t)(SKF_AD_OFF + SKF_AD_MAX);
}

static bool is_operation(uint16_t code)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_DIV:
	case BPF_MOD:
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR:
	case BPF_LSH:
	case BPF_RSH:
		return true;
	}
	return code == (BPF_ALU | BPF_NEG);
}

static bool is_known(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_B | BPF_MSH:
	case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
	case BPF_JMP | BPF_JA:
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_X:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
		return true;
	}
	return BPF_CLASS(code) == BPF_ALU && (code & ~0xffU) == 0 && is_operation(code);
}

bool filtercheck_uses_memory(uint16_t code)
{
	return code == (BPF_LD | BPF_MEM) || code == (BPF_LDX | BPF_MEM) || code == BPF_ST ||
	       code == BPF_STX;
}

static int check_alu(const struct filter_insn *insn, size_t i, char *why, size_t size)
{
	if (BPF_SRC(insn->code) != BPF_K || insn->code == (BPF_ALU | BPF_NEG))
		return 0;
	switch (BPF_OP(insn->code)) {
	case BPF_DIV:
	case BPF_MOD:
		if (insn->k == 0)
			return refuse(why, size, -EINVAL,
				      "instruction %zu of the filter divides by the constant 0",
				      i);
		break;
	case BPF_LSH:
	case BPF_RSH:
		if (insn->k >= 32)
			return refuse(why, size, -EINVAL,
				      "instruction %zu of the filter shifts by %u bits; at most 31 "
				      "are possible",
				      i, insn->k);
		break;
	}
	return 0;
}

/* left: instructions behind this one. libpcap jumps backwards only to follow chains of headers. */
static int check_jump(const struct filter_insn *insn, size_t i, size_t left, char *why, size_t size)
{
	bool always = insn->code == (BPF_JMP | BPF_JA);
	uint32_t far = insn->jt > insn->jf ? insn->jt : insn->jf;

	if (always && insn->k > INT32_MAX)
		return refuse(
		    why, size, -EOPNOTSUPP,
		    "the filter has a loop (protochain; instruction %zu jumps backwards), "
		    "which is not possible in the kernel; use \"ip proto\" and \"ip6 "
		    "proto\", or compare bytes of the headers",
		    i);
	if ((always ? insn->k : far) < left)
		return 0;
	return refuse(why, size, -EINVAL, "instruction %zu of the filter jumps out of the program",
		      i);
}

static int check_insn(const struct filter_insn *insn, size_t i, size_t left, char *why, size_t size)
{
	if (!is_known(insn->code))
		return refuse(
		    why, size, -EINVAL,
		    "instruction %zu of the filter has the code 0x%x, which is no classic "
		    "BPF instruction",
		    i, insn->code);
	if (BPF_CLASS(insn->code) == BPF_LD && BPF_MODE(insn->code) == BPF_ABS &&
	    is_ancillary(insn->k))
		return refuse(
		    why, size, -EOPNOTSUPP,
		    "the filter asks for a property that only packet sockets give "
		    "(inbound, outbound, ifindex; instruction %zu, offset 0x%x): leave it "
		    "out, and choose the device or the trace point instead",
		    i, insn->k);
	if (filtercheck_uses_memory(insn->code) && insn->k >= BPF_MEMWORDS)
		return refuse(
		    why, size, -EINVAL,
		    "instruction %zu of the filter uses scratch memory word %u; there are "
		    "%u",
		    i, insn->k, BPF_MEMWORDS);
	if (BPF_CLASS(insn->code) == BPF_ALU)
		return check_alu(insn, i, why, size);
	if (BPF_CLASS(insn->code) == BPF_JMP)
		return check_jump(insn, i, left, why, size);
	return 0;
}

int filtercheck_program(const struct filter_classic *program, char *why, size_t size)
{
	if (!program->count)
		return refuse(why, size, -EINVAL, "the filter program is empty");
	for (size_t i = 0; i < program->count; i++) {
		int err = check_insn(&program->insns[i], i, program->count - 1 - i, why, size);

		if (err)
			return err;
	}
	if (BPF_CLASS(program->insns[program->count - 1].code) != BPF_RET)
		return refuse(why, size, -EINVAL,
			      "the last instruction of the filter program is not a return");
	return 0;
}
