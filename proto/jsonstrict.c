/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser builds json-c's objects itself instead of handing the text on: one pass, one idea of
 * what is valid, and json-c's hash table (seeded at random) finds duplicate keys on the way.
 */
#include "jsonstrict.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quote.h"
#include "utf8.h"

#define NUMBER_MAX 64 /* characters; the longest that a double needs is 24 */

struct scan {
	const char *text;
	size_t len;
	size_t at; /* next byte */
	int depth; /* levels that may still be opened */
	int max_depth;
	char *strings; /* unescaped strings, one behind the other: never longer than the text */
	size_t used;   /* bytes of strings[] in use */
	char *why;
	size_t why_size;
	const struct jsonstrict_places *places; /* or NULL */
};

/* A string in scan.strings, NUL-terminated. */
struct span {
	char *text;
	size_t len;
};

static int scan_value(struct scan *s, struct json_object **value);

static int __attribute__((format(printf, 2, 3))) fail(struct scan *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->why, s->why_size, format, args);
	va_end(args);
	return -1;
}

static int fail_memory(struct scan *s)
{
	return fail(s, "there is not enough memory to read the JSON text: try again later");
}

static bool at_end(const struct scan *s)
{
	return s->at == s->len;
}

static int fail_unexpected(struct scan *s, const char *expected)
{
	struct quote q;

	if (at_end(s))
		return fail(s, "the JSON text ends at byte %zu where %s belongs: send all of it",
			    s->at, expected);
	return fail(s, "the JSON text has %s at byte %zu where %s belongs",
		    quote_text(&q, s->text + s->at, 1), s->at, expected);
}

static void skip_space(struct scan *s)
{
	while (!at_end(s) && s->text[s->at] && strchr(" \t\n\r", s->text[s->at]))
		s->at++;
}

/* Takes character c, after white space, if it is next. */
static bool accept(struct scan *s, char c)
{
	skip_space(s);
	if (at_end(s) || s->text[s->at] != c)
		return false;
	s->at++;
	return true;
}

static bool digit(const struct scan *s)
{
	return !at_end(s) && s->text[s->at] >= '0' && s->text[s->at] <= '9';
}

static void put_character(struct scan *s, uint32_t c)
{
	char *out = s->strings + s->used;

	if (c < 0x80) {
		*out++ = c;
	} else if (c < 0x800) {
		*out++ = 0xc0 | c >> 6;
		*out++ = 0x80 | (c & 0x3f);
	} else if (c < 0x10000) {
		*out++ = 0xe0 | c >> 12;
		*out++ = 0x80 | (c >> 6 & 0x3f);
		*out++ = 0x80 | (c & 0x3f);
	} else {
		*out++ = 0xf0 | c >> 18;
		*out++ = 0x80 | (c >> 12 & 0x3f);
		*out++ = 0x80 | (c >> 6 & 0x3f);
		*out++ = 0x80 | (c & 0x3f);
	}
	s->used = out - s->strings;
}

/* Reads \uXXXX, of which the backslash is next. */
static int scan_unit(struct scan *s, uint32_t *unit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";

	if (s->len - s->at < 6 || memcmp(s->text + s->at, "\\u", 2))
		return -1;
	*unit = 0;
	for (size_t i = 2; i < 6; i++) {
		char c = s->text[s->at + i];
		const char *found = c ? strchr(digits, c) : NULL;

		if (!found)
			return -1;
		*unit = *unit << 4 | ((found - digits) & 15);
	}
	s->at += 6;
	return 0;
}

