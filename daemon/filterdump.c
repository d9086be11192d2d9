/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <linux/bpf.h>

#include "daemon/filterdump.h"

static const char *const sizes[] = {
    [BPF_W >> 3] = "u32", [BPF_H >> 3] = "u16", [BPF_B >> 3] = "u8", [BPF_DW >> 3] = "u64"};

static const char *const operators[16] = {
    [BPF_ADD >> 4] = "+=", [BPF_SUB >> 4] = "-=", [BPF_MUL >> 4] = "*=",  [BPF_DIV >> 4] = "/=",
    [BPF_OR >> 4] = "|=",  [BPF_AND >> 4] = "&=", [BPF_LSH >> 4] = "<<=", [BPF_RSH >> 4] = ">>=",
    [BPF_MOD >> 4] = "%=", [BPF_XOR >> 4] = "^=", [BPF_MOV >> 4] = "=",   [BPF_ARSH >> 4] = "s>>="};

static const char *const conditions[16] = {
    [BPF_JEQ >> 4] = "==", [BPF_JGT >> 4] = ">",   [BPF_JGE >> 4] = ">=",   [BPF_JSET >> 4] = "&",
    [BPF_JNE >> 4] = "!=", [BPF_JSGT >> 4] = "s>", [BPF_JSGE >> 4] = "s>=", [BPF_JLT >> 4] = "<",
    [BPF_JLE >> 4] = "<=", [BPF_JSLT >> 4] = "s<", [BPF_JSLE >> 4] = "s<="};

/* 32-bit operations are written with w registers, as the kernel's verifier does. */
static char width(const struct bpf_insn *insn)
{
	int class = BPF_CLASS(insn->code);

	return class == BPF_ALU || class == BPF_JMP32 ? 'w' : 'r';
}

static void print_operand(FILE *f, const struct bpf_insn *insn)
{
	if (BPF_SRC(insn->code) == BPF_X)
		fprintf(f, "%c%d", width(insn), insn->src_reg);
	else if (width(insn) == 'w')
		fprintf(f, "0x%x", (unsigned)insn->imm);
	else
		fprintf(f, "%d", insn->imm);
}

static void print_alu(FILE *f, const struct bpf_insn *insn)
{
	char w = width(insn);

	if (BPF_OP(insn->code) == BPF_END) {
		fprintf(f, "r%d = be%d r%d", insn->dst_reg, insn->imm, insn->dst_reg);
	} else if (BPF_OP(insn->code) == BPF_NEG) {
		fprintf(f, "%c%d = -%c%d", w, insn->dst_reg, w, insn->dst_reg);
	} else {
		fprintf(f, "%c%d %s ", w, insn->dst_reg, operators[BPF_OP(insn->code) >> 4]);
		print_operand(f, insn);
	}
}

/* next: index of the following instruction, from which jumps count. */
static void print_jump(FILE *f, const struct bpf_insn *insn, size_t next)
{
	switch (BPF_OP(insn->code)) {
	case BPF_EXIT:
		fprintf(f, "exit");
		break;
	case BPF_CALL:
		if (insn->src_reg == BPF_PSEUDO_CALL)
			fprintf(f, "call %zd", (ssize_t)next + insn->imm);
		else if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
			fprintf(f, "call kernel function %d", insn->imm);
		else
			fprintf(f, "call helper %d", insn->imm);
		break;
	case BPF_JA:
		fprintf(f, "goto %zd", (ssize_t)next + insn->off);
		break;
	default:
		fprintf(f, "if %c%d %s ", width(insn), insn->dst_reg,
			conditions[BPF_OP(insn->code) >> 4]);
		print_operand(f, insn);
		fprintf(f, " goto %zd", (ssize_t)next + insn->off);
	}
}

void filterdump_insn(FILE *f, const struct bpf_insn *insn, size_t index)
{
	const char *size = sizes[BPF_SIZE(insn->code) >> 3];

	fprintf(f, "%4zu: ", index);
	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
		fprintf(f, "r%d = *(%s *)(r%d %+d)", insn->dst_reg, size, insn->src_reg, insn->off);
		break;
	case BPF_STX:
		fprintf(f, "*(%s *)(r%d %+d) = r%d", size, insn->dst_reg, insn->off, insn->src_reg);
		break;
	case BPF_ST:
		fprintf(f, "*(%s *)(r%d %+d) = %d", size, insn->dst_reg, insn->off, insn->imm);
		break;
	case BPF_LD:
		if (insn->code && insn->src_reg == BPF_PSEUDO_MAP_VALUE) /* of user code */
			fprintf(f, "r%d = its constants + %u", insn->dst_reg, (unsigned)insn[1].imm);
		else if (insn->code)
			fprintf(f, "r%d = 0x%x ll", insn->dst_reg, (unsigned)insn->imm);
		else
			fprintf(f, "   its upper half: 0x%x", (unsigned)insn->imm);
		break;
	case BPF_ALU:
	case BPF_ALU64:
		print_alu(f, insn);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		print_jump(f, insn, index + 1);
		break;
	}
	fprintf(f, "\n");
}

char *filterdump_code(const struct filter_code *code, size_t base)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < code->count; i++)
		filterdump_insn(f, &code->insns[i], base + i);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
