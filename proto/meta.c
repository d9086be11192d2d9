/* SPDX-License-Identifier: BSD-2-Clause */
#include "meta.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum field_type {
	FIELD_TEXT,
	FIELD_STACK,
	FIELD_DECIMAL, /* left out when 0 */
	FIELD_HEX,     /* left out when 0 */
	FIELD_COUNT,   /* decimal, 0 included */
};

struct field {
	const char *key;
	uint8_t key_len;
	enum field_type type;
	uint16_t offset; /* in struct meta */
	uint16_t size;   /* bytes */
};

#define SIZE_OF(member) sizeof(((struct meta *)NULL)->member)
#define FIELD(member, type)                                                                        \
	{#member, sizeof(#member) - 1, type, offsetof(struct meta, member), SIZE_OF(member)}

/* In the order in which they are written. */
static const struct field fields[] = {
	FIELD(point, FIELD_TEXT),
	FIELD(reason, FIELD_TEXT),
	FIELD(location, FIELD_TEXT),
	FIELD(ret, FIELD_TEXT),
	FIELD(took_ns, FIELD_DECIMAL),
	FIELD(dev, FIELD_TEXT),
	FIELD(ifindex, FIELD_DECIMAL),
	FIELD(netns, FIELD_DECIMAL),
	FIELD(cpu, FIELD_COUNT),
	FIELD(pid, FIELD_COUNT),
	FIELD(tid, FIELD_COUNT),
	FIELD(comm, FIELD_TEXT),
	FIELD(mark, FIELD_HEX),
	FIELD(protocol, FIELD_HEX),
	FIELD(skb, FIELD_HEX),
	FIELD(link, FIELD_TEXT),
	FIELD(tunnel, FIELD_TEXT),
	FIELD(made, FIELD_TEXT),
	FIELD(partial, FIELD_DECIMAL),
	FIELD(stack, FIELD_STACK),
	FIELD(track, FIELD_DECIMAL),
};

#define FIELD_NUMBER (sizeof(fields) / sizeof(fields[0]))

static const char upper_digits[] = "0123456789ABCDEF";
static const char lower_digits[] = "0123456789abcdef";

/* Bytes that stand for themselves in a value. */
static const bool plain[256] = {
	['!' ... '$'] = true, /* not "%" */
	['&' ... '+'] = true, /* not "," */
	['-' ... '<'] = true, /* not "=" */
	['>' ... '~'] = true,
};

static const char *get_text(const struct meta *m, const struct field *f)
{
	const char *text;

	memcpy(&text, (const char *)m + f->offset, sizeof(text));
	return text;
}

static uint64_t get_number(const struct meta *m, const struct field *f)
{
	const void *member = (const char *)m + f->offset;

	switch (f->size) {
	case 1:
		return *(const uint8_t *)member;
	case 2:
		return *(const uint16_t *)member;
	case 4:
		return *(const uint32_t *)member;
	default:
		return *(const uint64_t *)member;
	}
}

static void set_number(struct meta *m, const struct field *f, uint64_t value)
{
	void *member = (char *)m + f->offset;

	switch (f->size) {
	case 1:
		*(uint8_t *)member = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)member = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)member = (uint32_t)value;
		break;
	default:
		*(uint64_t *)member = value;
	}
}

struct writer {
	char *at;
	char *end; /* the last byte, kept for the NUL */
	bool full;
};

static void put_char(struct writer *w, char c)
{
	if (w->at < w->end)
		*w->at++ = c;
	else
		w->full = true;
}

static void put_bytes(struct writer *w, const char *bytes, size_t len)
{
	size_t room = (size_t)(w->end - w->at);

	if (len > room) {
		len = room;
		w->full = true;
	}
	memcpy(w->at, bytes, len);
	w->at += len;
}

static void put_value(struct writer *w, const char *value)
{
	const char *run = value;

	for (;; run = ++value) {
		uint8_t c;

		while (plain[(uint8_t)*value])
			value++;
		put_bytes(w, run, (size_t)(value - run));
		c = (uint8_t)*value;
		if (!c)
			return;
		put_char(w, '%');
		put_char(w, upper_digits[c >> 4]);
		put_char(w, upper_digits[c & 15]);
	}
}

/* The divisor is a constant, which spares the CPU the division. */
static void put_decimal(struct writer *w, uint64_t value)
{
	char digits[20]; /* of 2^64 - 1 */
	size_t first = sizeof(digits);

	do {
		digits[--first] = lower_digits[value % 10];
		value /= 10;
	} while (value);
	put_bytes(w, digits + first, sizeof(digits) - first);
}

static void put_hex(struct writer *w, uint64_t value)
{
	char digits[16];
	size_t first = sizeof(digits);

	do {
		digits[--first] = lower_digits[value & 15];
		value >>= 4;
	} while (value);
	put_bytes(w, "0x", 2);
	put_bytes(w, digits + first, sizeof(digits) - first);
}

static void put_stack(struct writer *w, const struct meta *m)
{
	for (unsigned i = 0; i < m->frames; i++) {
		if (i)
			put_char(w, ',');
		put_value(w, m->stack[i]);
	}
}

static bool applies(const struct meta *m, const struct field *f)
{
	switch (f->type) {
	case FIELD_TEXT:
		return get_text(m, f);
	case FIELD_STACK:
		return m->frames;
	case FIELD_COUNT:
		return true;
	default:
		return get_number(m, f);
	}
}

static void put_field(struct writer *w, const struct meta *m, const struct field *f)
{
	put_bytes(w, f->key, f->key_len);
	put_char(w, '=');
	switch (f->type) {
	case FIELD_TEXT:
		put_value(w, get_text(m, f));
		break;
	case FIELD_STACK:
		put_stack(w, m);
		break;
	case FIELD_HEX:
		put_hex(w, get_number(m, f));
		break;
	default:
		put_decimal(w, get_number(m, f));
	}
}

