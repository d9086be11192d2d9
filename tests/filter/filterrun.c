/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>

#include "bpf/filter_abi.h"
#include "tests/filter/filterrun.h"

#define STACK_BYTES 512
#define POISON      0xdeadbeefdeadbeefULL

struct machine {
	const struct filter_code *code;
	const struct filter_target *target;
	const struct filterrun_packet *packet;
	struct netcap_packet pkt __attribute__((aligned(8)));
	uint8_t stack[STACK_BYTES] __attribute__((aligned(8)));
	uint8_t written[STACK_BYTES]; /* stack bytes that have a value */
	uint64_t regs[MAX_BPF_REG];
	uint32_t set; /* registers that have a value, one bit each */
	size_t pc;
	char *why;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int fail(struct machine *m, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(m->why, m->size, "instruction %zu: %s", m->pc, text);
	return -1;
}

static bool within(uint64_t at, uint32_t bytes, const void *start, size_t len)
{
	uint64_t first = (uint64_t)(uintptr_t)start;

	return at >= first && at - first <= len && bytes <= len - (at - first);
}

static int check_read(struct machine *m, uint64_t at, uint32_t bytes)
{
	uint64_t stack = (uint64_t)(uintptr_t)m->stack;
	size_t window = offsetof(struct netcap_packet, window);

	if (within(at, bytes, &m->pkt, window) || within(at, bytes, m->stack, STACK_BYTES)) {
		if (at % bytes)
			return fail(m, "misaligned read of the stack");
		for (uint32_t i = 0; i < bytes && within(at, bytes, m->stack, STACK_BYTES); i++)
			if (!m->written[at - stack + i])
				return fail(m, "read of stack bytes without a value");
		return 0;
	}
	if (m->target->access == NETCAP_ACCESS_DIRECT)
		return within(at, bytes, m->packet->bytes, m->pkt.limit)
			   ? 0
			   : fail(m, "direct read beyond the limit");
	if (!within(at, bytes, m->pkt.window, m->pkt.limit))
		return fail(m, "read of the window beyond the limit");
	return at % bytes ? fail(m, "misaligned read of the window") : 0;
}

static int load(struct machine *m, const struct bpf_insn *insn)
{
	static const uint32_t sizes[] = {
	    [BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8};
	uint32_t bytes = sizes[BPF_SIZE(insn->code) >> 3];
	uint64_t at = m->regs[insn->src_reg] + (int64_t)insn->off;
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} value;

	if (check_read(m, at, bytes))
		return -1;
	memcpy(&value, (const void *)(uintptr_t)at, bytes);
	m->regs[insn->dst_reg] = bytes == 1   ? value.u8
				 : bytes == 2 ? value.u16
				 : bytes == 4 ? value.u32
					      : value.u64;
	return 0;
}

static int store(struct machine *m, const struct bpf_insn *insn)
{
	uint64_t at = m->regs[insn->dst_reg] + (int64_t)insn->off;
	uint32_t value = BPF_CLASS(insn->code) == BPF_ST ? (uint32_t)insn->imm
							 : (uint32_t)m->regs[insn->src_reg];

	if (BPF_SIZE(insn->code) != BPF_W || at % 4 || !within(at, 4, m->stack, STACK_BYTES))
		return fail(m, "store to a wrong place");
	memcpy((void *)(uintptr_t)at, &value, 4);
	memset(m->written + (at - (uint64_t)(uintptr_t)m->stack), 1, 4);
	return 0;
}

static void forget_scratch(struct machine *m)
{
	for (int i = 1; i <= 5; i++)
		m->regs[i] = POISON;
	m->set = (m->set & ~0x3eU) | 1;
}

/* bpf_rdonly_cast(), which returns its first argument. */
static int call_cast(struct machine *m, const struct bpf_insn *insn)
{
	const struct filter_cast *cast = &m->target->cast;

	if (!cast->function || insn->imm != cast->function)
		return fail(m, "call of kernel function %d", insn->imm);
	if ((m->set & 6) != 6 || m->regs[2] != (uint64_t)cast->type)
		return fail(m, "wrong arguments for bpf_rdonly_cast()");
	m->regs[0] = m->regs[1];
	forget_scratch(m);
	return 0;
}

static int call(struct machine *m, const struct bpf_insn *insn)
{
	uint32_t off = (uint32_t)m->regs[2], size = (uint32_t)m->regs[3];
	size_t target = m->target->body + m->pc + 1 + (size_t)(ptrdiff_t)insn->imm;
	uint32_t value = 0;

	if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		return call_cast(m, insn);
	if (insn->src_reg != BPF_PSEUDO_CALL || target != m->target->load)
		return fail(m, "call of %zu, which is not netcap_load()", target);
	if ((m->set & 0xe) != 0xe || m->regs[1] != (uint64_t)(uintptr_t)&m->pkt)
		return fail(m, "wrong arguments for netcap_load()");
	if (m->regs[2] > UINT32_MAX || (size != 1 && size != 2 && size != 4))
		return fail(m, "netcap_load() cannot load %u bytes at %#llx", size,
			    (unsigned long long)m->regs[2]);
	forget_scratch(m);
	m->regs[0] = (uint64_t)-1;
	if (off > m->packet->len || size > m->packet->len - off)
		return 0;
	for (uint32_t i = 0; i < size; i++)
		value = value << 8 | m->packet->bytes[off + i];
	m->regs[0] = value;
	return 0;
}

static uint64_t operate(int op, uint64_t a, uint64_t b, bool wide)
{
	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b ? a / b : 0;
	case BPF_MOD:
		return b ? a % b : a;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & (wide ? 63 : 31));
	case BPF_RSH:
		return a >> (b & (wide ? 63 : 31));
	case BPF_MOV:
		return b;
	case BPF_NEG:
		return -a;
	}
	return POISON;
}

