/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of strangers, made fit to stand in an error sentence. */
#ifndef QUOTE_H
#define QUOTE_H

#include <stddef.h>

#define QUOTE_SHOWN 48 /* bytes of the text that are shown */

struct quote {
	char text[QUOTE_SHOWN * 4 + sizeof("\"...\"")];
};

/*
 * Writes len bytes of text into q, in double quotes, as printable ASCII: other bytes, and the quote
 * and the backslash, become \xNN, and what is longer than QUOTE_SHOWN ends in "...". So a sentence
 * may be cut anywhere and stays valid UTF-8. Returns q->text. Never fails.
 */
const char *quote_text(struct quote *q, const char *text, size_t len);

#endif
