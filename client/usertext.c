/* SPDX-License-Identifier: BSD-2-Clause */
#include "usertext.h"

#include <string.h>
#include "print.h"
#include "text.h"

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* A value in quotes, in which some bytes are \xNN. */
static void unquote(const char *from, const char *end, char *to, size_t size)
{
	size_t n = 0;

	for (; from < end && n + 1 < size; from++) {
		char c = *from;

		if (c == '\\' && end - from > 3 && from[1] == 'x' && digit(from[2]) >= 0 && digit(from[3]) >= 0) {
			c = (char)(digit(from[2]) << 4 | digit(from[3]));
			from += 3;
		}
		to[n++] = c;
	}
	to[n] = '\0';
}

bool usertext_next(struct usertext *t)
{
	const char *colon = t->rest ? strchr(t->rest, ':') : NULL, *end;

	if (!colon)
		return false;
	snprintf(t->name, sizeof(t->name), "%.*s", (int)(colon - t->rest), t->rest);
	colon++;
	end = strchrnul(colon, ';');
	t->quoted = end - colon >= 2 && *colon == '\'' && end[-1] == '\'';
	if (t->quoted)
		unquote(colon + 1, end - 1, t->value, sizeof(t->value));
	else
		snprintf(t->value, sizeof(t->value), "%.*s", (int)(end - colon), colon);
	t->rest = *end ? end + 1 : NULL;
	return true;
}

void usertext_print(FILE *out, const char *text, const char *color)
{
	struct usertext t = {.rest = text};

	fprintf(out, "    %s{", color ? color : "");
	while (usertext_next(&t)) {
		text_print_safe(out, t.name);
		fputs(": ", out);
		text_print_safe(out, t.value);
		fputs("; ", out);
	}
	fprintf(out, "}%s\n", color ? PRINT_COLOR_OFF : "");
}
