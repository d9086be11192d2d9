/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/usercode.h"
#include "userformat.h"

#define VALUE_BYTES 384 /* of one as text: USERCODE_BYTES of characters, some of them escaped */

/* ---- the child's answer ---- */

/* What is left of an answer. */
struct rest {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static const void *cut(struct rest *r, size_t count, size_t each)
{
	const uint8_t *at = r->at;

	if (r->bad || count > r->left / each) {
		r->bad = true;
		return NULL;
	}
	r->at += count * each;
	r->left -= count * each;
	return at;
}

static bool program_is_good(const struct usercode_program *p)
{
	if (!p->count)
		return !p->function_count && !p->line_count;
	if (!p->function_count || p->functions[0])
		return false;
	for (uint32_t i = 1; i < p->function_count; i++)
		if (p->functions[i] <= p->functions[i - 1] || p->functions[i] >= p->count)
			return false;
	return true;
}

/* No descriptors: the daemon has other maps, too, which are none of the code's business. */
static bool insns_are_good(const struct usercode *code, const struct usercode_program *p)
{
	for (uint32_t i = 0; i < p->count; i++) {
		const struct bpf_insn *insn = &p->insns[i];

		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (++i == p->count)
			return false;
		if (insn->src_reg && (insn->src_reg != BPF_PSEUDO_MAP_VALUE || insn->imm ||
				      (uint32_t)insn[1].imm >= code->data_bytes))
			return false;
	}
	return true;
}

static void cut_program(struct rest *r, struct usercode_program *p)
{
	const uint32_t *functions;

	if (p->count > USERCODE_INSNS || p->function_count > USERCODE_FUNCTIONS) {
		r->bad = true;
		return;
	}
	p->insns = cut(r, p->count, sizeof(*p->insns));
	functions = cut(r, p->function_count, sizeof(*functions));
	if (!r->bad)
		memcpy(p->functions, functions, p->function_count * sizeof(*functions));
	p->lines = cut(r, p->line_count, sizeof(*p->lines));
	if (!r->bad && !program_is_good(p))
		r->bad = true;
}

static bool lines_are_good(const struct usercode *code, const struct usercode_program *p)
{
	for (uint32_t i = 0; i < p->line_count; i++)
		if (p->lines[i].file >= code->string_bytes || p->lines[i].text >= code->string_bytes)
			return false;
	return true;
}

static bool field_is_good(const struct usercode *code, const struct usercode_field *f)
{
	struct userformat format;
	char why[8];

	if (f->name >= code->string_bytes || f->format >= code->string_bytes || f->kind >= USERCODE_KINDS)
		return false;
	if (code->strings[f->format] && userformat_parse(code->strings + f->format, &format, why, sizeof(why)))
		return false;
	if (f->bit > 8 * code->bytes || f->bits > 8 * code->bytes - f->bit || !f->bits)
		return false;
	if (f->kind == USERCODE_TEXT ? f->bit % 8 || f->bits % 8 : f->bits > 64 || f->bit % 8 + f->bits > 64)
		return false;
	return f->enums <= code->enum_count && f->enum_count <= code->enum_count - f->enums;
}

static bool texts_are_good(const struct usercode *code)
{
	if (!code->string_bytes || code->strings[code->string_bytes - 1] || code->bytes > USERCODE_BYTES)
		return false;
	if (!lines_are_good(code, &code->filter) || !lines_are_good(code, &code->action))
		return false;
	for (uint32_t i = 0; i < code->field_count; i++)
		if (!field_is_good(code, &code->fields[i]))
			return false;
	for (uint32_t i = 0; i < code->enum_count; i++)
		if (code->enums[i].name >= code->string_bytes)
			return false;
	return true;
}

int usercode_take(void *answer, size_t size, struct usercode *code)
{
	const struct usercode_answer *a = answer;
	struct rest rest = { answer, size, false };

	memset(code, 0, sizeof(*code));
	if (!cut(&rest, 1, sizeof(*a)) || a->field_count > USERCODE_FIELDS || a->enum_count > USERCODE_ENUMERATORS ||
	    a->data_bytes > USERCODE_DATA)
		return -EBADMSG;
	code->bytes = a->bytes;
	code->field_count = a->field_count;
	code->enum_count = a->enum_count;
	code->string_bytes = a->string_bytes;
	code->data_bytes = a->data_bytes;
	code->data_map = -1;
	code->filter.count = a->filter.count;
	code->filter.function_count = a->filter.function_count;
	code->filter.line_count = a->filter.line_count;
	code->filter.argument = a->filter.argument;
	code->action.count = a->action.count;
	code->action.function_count = a->action.function_count;
	code->action.line_count = a->action.line_count;
	code->action.argument = a->action.argument;
	code->enums = cut(&rest, code->enum_count, sizeof(*code->enums));
	cut_program(&rest, &code->filter);
	cut_program(&rest, &code->action);
	code->fields = cut(&rest, code->field_count, sizeof(*code->fields));
	code->strings = cut(&rest, code->string_bytes, 1);
	code->data = cut(&rest, code->data_bytes, 1);
	if (rest.bad || rest.left || !texts_are_good(code) || !insns_are_good(code, &code->filter) ||
	    !insns_are_good(code, &code->action)) {
		memset(code, 0, sizeof(*code));
		return -EBADMSG;
	}
	code->memory = answer;
	return 0;
}

void usercode_clear(struct usercode *code)
{
	if (code->data_bytes && code->data_map >= 0)
		close(code->data_map);
	free(code->memory);
	memset(code, 0, sizeof(*code));
}

/* Is it in a file of the user's, not in what netcapctl puts around it? */
static bool is_users(const struct usercode *code, const struct usercode_line *line)
{
	const char *name = strrchr(code->strings + line->file, '/');

	name = name ? name + 1 : code->strings + line->file;
	return line->line && strncmp(name, "netcap-", 7);
}

/* The line of the function itself, which stands for instructions of no known line (put_callers() in client/compile.c). */
static bool is_head(const struct usercode *code, const struct usercode_line *line)
{
	return strstr(code->strings + line->text, "xcap_") != NULL;
}

const struct usercode_line *usercode_line(const struct usercode *code, const struct usercode_program *p, uint32_t insn)
{
	const struct usercode_line *found = NULL, *head = NULL;

	/* the nearest before it, else the first one */
	for (uint32_t i = 0; i < p->line_count && (p->lines[i].insn <= insn || !found); i++) {
		if (is_users(code, &p->lines[i]) && is_head(code, &p->lines[i]))
			head = &p->lines[i];
		else if (is_users(code, &p->lines[i]))
			found = &p->lines[i];
	}
	return found ? found : head;
}

/* ---- values as text ---- */

static uint64_t read_bits(const uint8_t *bytes, const struct usercode_field *f)
{
	uint64_t value = 0;
	unsigned shift = f->bit % 8, count = (shift + f->bits + 7) / 8;

	memcpy(&value, bytes + f->bit / 8, count);
	value >>= shift;
	if (f->bits < 64)
		value &= (1ULL << f->bits) - 1;
	return value;
}

static int64_t with_sign(uint64_t value, unsigned bits)
{
	return bits < 64 && value & 1ULL << (bits - 1) ? value | ~0ULL << bits : value;
}

/* Between quotes, so that a reader tells characters from numbers. What could be taken for the end is escaped. */
static size_t put_quoted(const char *from, size_t len, char *text, size_t size)
{
	size_t n = 0;

	n += snprintf(text, size, "'");
	for (size_t i = 0; i < len && n + 6 < size; i++) {
		unsigned char c = from[i];

		if (c < 0x20 || c > 0x7e || c == '\'' || c == '\\' || c == ';')
			n += snprintf(text + n, size - n, "\\x%02x", c);
		else
			text[n++] = c;
	}
	text[n++] = '\'';
	text[n] = '\0';
	return n;
}

static void put_formatted(const char *spec, uint64_t value, unsigned bits, char *text, size_t size)
{
	char plain[USERFORMAT_BYTES + 96];
	struct userformat format;
	size_t len;

	userformat_parse(spec, &format, text, size); /* it was good before */
	len = userformat_print(&format, value, bits, plain, sizeof(plain));
	if (format.conversion == 'c' && !format.before_len && !*format.after)
		put_quoted((char *)&value, 1, text, size); /* a NUL is a character, too */
	else if (strpbrk(plain, "';\\") || plain[strspn(plain, "-0123456789abcdefABCDEFx")])
		put_quoted(plain, len, text, size);
	else
		snprintf(text, size, "%s", plain);
}

static const char *enumerator(const struct usercode *code, const struct usercode_field *f, uint64_t value)
{
	int64_t wanted = f->is_signed ? with_sign(value, f->bits) : (int64_t)value;

	for (uint32_t i = 0; i < f->enum_count; i++)
		if (code->enums[f->enums + i].value == wanted)
			return code->strings + code->enums[f->enums + i].name;
	return NULL;
}

static void put_value(const struct usercode *code, const struct usercode_field *f, const uint8_t *bytes, char *text,
		      size_t size)
{
	const char *format = code->strings + f->format, *name;
	uint64_t value;

	if (f->kind == USERCODE_TEXT) {
		put_quoted((const char *)bytes + f->bit / 8, strnlen((const char *)bytes + f->bit / 8, f->bits / 8),
			   text, size);
		return;
	}
	value = read_bits(bytes, f);
	name = f->kind == USERCODE_ENUM ? enumerator(code, f, value) : NULL;
	if (*format)
		put_formatted(format, value, f->bits, text, size);
	else if (name)
		snprintf(text, size, "%s", name);
	else if (f->kind == USERCODE_BOOL)
		snprintf(text, size, "%s", value ? "true" : "false");
	else if (f->kind == USERCODE_POINTER)
		snprintf(text, size, "0x%" PRIx64, value);
	else if (f->is_signed)
		snprintf(text, size, "%" PRId64, with_sign(value, f->bits));
	else
		snprintf(text, size, "%" PRIu64, value);
}

size_t usercode_text(const struct usercode *code, const void *bytes, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < code->field_count; i++) {
		const struct usercode_field *f = &code->fields[i];
		char value[4 * VALUE_BYTES];
		int n;

		put_value(code, f, bytes, value, sizeof(value));
		n = snprintf(text + used, size - used, "%s%s:%s", used ? ";" : "", code->strings + f->name, value);
		if ((size_t)n >= size - used) {
			text[used] = '\0';
			break;
		}
		used += n;
	}
	return used;
}
