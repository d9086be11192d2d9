/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>

/* Bytes of the UTF-8 character at text (left bytes, at least 1); 0: not one, overlong or a surrogate. */
size_t utf8_length(const char *text, size_t left);

#endif
