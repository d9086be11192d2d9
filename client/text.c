/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void print_byte(FILE *out, unsigned char c)
{
	if (c >= 0x20 && c < 0x7f)
		putc(c, out);
	else
		fprintf(out, "\\x%02x", c);
}

void text_print_safe(FILE *out, const char *s)
{
	for (; *s; s++)
		print_byte(out, (unsigned char)*s);
}

void text_print_lines(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\n' || *s == '\t')
			putc(*s, out);
		else
			print_byte(out, (unsigned char)*s);
	}
}

/* Bytes of the UTF-8 sequence that s begins with, or 0. Overlong forms and surrogates are none. */
static size_t sequence(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 :
		     (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

char *text_utf8(const char *s)
{
	char *copy = strdup(s);
	size_t i = 0;

	while (copy && copy[i]) {
		size_t len = sequence((const unsigned char *)copy + i);

		if (!len)
			copy[i] = '?';
		i += len ? len : 1;
	}
	return copy;
}

bool text_number(const char *s, uint64_t max, bool units, uint64_t *value)
{
	static const char letters[] = "KMG";
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const char *letter;
	char *end;

	if (!isxdigit((unsigned char)s[hex ? 2 : 0]))
		return false;
	errno = 0;
	unsigned long long n = strtoull(s, &end, hex ? 16 : 10);
	if (errno || end == s)
		return false;
	if (units && *end && (letter = strchr(letters, toupper((unsigned char)*end)))) {
		unsigned shift = 10 * (unsigned)(letter - letters + 1);

		if (n > UINT64_MAX >> shift)
			return false;
		n <<= shift;
		end++;
	}
	if (*end || n > max)
		return false;
	*value = n;
	return true;
}