int meta_format(const struct meta *m, char *text, size_t size)
{
	struct writer w = {.at = text};

	if (!m->point || m->frames > META_MAX_FRAMES)
		return -EINVAL;
	if (size < 1)
		return -ENOBUFS;
	w.end = text + size - 1;
	for (size_t i = 0; i < FIELD_NUMBER; i++) {
		if (!applies(m, &fields[i]))
			continue;
		if (w.at > text)
			put_char(&w, ' ');
		put_field(&w, m, &fields[i]);
	}
	*w.at = '\0';
	return w.full ? -ENOBUFS : (int)(w.at - text);
}

/* A part of the comment that is being read. */
struct span {
	const char *at;
	const char *end;
};

/* Where the strings go. */
struct store {
	char *at;
	char *end;
};

static size_t span_len(const struct span *s)
{
	return (size_t)(s->end - s->at);
}

/* Cuts off the part before the separator, or all there is; false: nothing was left. */
static bool span_split(struct span *rest, char separator, struct span *part)
{
	const char *found;

	if (!rest->at)
		return false;
	found = memchr(rest->at, separator, span_len(rest));
	part->at = rest->at;
	part->end = found ? found : rest->end;
	rest->at = found ? found + 1 : NULL;
	return true;
}

static int hex_digit(char c)
{
	const char *found = c ? strchr(upper_digits, c) : NULL;

	return found ? (int)(found - upper_digits) : -EBADMSG;
}

/* The next byte of a value, unescaped: 1..255, or -EBADMSG. */
static int next_byte(struct span *s)
{
	uint8_t c = (uint8_t)*s->at++;
	int high, low;

	if (plain[c])
		return c;
	if (c != '%' || span_len(s) < 2)
		return -EBADMSG;
	high = hex_digit(*s->at++);
	low = hex_digit(*s->at++);
	if (high < 0 || low < 0 || (high | low) == 0)
		return -EBADMSG;
	return high << 4 | low;
}

static int read_text(struct span value, struct store *to, const char **text)
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

static int read_stack(struct meta *m, struct span value, struct store *to)
{
	struct span frame;

	while (span_split(&value, ',', &frame)) {
		int err;

		if (m->frames == META_MAX_FRAMES)
			return -EBADMSG;
		err = read_text(frame, to, &m->stack[m->frames]);
		if (err)
			return err;
		m->frames++;
	}
	return 0;
}

/* Of a field that is not known: a list or not, its bytes must be those of the grammar. */
static int check_value(struct span value)
{
	struct span item;

	while (span_split(&value, ',', &item)) {
		while (item.at < item.end) {
			int c = next_byte(&item);

			if (c < 0)
				return c;
		}
	}
	return 0;
}

static int read_number(struct meta *m, const struct field *f, struct span value)
{
	const uint64_t max = UINT64_MAX >> (64 - 8 * f->size);
	unsigned base = 10;
	uint64_t number = 0;

	if (span_len(&value) > 2 && memcmp(value.at, "0x", 2) == 0) {
		base = 16;
		value.at += 2;
	}
	if (value.at == value.end)
		return -EBADMSG;
	for (; value.at < value.end; value.at++) {
		const char *digit = memchr(lower_digits, *value.at, base);
		uint64_t add = digit ? (uint64_t)(digit - lower_digits) : 0;

		if (!digit || number > (max - add) / base)
			return -EBADMSG;
		number = number * base + add;
	}
	set_number(m, f, number);
	return 0;
}

static int read_value(struct meta *m, const struct field *f, struct span value, struct store *to)
{
	const char *text;
	int err;

	switch (f->type) {
	case FIELD_TEXT:
		err = read_text(value, to, &text);
		if (!err)
			memcpy((char *)m + f->offset, &text, sizeof(text));
		return err;
	case FIELD_STACK:
		return read_stack(m, value, to);
	default:
		return read_number(m, f, value);
	}
}

static bool is_key(const struct span *key)
{
	if (span_len(key) == 0 || *key->at < 'a' || *key->at > 'z')
		return false;
	for (const char *c = key->at; c < key->end; c++) {
		if ((*c < 'a' || *c > 'z') && (*c < '0' || *c > '9') && *c != '_')
			return false;
	}
	return true;
}

static const struct field *find_field(const struct span *key)
{
	for (size_t i = 0; i < FIELD_NUMBER; i++) {
		if (fields[i].key_len == span_len(key) &&
		    memcmp(fields[i].key, key->at, span_len(key)) == 0)
			return &fields[i];
	}
	return NULL;
}

/* seen has a bit for each field that was read: none may come twice. */
static int read_field(struct meta *m, struct span text, struct store *to, uint32_t *seen)
{
	const struct field *f;
	struct span key;

	if (!span_split(&text, '=', &key) || !text.at || !is_key(&key))
		return -EBADMSG;
	f = find_field(&key);
	if (!f)
		return check_value(text);
	if (*seen & 1u << (f - fields))
		return -EBADMSG;
	*seen |= 1u << (f - fields);
	return read_value(m, f, text, to);
}

int meta_parse(struct meta *m, const char *text, size_t len, char *store, size_t size)
{
	struct span rest = {text, text + len};
	struct store to = {store, store + size};
	struct span field;
	uint32_t seen = 0;

	memset(m, 0, offsetof(struct meta, stack));
	if (len == 0)
		return -EBADMSG;
	while (span_split(&rest, ' ', &field)) {
		int err = read_field(m, field, &to, &seen);

		if (err)
			return err;
	}
	return m->point ? 0 : -EBADMSG;
}