static int alu(struct machine *m, const struct bpf_insn *insn)
{
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64;
	uint64_t a = m->regs[insn->dst_reg];
	uint64_t b =
	    BPF_SRC(insn->code) == BPF_X ? m->regs[insn->src_reg] : (uint64_t)(int64_t)insn->imm;

	if (BPF_OP(insn->code) == BPF_END) {
		if (wide || BPF_SRC(insn->code) != BPF_TO_BE)
			return fail(m, "unknown byte swap");
		m->regs[insn->dst_reg] = insn->imm == 16 ? __builtin_bswap16((uint16_t)a)
							 : __builtin_bswap32((uint32_t)a);
		return 0;
	}
	if (!wide) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	a = operate(BPF_OP(insn->code), a, b, wide);
	m->regs[insn->dst_reg] = wide ? a : (uint32_t)a;
	return 0;
}

static int holds(struct machine *m, const struct bpf_insn *insn)
{
	bool wide = BPF_CLASS(insn->code) == BPF_JMP;
	uint64_t a = m->regs[insn->dst_reg];
	uint64_t b =
	    BPF_SRC(insn->code) == BPF_X ? m->regs[insn->src_reg] : (uint64_t)(int64_t)insn->imm;

	if (!wide) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSET:
		return (a & b) != 0;
	case BPF_JSLT:
		return wide ? (int64_t)a < (int64_t)b : (int32_t)a < (int32_t)b;
	}
	return fail(m, "unknown condition");
}

/* The registers that an instruction reads, one bit each. */
static uint32_t reads(const struct bpf_insn *insn)
{
	uint32_t dst = 1U << insn->dst_reg, src = 1U << insn->src_reg;
	bool second = BPF_SRC(insn->code) == BPF_X;

	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
		return src;
	case BPF_ST:
		return dst;
	case BPF_STX:
		return dst | src;
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_OP(insn->code) == BPF_END)
			return dst;
		return (BPF_OP(insn->code) == BPF_MOV ? 0 : dst) | (second ? src : 0);
	}
	if (BPF_OP(insn->code) == BPF_EXIT)
		return 1;
	if (BPF_OP(insn->code) == BPF_CALL || BPF_OP(insn->code) == BPF_JA)
		return 0;
	return dst | (second ? src : 0);
}

static int step_jump(struct machine *m, const struct bpf_insn *insn)
{
	int taken = 1;

	if (BPF_OP(insn->code) == BPF_CALL) {
		if (call(m, insn))
			return -1;
		m->pc++;
		return 0;
	}
	if (BPF_OP(insn->code) != BPF_JA)
		taken = holds(m, insn);
	if (taken < 0)
		return -1;
	m->pc += 1 + (taken ? (size_t)(ptrdiff_t)insn->off : 0);
	return 0;
}

static int step(struct machine *m, const struct bpf_insn *insn)
{
	int err = 0;

	if (reads(insn) & ~m->set)
		return fail(m, "a register is read that has no value");
	switch (BPF_CLASS(insn->code)) {
	case BPF_JMP:
	case BPF_JMP32:
		return step_jump(m, insn);
	case BPF_LDX:
		err = load(m, insn);
		m->set |= 1U << insn->dst_reg;
		break;
	case BPF_ST:
	case BPF_STX:
		err = store(m, insn);
		break;
	case BPF_ALU:
	case BPF_ALU64:
		err = alu(m, insn);
		m->set |= 1U << insn->dst_reg;
		break;
	default:
		err = fail(m, "unknown instruction");
	}
	m->pc++;
	return err;
}

static void prepare(struct machine *m)
{
	const struct filterrun_packet *packet = m->packet;
	bool direct = m->target->access == NETCAP_ACCESS_DIRECT;
	uint32_t limit = packet->limit;

	if (!direct && limit > NETCAP_WINDOW)
		limit = NETCAP_WINDOW;
	m->pkt = (struct netcap_packet){
	    .limit = limit, .wire_len = packet->wire_len, .link = packet->link};
	if (!direct && limit)
		memcpy(m->pkt.window, packet->bytes, limit);
	m->regs[1] = (uint64_t)(uintptr_t)&m->pkt;
	m->regs[2] = direct ? (uint64_t)(uintptr_t)packet->bytes : 0;
	m->regs[10] = (uint64_t)(uintptr_t)m->stack + STACK_BYTES;
	m->set = 1U << 1 | 1U << 2 | 1U << 10;
}

int filterrun(const struct filter_code *code, const struct filter_target *target,
	      const struct filterrun_packet *packet, char *why, size_t size)
{
	struct machine m = {
	    .code = code, .target = target, .packet = packet, .why = why, .size = size};

	prepare(&m);
	/* no loops are emitted, so no path is longer than the program */
	for (size_t steps = 0; steps <= code->count; steps++) {
		const struct bpf_insn *insn;

		if (m.pc >= code->count)
			return fail(&m, "is outside the program");
		insn = &code->insns[m.pc];
		if (insn->code == (BPF_JMP | BPF_EXIT))
			return m.set & 1 ? m.regs[0] != 0 : fail(&m, "no verdict");
		if (step(&m, insn))
			return -1;
	}
	return fail(&m, "the program does not end");
}
