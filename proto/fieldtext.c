/* SPDX-License-Identifier: BSD-2-Clause */
#include "fieldtext.h"

#include <errno.h>
#include <string.h>

static const char upper_digits[] = "0123456789ABCDEF";
static const char lower_digits[] = "0123456789abcdef";

/* Bytes that stand for themselves in a value. */
static const bool plain[256] = {
	['!' ... '$'] = true, /* not "%" */
	['&' ... '+'] = true, /* not "," */
	['-' ... '<'] = true, /* not "=" */
	['>' ... '~'] = true,
};

void fieldtext_begin(struct fieldtext_writer *w, char *text, size_t size)
{
	w->start = w->at = text;
	w->end = text + size - 1;
	w->full = false;
}

void fieldtext_char(struct fieldtext_writer *w, char c)
{
	if (w->at < w->end)
		*w->at++ = c;
	else
		w->full = true;
}

void fieldtext_bytes(struct fieldtext_writer *w, const char *bytes, size_t len)
{
	size_t room = (size_t)(w->end - w->at);

	if (len > room) {
		len = room;
		w->full = true;
	}
	memcpy(w->at, bytes, len);
	w->at += len;
}

void fieldtext_key(struct fieldtext_writer *w, const char *key, size_t len)
{
	if (w->at > w->start)
		fieldtext_char(w, ' ');
	fieldtext_bytes(w, key, len);
	fieldtext_char(w, '=');
}

void fieldtext_value(struct fieldtext_writer *w, const char *value)
{
	const char *run = value;

	for (;; run = ++value) {
		uint8_t c;

		while (plain[(uint8_t)*value])
			value++;
		fieldtext_bytes(w, run, (size_t)(value - run));
		c = (uint8_t)*value;
		if (!c)
			return;
		fieldtext_char(w, '%');
		fieldtext_char(w, upper_digits[c >> 4]);
		fieldtext_char(w, upper_digits[c & 15]);
	}
}

/* The divisor is a constant, which spares the CPU the division. */
void fieldtext_decimal(struct fieldtext_writer *w, uint64_t value)
{
	char digits[20]; /* of 2^64 - 1 */
	size_t first = sizeof(digits);

	do {
		digits[--first] = lower_digits[value % 10];
		value /= 10;
	} while (value);
	fieldtext_bytes(w, digits + first, sizeof(digits) - first);
}

void fieldtext_hex(struct fieldtext_writer *w, uint64_t value)
{
	char digits[16];
	size_t first = sizeof(digits);

	do {
		digits[--first] = lower_digits[value & 15];
		value >>= 4;
	} while (value);
	fieldtext_bytes(w, "0x", 2);
	fieldtext_bytes(w, digits + first, sizeof(digits) - first);
}

int fieldtext_end(struct fieldtext_writer *w)
{
	*w->at = '\0';
	return w->full ? -ENOBUFS : (int)(w->at - w->start);
}

size_t fieldtext_span_len(const struct fieldtext_span *s)
{
	return (size_t)(s->end - s->at);
}

bool fieldtext_split(struct fieldtext_span *rest, char separator, struct fieldtext_span *part)
{
	const char *found;

	if (!rest->at)
		return false;
	found = memchr(rest->at, separator, fieldtext_span_len(rest));
	part->at = rest->at;
	part->end = found ? found : rest->end;
	rest->at = found ? found + 1 : NULL;
	return true;
}

static bool is_key(const struct fieldtext_span *key)
{
	if (fieldtext_span_len(key) == 0 || *key->at < 'a' || *key->at > 'z')
		return false;
	for (const char *c = key->at; c < key->end; c++) {
		if ((*c < 'a' || *c > 'z') && (*c < '0' || *c > '9') && *c != '_')
			return false;
	}
	return true;
}

bool fieldtext_split_key(struct fieldtext_span *rest, struct fieldtext_span *key)
{
	return fieldtext_split(rest, '=', key) && rest->at && is_key(key);
}

bool fieldtext_is(const struct fieldtext_span *s, const char *text)
{
	return fieldtext_span_len(s) == strlen(text) && !memcmp(s->at, text, strlen(text));
}

static int hex_digit(char c)
{
	const char *found = c ? strchr(upper_digits, c) : NULL;

	return found ? (int)(found - upper_digits) : -EBADMSG;
}

/* The next byte of a value, unescaped: 1..255, or -EBADMSG. */
static int next_byte(struct fieldtext_span *s)
{
	uint8_t c = (uint8_t)*s->at++;
	int high, low;

	if (plain[c])
		return c;
	if (c != '%' || fieldtext_span_len(s) < 2)
		return -EBADMSG;
	high = hex_digit(*s->at++);
	low = hex_digit(*s->at++);
	if (high < 0 || low < 0 || (high | low) == 0)
		return -EBADMSG;
	return high << 4 | low;
}

int fieldtext_read(struct fieldtext_span value, struct fieldtext_store *to, const char **text)
{
	char *start = to->at;

	while (value.at < value.end) {
		int c = next_byte(&value);

		if (c < 0)
			return c;
		if (to->at == to->end)
			return -ENOBUFS;
		*to->at++ = (char)c;
	}
	if (to->at == to->end)
		return -ENOBUFS;
	*to->at++ = '\0';
	*text = start;
	return 0;
}

int fieldtext_read_number(struct fieldtext_span value, uint64_t max, uint64_t *number)
{
	unsigned base = 10;

	*number = 0;
	if (fieldtext_span_len(&value) > 2 && memcmp(value.at, "0x", 2) == 0) {
		base = 16;
		value.at += 2;
	}
	if (value.at == value.end)
		return -EBADMSG;
	for (; value.at < value.end; value.at++) {
		const char *digit = memchr(lower_digits, *value.at, base);
		uint64_t add = digit ? (uint64_t)(digit - lower_digits) : 0;

		if (!digit || add > max || *number > (max - add) / base)
			return -EBADMSG;
		*number = *number * base + add;
	}
	return 0;
}

int fieldtext_check(struct fieldtext_span value)
{
	struct fieldtext_span item;

	while (fieldtext_split(&value, ',', &item)) {
		while (item.at < item.end) {
			int c = next_byte(&item);

			if (c < 0)
				return c;
		}
	}
	return 0;
}
