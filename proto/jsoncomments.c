/* SPDX-License-Identifier: BSD-2-Clause */
#include "jsoncomments.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The byte behind the string that begins at from; len if it has no end: the parser says so. */
static size_t string_end(const char *text, size_t len, size_t from)
{
	size_t at = from + 1;

	while (at < len && text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at < len ? at + 1 : len;
}

/* The byte behind the comment that begins at from, or 0: it has no end. */
static size_t comment_end(const char *text, size_t len, size_t from)
{
	const char *body = text + from + 2, *end;
	size_t rest = len - from - 2;

	if (text[from + 1] == '/') {
		end = memchr(body, '\n', rest);
		return end ? (size_t)(end - text) : len;
	}
	end = memmem(body, rest, "*/", 2);
	return end ? (size_t)(end - text) + 2 : 0;
}

static bool begins_comment(const char *text, size_t len, size_t at)
{
	return len - at >= 2 && text[at] == '/' && (text[at + 1] == '/' || text[at + 1] == '*');
}

int jsoncomments_blank(char *text, size_t len, size_t *at)
{
	size_t i = 0, end;

	while (i < len) {
		if (text[i] == '"') {
			i = string_end(text, len, i);
		} else if (begins_comment(text, len, i)) {
			end = comment_end(text, len, i);
			if (!end) {
				*at = i;
				return -EINVAL;
			}
			for (; i < end; i++)
				if (text[i] != '\n')
					text[i] = ' ';
		} else {
			i++;
		}
	}
	return 0;
}