static int scan_unicode(struct scan *s)
{
	size_t start = s->at;
	uint32_t c, low;

	if (scan_unit(s, &c))
		return fail(s,
			    "the JSON text has a bad escape at byte %zu: "
			    "write \\u and four hexadecimal digits",
			    start);
	if (!c)
		return fail(s,
			    "the JSON text has \\u0000 at byte %zu: "
			    "leave it out, no text here may hold a NUL",
			    start);
	if (c >= 0xd800 && c <= 0xdfff) {
		if (c >= 0xdc00 || scan_unit(s, &low) || low < 0xdc00 || low > 0xdfff)
			return fail(s,
				    "the JSON text has half a surrogate pair at byte %zu: "
				    "write both halves",
				    start);
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	put_character(s, c);
	return 0;
}

static int scan_escape(struct scan *s)
{
	static const char escapes[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	struct quote q;
	const char *found;
	char c;

	if (s->len - s->at < 2) {
		s->at = s->len;
		return fail_unexpected(s, "the rest of a string");
	}
	c = s->text[s->at + 1];
	if (c == 'u')
		return scan_unicode(s);
	found = c ? strchr(escapes, c) : NULL;
	if (!found)
		return fail(s,
			    "the JSON text has the unknown escape %s at byte %zu: "
			    "write a backslash as \\\\",
			    quote_text(&q, s->text + s->at, 2), s->at);
	s->strings[s->used++] = values[found - escapes];
	s->at += 2;
	return 0;
}

/* One character that is neither the closing quote nor an escape. */
static int scan_plain(struct scan *s)
{
	const char *p = s->text + s->at;
	size_t n;

	if ((unsigned char)*p < 0x20)
		return fail(s,
			    "the JSON text has a raw control character (0x%02x) in a string at "
			    "byte %zu: escape it",
			    *p, s->at);
	n = utf8_length(p, s->len - s->at);
	if (!n)
		return fail(s, "the JSON text is not UTF-8 at byte %zu (0x%02x)", s->at,
			    (unsigned char)*p);
	memcpy(s->strings + s->used, p, n);
	s->used += n;
	s->at += n;
	return 0;
}

/* Reads a string, of which the opening quote is next. */
static int scan_string(struct scan *s, struct span *span)
{
	int r = 0;

	span->text = s->strings + s->used;
	s->at++;
	while (!r && !at_end(s) && s->text[s->at] != '"')
		r = s->text[s->at] == '\\' ? scan_escape(s) : scan_plain(s);
	if (r)
		return r;
	if (at_end(s))
		return fail_unexpected(s, "the rest of a string");
	s->at++;
	span->len = s->strings + s->used - span->text;
	s->strings[s->used++] = '\0'; /* in place of the quote */
	return 0;
}

static int scan_digits(struct scan *s)
{
	if (!digit(s))
		return fail_unexpected(s, "a digit");
	while (digit(s))
		s->at++;
	return 0;
}

/* Walks over a number by the grammar of RFC 8259, section 6. */
static int scan_number_text(struct scan *s, bool *fraction)
{
	*fraction = false;
	if (s->text[s->at] == '-')
		s->at++;
	if (!at_end(s) && s->text[s->at] == '0') {
		s->at++;
		if (digit(s))
			return fail(s,
				    "the JSON text has a number with a leading zero at byte "
				    "%zu: leave the zero out",
				    s->at - 1);
	} else if (scan_digits(s)) {
		return -1;
	}
	if (!at_end(s) && s->text[s->at] == '.') {
		*fraction = true;
		s->at++;
		if (scan_digits(s))
			return -1;
	}
	if (!at_end(s) && (s->text[s->at] == 'e' || s->text[s->at] == 'E')) {
		*fraction = true;
		s->at++;
		if (!at_end(s) && (s->text[s->at] == '+' || s->text[s->at] == '-'))
			s->at++;
		return scan_digits(s);
	}
	return 0;
}

/* The decimal point of JSON is a point, whatever the user's locale says. */
static double parse_double(const char *text)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", NULL);
	double value = c ? strtod_l(text, NULL, c) : HUGE_VAL;

	if (c)
		freelocale(c);
	return value;
}

static int scan_number(struct scan *s, struct json_object **value)
{
	size_t start = s->at, len;
	char text[NUMBER_MAX + 1];
	struct quote q;
	bool fraction;
	double real = 0;
	long long integer = 0;

	if (scan_number_text(s, &fraction))
		return -1;
	len = s->at - start;
	errno = 0;
	if (len <= NUMBER_MAX) {
		memcpy(text, s->text + start, len);
		text[len] = '\0';
		if (fraction)
			real = parse_double(text);
		else
			integer = strtoll(text, NULL, 10);
	}
	if (len > NUMBER_MAX || isinf(real) || (!fraction && errno == ERANGE))
		return fail(s,
			    "the JSON text has the number %s at byte %zu, which is too large or "
			    "too long: give a smaller one",
			    quote_text(&q, s->text + start, len), start);
	*value = fraction ? json_object_new_double_s(real, text) : json_object_new_int64(integer);
	return *value ? 0 : fail_memory(s);
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int scan_literal(struct scan *s, struct json_object **value)
{
	static const char *const words[] = {"null", "false", "true"};
	struct quote q;
	size_t n = 0;

	while (s->at + n < s->len && letter(s->text[s->at + n]))
		n++;
	for (int i = 0; i < 3; i++) {
		if (n != strlen(words[i]) || memcmp(s->text + s->at, words[i], n))
			continue;
		s->at += n;
		*value = i ? json_object_new_boolean(i == 2) : NULL;
		return !i || *value ? 0 : fail_memory(s);
	}
	if (!n)
		return fail_unexpected(s, "a value");
	return fail(s,
		    "the JSON text has the word %s at byte %zu: only true, false and null are "
		    "words of JSON, text goes in double quotes",
		    quote_text(&q, s->text + s->at, n), s->at);
}

static int scan_string_value(struct scan *s, struct json_object **value)
{
	struct span span;

	if (scan_string(s, &span))
		return -1;
	*value = json_object_new_string_len(span.text, span.len);
	return *value ? 0 : fail_memory(s);
}

/* Tells where a value is: name NULL for an entry. */
static void tell_place(const struct scan *s, const struct json_object *parent, const char *name,
		       size_t at)
{
	if (s->places)
		s->places->place(s->places->arg, parent, name, at);
}

static int scan_member(struct scan *s, struct json_object *object)
{
	struct json_object *value = NULL;
	struct span key;
	struct quote q;
	size_t start;

	skip_space(s);
	start = s->at;
	if (at_end(s) || s->text[s->at] != '"')
		return fail_unexpected(s, "the name of a member in double quotes");
	if (scan_string(s, &key))
		return -1;
	if (json_object_object_get_ex(object, key.text, NULL))
		return fail(s, "the JSON text has the member %s twice, again at byte %zu: keep one",
			    quote_text(&q, key.text, key.len), start);
	tell_place(s, object, key.text, start);
	if (!accept(s, ':'))
		return fail_unexpected(s, "a colon");
	if (scan_value(s, &value))
		return -1;
	if (json_object_object_add_ex(object, key.text, value, JSON_C_OBJECT_ADD_KEY_IS_NEW)) {
		json_object_put(value);
		return fail_memory(s);
	}
	return 0;
}

static int scan_entry(struct scan *s, struct json_object *array)
{
	struct json_object *value = NULL;

	skip_space(s);
	tell_place(s, array, NULL, s->at);
	if (scan_value(s, &value))
		return -1;
	if (json_object_array_add(array, value)) {
		json_object_put(value);
		return fail_memory(s);
	}
	return 0;
}

/* Reads an object or an array, of which the opening bracket is next. */
static int scan_container(struct scan *s, struct json_object **value)
{
	bool object = s->text[s->at] == '{';
	struct json_object *c;
	int r = 0;

	if (!s->depth)
		return fail(s,
			    "the JSON text is nested more than %d levels deep at byte %zu: "
			    "make it flatter",
			    s->max_depth, s->at);
	c = object ? json_object_new_object() : json_object_new_array();
	if (!c)
		return fail_memory(s);
	s->at++;
	s->depth--;
	if (!accept(s, object ? '}' : ']')) {
		do {
			r = object ? scan_member(s, c) : scan_entry(s, c);
		} while (!r && accept(s, ','));
		if (!r && !accept(s, object ? '}' : ']'))
			r = fail_unexpected(s, object ? "a comma or }" : "a comma or ]");
	}
	s->depth++;
	if (r)
		json_object_put(c);
	else
		*value = c;
	return r;
}

static int scan_value(struct scan *s, struct json_object **value)
{
	skip_space(s);
	if (at_end(s))
		return fail_unexpected(s, "a value");
	switch (s->text[s->at]) {
	case '{':
	case '[':
		return scan_container(s, value);
	case '"':
		return scan_string_value(s, value);
	case '-':
	case '0' ... '9':
		return scan_number(s, value);
	default:
		return scan_literal(s, value);
	}
}

struct json_object *jsonstrict_parse_places(const char *text, size_t len, int depth,
					    struct jsonstrict_places *places, char *why,
					    size_t size)
{
	struct scan s = {.text = text,
			 .len = len,
			 .depth = depth,
			 .max_depth = depth,
			 .why = why,
			 .why_size = size,
			 .places = places};
	struct json_object *value = NULL;
	int r;

	s.strings = malloc(len + 1);
	r = s.strings ? scan_value(&s, &value) : fail_memory(&s);
	if (!r) {
		skip_space(&s);
		if (!at_end(&s))
			r = fail_unexpected(&s, "nothing more");
		else if (!value)
			r = fail(&s, "the JSON text is only null: send a value");
	}
	free(s.strings);
	if (places)
		places->end = s.at;
	if (r) {
		json_object_put(value);
		return NULL;
	}
	return value;
}

struct json_object *jsonstrict_parse(const char *text, size_t len, int depth, char *why,
				     size_t size)
{
	return jsonstrict_parse_places(text, len, depth, NULL, why, size);
}
