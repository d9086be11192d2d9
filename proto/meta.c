/* SPDX-License-Identifier: BSD-2-Clause */
#include "meta.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "fieldtext.h"

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
	FIELD(user, FIELD_TEXT),
	FIELD(stack, FIELD_STACK),
	FIELD(track, FIELD_DECIMAL),
};

#define FIELD_NUMBER (sizeof(fields) / sizeof(fields[0]))

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

static void put_stack(struct fieldtext_writer *w, const struct meta *m)
{
	for (unsigned i = 0; i < m->frames; i++) {
		if (i)
			fieldtext_char(w, ',');
		fieldtext_value(w, m->stack[i]);
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

static void put_field(struct fieldtext_writer *w, const struct meta *m, const struct field *f)
{
	fieldtext_key(w, f->key, f->key_len);
	switch (f->type) {
	case FIELD_TEXT:
		fieldtext_value(w, get_text(m, f));
		break;
	case FIELD_STACK:
		put_stack(w, m);
		break;
	case FIELD_HEX:
		fieldtext_hex(w, get_number(m, f));
		break;
	default:
		fieldtext_decimal(w, get_number(m, f));
	}
}

int meta_format(const struct meta *m, char *text, size_t size)
{
	struct fieldtext_writer w;

	if (!m->point || m->frames > META_MAX_FRAMES)
		return -EINVAL;
	if (size < 1)
		return -ENOBUFS;
	fieldtext_begin(&w, text, size);
	for (size_t i = 0; i < FIELD_NUMBER; i++) {
		if (applies(m, &fields[i]))
			put_field(&w, m, &fields[i]);
	}
	return fieldtext_end(&w);
}

static int read_stack(struct meta *m, struct fieldtext_span value, struct fieldtext_store *to)
{
	struct fieldtext_span frame;

	while (fieldtext_split(&value, ',', &frame)) {
		int err;

		if (m->frames == META_MAX_FRAMES)
			return -EBADMSG;
		err = fieldtext_read(frame, to, &m->stack[m->frames]);
		if (err)
			return err;
		m->frames++;
	}
	return 0;
}

static int read_number(struct meta *m, const struct field *f, struct fieldtext_span value)
{
	uint64_t number;
	int err = fieldtext_read_number(value, UINT64_MAX >> (64 - 8 * f->size), &number);

	if (!err)
		set_number(m, f, number);
	return err;
}

static int read_value(struct meta *m, const struct field *f, struct fieldtext_span value, struct fieldtext_store *to)
{
	const char *text;
	int err;

	switch (f->type) {
	case FIELD_TEXT:
		err = fieldtext_read(value, to, &text);
		if (!err)
			memcpy((char *)m + f->offset, &text, sizeof(text));
		return err;
	case FIELD_STACK:
		return read_stack(m, value, to);
	default:
		return read_number(m, f, value);
	}
}

static const struct field *find_field(const struct fieldtext_span *key)
{
	for (size_t i = 0; i < FIELD_NUMBER; i++) {
		if (fields[i].key_len == fieldtext_span_len(key) &&
		    memcmp(fields[i].key, key->at, fieldtext_span_len(key)) == 0)
			return &fields[i];
	}
	return NULL;
}

/* seen has a bit for each field that was read: none may come twice. */
static int read_field(struct meta *m, struct fieldtext_span text, struct fieldtext_store *to, uint32_t *seen)
{
	const struct field *f;
	struct fieldtext_span key;

	if (!fieldtext_split_key(&text, &key))
		return -EBADMSG;
	f = find_field(&key);
	if (!f)
		return fieldtext_check(text);
	if (*seen & 1u << (f - fields))
		return -EBADMSG;
	*seen |= 1u << (f - fields);
	return read_value(m, f, text, to);
}

int meta_parse(struct meta *m, const char *text, size_t len, char *store, size_t size)
{
	struct fieldtext_span rest = {text, text + len};
	struct fieldtext_store to = {store, store + size};
	struct fieldtext_span field;
	uint32_t seen = 0;

	memset(m, 0, offsetof(struct meta, stack));
	if (len == 0)
		return -EBADMSG;
	while (fieldtext_split(&rest, ' ', &field)) {
		int err = read_field(m, field, &to, &seen);

		if (err)
			return err;
	}
	return m->point ? 0 : -EBADMSG;
}
