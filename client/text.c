/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "utf8.h"

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

void text_print_wrapped(FILE *out, const char *s, unsigned indent, unsigned width)
{
	unsigned column = indent;

	while (*s) {
		size_t word = strcspn(s, " ");

		if (width && column > indent && column + 1 + word > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putc(' ', out);
			column++;
		}
		for (size_t i = 0; i < word; i++)
			print_byte(out, (unsigned char)s[i]);
		column += (unsigned)word;
		s += word;
		s += strspn(s, " ");
	}
	putc('\n', out);
}

char *text_utf8(const char *s)
{
	char *copy = strdup(s);
	size_t bytes = strlen(s), len;

	for (size_t i = 0; copy && i < bytes; i += len ? len : 1) {
		len = utf8_length(copy + i, bytes - i);
		if (!len)
			copy[i] = '?';
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
