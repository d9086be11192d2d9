/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder of pcapng.h. The bytes may come from anywhere: nothing in them is trusted. */
#include "pcapng.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "pcapng_format.h"

struct pcapng_reader {
	struct buf in;
	struct buf text;     /* strings of the last interface event */
	size_t taken;        /* bytes of in that the last event points into */
	uint32_t interfaces; /* seen so far */
	bool section;        /* the section header was seen */
	bool broken;
};

/* What is left of a block to decode. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

struct option {
	uint16_t code;
	uint16_t len;
	const uint8_t *value;
};

static size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* Callers of get*() have checked that as much is left. */
static uint16_t get16(struct cursor *c)
{
	uint16_t value;

	memcpy(&value, c->at, sizeof(value));
	c->at += sizeof(value);
	return value;
}

static uint32_t get32(struct cursor *c)
{
	uint32_t value;

	memcpy(&value, c->at, sizeof(value));
	c->at += sizeof(value);
	return value;
}

static uint64_t get64(struct cursor *c)
{
	uint64_t value;

	memcpy(&value, c->at, sizeof(value));
	c->at += sizeof(value);
	return value;
}

static uint64_t get_time(struct cursor *c)
{
	uint64_t high = get32(c);

	return high << 32 | get32(c);
}

/* 1: *o filled; 0: no more options; -EBADMSG. */
static int option_next(struct cursor *c, struct option *o)
{
	if (cursor_left(c) == 0)
		return 0;
	if (cursor_left(c) < OPTION_HEADER)
		return -EBADMSG;
	o->code = get16(c);
	o->len = get16(c);
	o->value = c->at;
	if (pcapng_padded(o->len) > cursor_left(c))
		return -EBADMSG;
	c->at += pcapng_padded(o->len);
	if (o->code != OPT_END)
		return 1;
	return o->len || cursor_left(c) ? -EBADMSG : 0;
}

static int read_section(struct pcapng_reader *r, struct cursor *c, struct pcapng_event *e)
{
	struct option o;
	int ret;

	e->type = PCAPNG_SECTION;
	if (r->section || cursor_left(c) < SECTION_FIXED || get32(c) != SECTION_MAGIC ||
	    get16(c) != SECTION_MAJOR || get16(c) != SECTION_MINOR)
		return -EBADMSG;
	c->at += sizeof(uint64_t); /* length of the section */
	while ((ret = option_next(c, &o)) > 0)
		;
	r->section = true;
	return ret;
}

/*
 * Copies the text with a NUL to the reader's strings. They were reserved for the whole block, whose
 * option headers are longer than the NULs, so that their addresses do not change.
 */
static int read_text(struct pcapng_reader *r, const uint8_t *text, size_t len, const char **copy)
{
	uint8_t *room;

	if (memchr(text, '\0', len))
		return -EBADMSG;
	room = buf_reserve(&r->text, len + 1);
	if (!room)
		return -errno;
	memcpy(room, text, len);
	room[len] = '\0';
	buf_commit(&r->text, len + 1);
	*copy = (const char *)room;
	return 0;
}

static int read_filter(struct pcapng_reader *r, const struct option *o, const char **filter)
{
	if (o->len < 1)
		return -EBADMSG;
	if (o->value[0] != FILTER_IS_TEXT)
		return 0;
	return read_text(r, o->value + 1, o->len - 1u, filter);
}

static int read_interface_option(struct pcapng_reader *r, const struct option *o,
				 struct pcapng_interface *i, bool *nanoseconds)
{
	switch (o->code) {
	case IF_NAME:
		return read_text(r, o->value, o->len, &i->name);
	case IF_DESCRIPTION:
		return read_text(r, o->value, o->len, &i->description);
	case IF_FILTER:
		return read_filter(r, o, &i->filter);
	case IF_TSRESOL:
		*nanoseconds = o->len == 1 && o->value[0] == NANOSECONDS;
		return *nanoseconds ? 0 : -EBADMSG;
	default:
		return 0;
	}
}

static int read_interface(struct pcapng_reader *r, struct cursor *c, struct pcapng_event *e)
{
	bool nanoseconds = false;
	struct option o;
	int ret;

	e->type = PCAPNG_INTERFACE;
	if (cursor_left(c) < INTERFACE_FIXED)
		return -EBADMSG;
	buf_truncate(&r->text, 0);
	if (!buf_reserve(&r->text, cursor_left(c)))
		return -errno;
	e->interface.link = get16(c);
	get16(c); /* reserved */
	e->interface.snaplen = get32(c);
	while ((ret = option_next(c, &o)) > 0) {
		ret = read_interface_option(r, &o, &e->interface, &nanoseconds);
		if (ret < 0)
			return ret;
	}
	if (ret == 0 && !nanoseconds)
		return -EBADMSG;
	r->interfaces++;
	return ret;
}

