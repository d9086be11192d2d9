/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a value of the user's action is shown: what stands behind "format:" in the comment of a field, as "0x%x". One
 * conversion of printf(3), with text around it.
 */
#ifndef USERFORMAT_H
#define USERFORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USERFORMAT_BYTES 64 /* most of one */

struct userformat {
	const char *before, *after; /* in the text that was parsed: before_len bytes, and the rest */
	size_t before_len;
	char flags[8];
	unsigned width;
	char conversion; /* d, u, x, X, o, c */
};

/* 0, or -EINVAL with a sentence about it in why (size bytes). */
int userformat_parse(const char *text, struct userformat *f, char *why, size_t size);
/* Writes a value of bits bits in that form; NUL-terminated. Returns its length, cut to size. */
size_t userformat_print(const struct userformat *f, uint64_t value, unsigned bits, char *text, size_t size);

#endif
