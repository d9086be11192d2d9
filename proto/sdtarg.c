/* SPDX-License-Identifier: BSD-2-Clause */
#include "sdtarg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "quote.h"

#define SP 19
#define IN_REGISTERS 6 /* arguments of a function */

struct parse {
	const char *text, *at;
	char *why;
	size_t size;
};

static int refuse(const struct parse *p, const char *what)
{
	struct quote q;

	snprintf(p->why, p->size, "the argument %s %s: give one such as 8@%%rdi, -4@$5 or 2@-24(%%rbp)",
		 quote_text(&q, p->text, strlen(p->text)), what);
	return -EINVAL;
}

/* ---- registers ---- */

/* Those with names of their own, at their places in struct pt_regs: of 8, 4, 2 and 1 bytes, and the second byte. */
static const struct {
	uint8_t reg;
	const char *names[5];
} named[] = {
	{ 4, { "rbp", "ebp", "bp", "bpl" } },
	{ 5, { "rbx", "ebx", "bx", "bl", "bh" } },
	{ 10, { "rax", "eax", "ax", "al", "ah" } },
	{ 11, { "rcx", "ecx", "cx", "cl", "ch" } },
	{ 12, { "rdx", "edx", "dx", "dl", "dh" } },
	{ 13, { "rsi", "esi", "si", "sil" } },
	{ 14, { "rdi", "edi", "di", "dil" } },
	{ SP, { "rsp", "esp", "sp", "spl" } },
};

/* r8 to r15, by number. */
static const uint8_t numbered[] = { 9, 8, 7, 6, 3, 2, 1, 0 };

struct reg {
	uint8_t reg, bytes, shift;
};

static bool find_named(const char *name, size_t len, struct reg *r)
{
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
		for (int j = 0; j < 5 && named[i].names[j]; j++)
			if (strlen(named[i].names[j]) == len && !memcmp(named[i].names[j], name, len)) {
				*r = (struct reg){ named[i].reg, j < 4 ? 8 >> j : 1, j < 4 ? 0 : 8 };
				return true;
			}
	return false;
}

static bool find_numbered(const char *name, size_t len, struct reg *r)
{
	unsigned number;

	if (len < 2 || name[0] != 'r')
		return false;
	if (name[1] == '8' || name[1] == '9') {
		number = name[1] - '0';
		name += 2, len -= 2;
	} else if (len >= 3 && name[1] == '1' && name[2] >= '0' && name[2] <= '5') {
		number = 10 + name[2] - '0';
		name += 3, len -= 3;
	} else {
		return false;
	}
	if (len > 1 || (len && !strchr("dwb", *name)))
		return false;
	*r = (struct reg){ numbered[number - 8], !len ? 8 : *name == 'd' ? 4 : *name == 'w' ? 2 : 1, 0 };
	return true;
}

/* "%rax" at p->at, which moves behind it. */
static int parse_register(struct parse *p, struct reg *r)
{
	size_t len;

	if (*p->at != '%')
		return refuse(p, "has no register where one belongs");
	len = strspn(++p->at, "abcdefghijklmnopqrstuvwxyz0123456789");
	if (len == 3 && !memcmp(p->at, "rip", 3))
		return refuse(p, "is relative to the program counter, which says no place");
	if (p->at[len] == ':')
		return refuse(p, "is in a segment, which cannot be read");
	if (!find_named(p->at, len, r) && !find_numbered(p->at, len, r))
		return refuse(p, "has a register that is none of x86-64 for whole numbers");
	p->at += len;
	return 0;
}

/* ---- numbers ---- */

static int digit_of(char c, unsigned base)
{
	int d = c >= '0' && c <= '9' ? c - '0' :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;

	return d < (int)base ? d : -1;
}

/* A number with its sign, decimal or hexadecimal, of the 64 bits of either kind of integer. */
static int parse_number(struct parse *p, int64_t *value)
{
	bool minus = *p->at == '-';
	uint64_t n = 0;
	unsigned base = 10;

	p->at += *p->at == '-' || *p->at == '+';
	if (p->at[0] == '0' && (p->at[1] == 'x' || p->at[1] == 'X')) {
		base = 16;
		p->at += 2;
	}
	if (digit_of(*p->at, base) < 0)
		return refuse(p, "has no number where one belongs");
	for (int d; (d = digit_of(*p->at, base)) >= 0; p->at++)
		if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, d, &n))
			return refuse(p, "has a number of more than 64 bits");
	if (minus && n > 1ULL << 63)
		return refuse(p, "has a number of more than 64 bits");
	*value = (int64_t)(minus ? -n : n);
	return 0;
}

