/* SPDX-License-Identifier: BSD-2-Clause */
#include "userformat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "quote.h"

#define WIDTH_MOST 32

static int refuse(const char *text, const char *what, char *why, size_t size)
{
	struct quote q;

	snprintf(why, size, "the format %s %s: give one such as %%d, %%u, 0x%%x, %%08x, %%o or %%c",
		 quote_text(&q, text, strlen(text)), what);
	return -EINVAL;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* What stands between "%" and the conversion. */
static const char *parse_flags(const char *c, struct userformat *f)
{
	size_t n = 0;

	for (; *c && strchr("-+ #0", *c); c++)
		if (!strchr(f->flags, *c) && n + 1 < sizeof(f->flags))
			f->flags[n++] = *c;
	for (; *c >= '0' && *c <= '9' && f->width <= WIDTH_MOST; c++)
		f->width = 10 * f->width + *c - '0';
	/* the type of the field says how long it is */
	while (*c && strchr("hlqjzt", *c))
		c++;
	return c;
}

int userformat_parse(const char *text, struct userformat *f, char *why, size_t size)
{
	const char *c = strchr(text, '%');

	*f = (struct userformat){ .before = text };
	if (strlen(text) >= USERFORMAT_BYTES || has_control(text))
		return refuse(text, "is too long, or has control characters", why, size);
	if (!c)
		return refuse(text, "has no \"%\"", why, size);
	f->before_len = c - text;
	c = parse_flags(c + 1, f);
	if (f->width > WIDTH_MOST)
		return refuse(text, "has a width of more than 32", why, size);
	f->conversion = *c == 'i' ? 'd' : *c == 'p' ? 'x' : *c;
	if (!*c || !strchr("duxXoc", f->conversion))
		return refuse(text, "has no conversion of a whole number", why, size);
	f->after = c + 1;
	if (strchr(f->after, '%'))
		return refuse(text, "has more than one \"%\"", why, size);
	return 0;
}

/* Signed conversions see the value's own sign, others its own bits only. */
static uint64_t fit(const struct userformat *f, uint64_t value, unsigned bits)
{
	uint64_t mask = bits < 64 ? (1ULL << bits) - 1 : UINT64_MAX;

	value &= mask;
	if (f->conversion == 'd' && bits < 64 && value & 1ULL << (bits - 1))
		value |= ~mask;
	return value;
}

size_t userformat_print(const struct userformat *f, uint64_t value, unsigned bits, char *text, size_t size)
{
	char format[32], number[80];
	int n;

	value = fit(f, value, bits);
	if (f->conversion == 'c') {
		number[0] = value;
		number[1] = '\0';
	} else {
		snprintf(format, sizeof(format), "%%%s*ll%c", f->flags, f->conversion);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(number, sizeof(number), format, (int)f->width, (unsigned long long)value);
#pragma GCC diagnostic pop
	}
	n = snprintf(text, size, "%.*s%s%s", (int)f->before_len, f->before, number, f->after);
	return (size_t)n < size ? (size_t)n : size ? size - 1 : 0;
}
