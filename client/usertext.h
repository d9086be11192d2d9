/* SPDX-License-Identifier: BSD-2-Clause */
/* What a user's action wrote: the metadata's field "user", "a:0x1;x1:'M'" (docs/protocol.md), value by value. */
#ifndef USERTEXT_H
#define USERTEXT_H

#include <stdbool.h>
#include <stdio.h>

#define USERTEXT_BYTES 512 /* of a name or a value, NUL included; longer ones are cut */

struct usertext {
	const char *rest; /* not owned; begin with the field's text */
	char name[USERTEXT_BYTES];
	char value[USERTEXT_BYTES]; /* as it is shown, without quotes */
	bool quoted;                /* it is text, whatever it looks like */
};

/* The next value. False: there is none. */
bool usertext_next(struct usertext *t);
/* All of them in braces, and a newline: "{a: 0x1; x1: M; }". color: as of print_meta(). */
void usertext_print(FILE *out, const char *text, const char *color);

#endif