/* ---- the forms ---- */

static int parse_constant(struct parse *p, struct sdtarg *a)
{
	a->kind = SDTARG_CONSTANT;
	p->at++;
	return parse_number(p, &a->offset);
}

static int parse_value(struct parse *p, struct sdtarg *a)
{
	struct reg r;

	if (parse_register(p, &r))
		return -EINVAL;
	if (r.bytes < a->size)
		return refuse(p, "has more bytes than its register");
	if (r.shift && a->size != 1)
		return refuse(p, "has more bytes than its register");
	a->kind = SDTARG_REGISTER;
	a->reg = r.reg;
	a->shift = r.shift;
	return 0;
}

/* A register that is part of an address. */
static int parse_address_register(struct parse *p, uint8_t *reg)
{
	struct reg r;

	if (parse_register(p, &r))
		return -EINVAL;
	if (r.bytes != 8)
		return refuse(p, "has a part of a register in its address");
	*reg = r.reg;
	return 0;
}

/* What stands behind the comma: "%rbx,8", or "%rbx" alone. */
static int parse_index(struct parse *p, struct sdtarg *a)
{
	int64_t scale = 1;

	p->at++;
	if (parse_address_register(p, &a->index))
		return -EINVAL;
	if (a->index == SP)
		return refuse(p, "has %rsp as its index, which no instruction has");
	if (*p->at == ',') {
		p->at++;
		if (parse_number(p, &scale))
			return -EINVAL;
	}
	if (scale != 1 && scale != 2 && scale != 4 && scale != 8)
		return refuse(p, "has a scale that is not 1, 2, 4 or 8");
	a->scale = scale;
	return 0;
}

static int parse_memory(struct parse *p, struct sdtarg *a)
{
	a->kind = SDTARG_MEMORY;
	if (*p->at != '(' && parse_number(p, &a->offset))
		return -EINVAL;
	if (a->offset < INT32_MIN || a->offset > INT32_MAX)
		return refuse(p, "has an offset of more than 32 bits");
	if (*p->at != '(')
		return refuse(p, "is at a fixed address, and only memory at a register can be read");
	p->at++;
	if (parse_address_register(p, &a->reg))
		return -EINVAL;
	if (*p->at == ',' && parse_index(p, a))
		return -EINVAL;
	if (*p->at != ')')
		return refuse(p, "has no \")\" where it belongs");
	p->at++;
	return 0;
}

/* "-8@" */
static int parse_size(struct parse *p, struct sdtarg *a)
{
	if (*p->at == '-') {
		a->is_signed = true;
		p->at++;
	}
	if (!*p->at || !strchr("1248", *p->at) || (p->at[1] != '@' && p->at[1] != 'f'))
		return refuse(p, "does not begin with its size, 1@, 2@, 4@ or 8@");
	if (p->at[1] == 'f')
		return refuse(p, "is a floating-point number, and only whole ones and pointers can be read");
	a->size = *p->at - '0';
	p->at += 2;
	return 0;
}

int sdtarg_parse(const char *text, struct sdtarg *a, char *why, size_t size)
{
	struct parse p = { .text = text, .at = text, .why = why, .size = size };
	int err;

	*a = (struct sdtarg){ 0 };
	if (strnlen(text, SDTARG_TEXT_BYTES) == SDTARG_TEXT_BYTES)
		return refuse(&p, "is longer than any");
	err = parse_size(&p, a);
	if (!err)
		err = *p.at == '$' ? parse_constant(&p, a) : *p.at == '%' ? parse_value(&p, a) : parse_memory(&p, a);
	if (!err && *p.at)
		err = refuse(&p, "has something behind its end");
	return err;
}

void sdtarg_of_function(unsigned n, char text[SDTARG_TEXT_BYTES])
{
	static const char *const registers[IN_REGISTERS] = { "rdi", "rsi", "rdx", "rcx", "r8", "r9" };

	if (n >= 1 && n <= IN_REGISTERS)
		snprintf(text, SDTARG_TEXT_BYTES, "8@%%%s", registers[n - 1]);
	else
		snprintf(text, SDTARG_TEXT_BYTES, "8@%" PRIu64 "(%%rsp)", 8 * (uint64_t)(n - IN_REGISTERS));
}
