/* SPDX-License-Identifier: BSD-2-Clause */
#include "base64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const uint8_t *bytes, size_t len)
{
	char *text = malloc((len + 2) / 3 * 4 + 1), *out = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t group = (uint32_t)bytes[i] << 16;

		if (left > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (left > 2)
			group |= bytes[i + 2];
		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[group & 63] : '=';
	}
	*out = '\0';
	return text;
}

/* Four digits, of which the last ones may be padding. Returns bytes, or -1. */
static int decode_group(const char *text, uint8_t *out)
{
	uint32_t group = 0;
	int padding = text[3] == '=' ? text[2] == '=' ? 2 : 1 : 0;

	for (int i = 0; i < 4; i++) {
		const char *digit = i < 4 - padding && text[i] ? strchr(digits, text[i]) : NULL;

		if (!digit && i < 4 - padding)
			return -1;
		group = group << 6 | (digit ? (uint32_t)(digit - digits) : 0);
	}
	/* one text for the same bytes: what padding leaves over is 0 */
	if (group & ((1u << 8 * padding) - 1))
		return -1;
	out[0] = group >> 16;
	out[1] = group >> 8;
	out[2] = group;
	return 3 - padding;
}

uint8_t *base64_decode(const char *text, size_t *len)
{
	size_t count = strlen(text), done = 0;
	uint8_t *bytes = malloc(count / 4 * 3 + 1);

	if (!bytes)
		return NULL;
	for (size_t i = 0; i < count; i += 4) {
		int n = count % 4 ? -1 : decode_group(text + i, bytes + done);

		if (n < 0 || (n < 3 && i + 4 < count)) {
			free(bytes);
			errno = EINVAL;
			return NULL;
		}
		done += n;
	}
	*len = done;
	return bytes;
}