static int read_packet(struct pcapng_reader *r, struct cursor *c, struct pcapng_event *e)
{
	struct pcapng_packet *p = &e->packet;
	struct option o;
	int ret;

	e->type = PCAPNG_PACKET;
	if (cursor_left(c) < PACKET_FIXED)
		return -EBADMSG;
	p->interface = get32(c);
	p->time_ns = get_time(c);
	p->cap_len = get32(c);
	p->wire_len = get32(c);
	if (p->interface >= r->interfaces || p->cap_len > p->wire_len ||
	    p->cap_len > LIMIT_SNAPLEN || pcapng_padded(p->cap_len) > cursor_left(c))
		return -EBADMSG;
	p->data = c->at;
	c->at += pcapng_padded(p->cap_len);
	while ((ret = option_next(c, &o)) > 0) {
		if (o.code != OPT_COMMENT)
			continue;
		if (!p->comment) {
			p->comment = (const char *)o.value;
			p->comment_len = o.len;
		} else if (!p->journey) {
			p->journey = (const char *)o.value;
			p->journey_len = o.len;
		}
	}
	return ret;
}

static uint64_t *statistics_field(struct pcapng_statistics *s, uint16_t code)
{
	switch (code) {
	case ISB_IFRECV:
		return &s->received;
	case ISB_IFDROP:
		return &s->dropped;
	case ISB_FILTERACCEPT:
		return &s->accepted;
	case ISB_USRDELIV:
		return &s->delivered;
	default:
		return NULL;
	}
}

static int read_statistics(struct pcapng_reader *r, struct cursor *c, struct pcapng_event *e)
{
	struct option o;
	int ret;

	e->type = PCAPNG_STATISTICS;
	if (cursor_left(c) < STATISTICS_FIXED)
		return -EBADMSG;
	e->statistics.interface = get32(c);
	e->statistics.time_ns = get_time(c);
	if (e->statistics.interface >= r->interfaces)
		return -EBADMSG;
	while ((ret = option_next(c, &o)) > 0) {
		uint64_t *field = statistics_field(&e->statistics, o.code);

		if (field && o.len != sizeof(*field))
			return -EBADMSG;
		if (field)
			memcpy(field, o.value, sizeof(*field));
	}
	return ret;
}

static int read_end(struct cursor *c, struct pcapng_event *e)
{
	if (cursor_left(c) < END_FIXED)
		return -EBADMSG;
	e->type = PCAPNG_END;
	e->end.track = get64(c);
	e->end.time_ns = get_time(c);
	return 0;
}

static int read_body(struct pcapng_reader *r, uint32_t type, struct cursor *body,
		     struct pcapng_event *e)
{
	switch (type) {
	case BLOCK_SECTION:
		return read_section(r, body, e);
	case BLOCK_INTERFACE:
		return read_interface(r, body, e);
	case BLOCK_PACKET:
		return read_packet(r, body, e);
	case BLOCK_STATISTICS:
		return read_statistics(r, body, e);
	case BLOCK_END:
		return read_end(body, e);
	default:
		e->type = PCAPNG_OTHER;
		return 0;
	}
}

/* The next block that is whole: 1, 0 or -errno. */
static int read_block(struct pcapng_reader *r, struct pcapng_event *e)
{
	struct cursor c = {.at = buf_head(&r->in)};
	uint32_t type, size;
	int err;

	if (buf_len(&r->in) < 2 * sizeof(uint32_t))
		return 0;
	type = get32(&c);
	size = get32(&c);
	if (size < BLOCK_FRAME || size % 4 || size > BLOCK_MAX)
		return -EBADMSG;
	if (!r->section && type != BLOCK_SECTION)
		return -EBADMSG;
	if (buf_len(&r->in) < size)
		return 0;
	*e = (struct pcapng_event){.raw = buf_head(&r->in), .raw_len = size};
	c.end = e->raw + size - sizeof(size);
	if (memcmp(c.end, &size, sizeof(size)))
		return -EBADMSG;
	err = read_body(r, type, &c, e);
	return err ? err : 1;
}

static void drop_taken(struct pcapng_reader *r)
{
	buf_drop(&r->in, r->taken);
	r->taken = 0;
}

struct pcapng_reader *pcapng_reader_new(void)
{
	struct pcapng_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	buf_init(&r->in, 0);
	buf_init(&r->text, 0);
	return r;
}

void pcapng_reader_free(struct pcapng_reader *r)
{
	if (!r)
		return;
	buf_clear(&r->in);
	buf_clear(&r->text);
	free(r);
}

uint8_t *pcapng_reader_room(struct pcapng_reader *r, size_t len)
{
	drop_taken(r);
	return buf_reserve(&r->in, len);
}

void pcapng_reader_took(struct pcapng_reader *r, size_t len)
{
	if (!r->broken)
		buf_commit(&r->in, len);
}

int pcapng_reader_feed(struct pcapng_reader *r, const void *bytes, size_t len)
{
	uint8_t *room = pcapng_reader_room(r, len);

	if (!room)
		return -ENOMEM;
	if (len)
		memcpy(room, bytes, len);
	pcapng_reader_took(r, len);
	return 0;
}

int pcapng_reader_next(struct pcapng_reader *r, struct pcapng_event *e)
{
	int ret;

	if (r->broken)
		return -EBADMSG;
	drop_taken(r);
	ret = read_block(r, e);
	if (ret > 0)
		r->taken = e->raw_len;
	if (ret < 0) {
		r->broken = true;
		buf_clear(&r->in);
	}
	return ret;
}

size_t pcapng_reader_pending(const struct pcapng_reader *r)
{
	return buf_len(&r->in) - r->taken;
}
