/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small things done to text. Task names, device names and whatever a daemon sends may hold any
 * byte; none of them may reach a terminal as a control sequence.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Prints s; every byte that is no printable ASCII is shown as \xNN. */
void text_print_safe(FILE *out, const char *s);
/* The same for text of several lines: newline and tab are printed. */
void text_print_lines(FILE *out, const char *s);
/*
 * Prints s with its control characters escaped as text_print_safe() does, and a newline, in lines that
 * are broken at blanks to fit in width characters (0: one line). indent blanks begin all but the first,
 * where so many characters stand already.
 */
void text_print_wrapped(FILE *out, const char *s, unsigned indent, unsigned width);
/* A copy of s with every byte that is not part of valid UTF-8 replaced by "?". NULL: no memory. */
char *text_utf8(const char *s);
/*
 * Reads all of s as an unsigned number up to max: decimal, or hexadecimal after 0x. With units, one
 * of K, M and G may follow (1024 based). False: it is none, or is too big.
 */
bool text_number(const char *s, uint64_t max, bool units, uint64_t *value);

#endif
