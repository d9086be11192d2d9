/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines under a packet: its metadata, and with -S the kernel stack. */
#ifndef PRINT_H
#define PRINT_H

#include <stdbool.h>
#include <stdio.h>
#include "meta.h"

#define PRINT_COLORS "red, green, yellow, blue, purple or cyan"
#define PRINT_COLOR_OFF "\033[0m" /* ends what a sequence of print_color() began */

/* The terminal sequence that switches to the colour, or NULL: no such name. */
const char *print_color(const char *name);
/* Whether colours may be used on this stream: a terminal, and NO_COLOR is not set. */
bool print_wants_color(FILE *out);
/*
 * One line of metadata, and one for each frame of the stack; stack_color: a sequence of
 * print_color(), NULL: none. Control characters in names are shown escaped.
 */
void print_meta(FILE *out, const struct meta *m, const char *stack_color);

#endif
