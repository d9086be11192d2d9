/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 4648, section 4. */
#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>
#include <stdint.h>

/* The text, with padding, for the caller to free. NULL: out of memory. */
char *base64_encode(const uint8_t *bytes, size_t len);
/* The bytes of a text with padding, and nothing but digits before it; for the caller to free. NULL with errno: EINVAL, ENOMEM. */
uint8_t *base64_decode(const char *text, size_t *len);

#endif
