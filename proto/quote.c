/* SPDX-License-Identifier: BSD-2-Clause */
#include "quote.h"

#include <stdio.h>

const char *quote_text(struct quote *q, const char *text, size_t len)
{
	size_t shown = len < QUOTE_SHOWN ? len : QUOTE_SHOWN;
	char *out = q->text;

	*out++ = '"';
	for (size_t i = 0; i < shown; i++) {
		unsigned char c = text[i];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			out += sprintf(out, "\\x%02x", c);
		else
			*out++ = c;
	}
	sprintf(out, "%s\"", shown < len ? "..." : "");
	return q->text;
}
