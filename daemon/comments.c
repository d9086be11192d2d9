/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/comments.h"
#include "fieldtext.h"

#define KEPT_BITS  8
#define KEPT       (1U << KEPT_BITS)
#define TEXT_BYTES 512 /* longer ones are not kept */
#define SKB_DIGITS 16  /* of a kernel address; others are shorter, and not kept */
#define SKB_FIELD  " skb=0x"

#define TRACK_BYTES 32 /* of the field track, the last one */

/* All that a text is made of, but for the skb, the location and the track, is side by side in a record. */
#define SAME_AT    offsetof(struct netcap_record, point)
#define SAME_BYTES (offsetof(struct netcap_record, track) - SAME_AT)

struct kept {
	struct comment comment; /* text NULL: none yet */
	char *skb;              /* the digits in text */
	size_t base;            /* bytes of text without the track */
	uint64_t location;
	uint8_t same[SAME_BYTES];
	char text[TEXT_BYTES];
};

struct comments {
	struct kept kept[KEPT];
	struct comment last; /* in text */
	char text[META_TEXT_MAX];
};

struct comments *comments_new(void)
{
	return calloc(1, sizeof(struct comments));
}

void comments_free(struct comments *c)
{
	free(c);
}

/* The only place where a record's text may be kept. */
static struct kept *place_of(struct comments *c, const struct netcap_record *r)
{
	uint64_t mixed = r->location ^ (uint64_t)r->point << 48 ^ (uint64_t)r->ifindex << 32 ^
			 (uint64_t)r->tid << 8 ^ r->cpu;

	return &c->kept[mixed * 0x9e3779b97f4a7c15u >> (64 - KEPT_BITS)];
}

static const uint8_t *same_part(const struct netcap_record *r)
{
	return (const uint8_t *)r + SAME_AT;
}

/* A stack and what user code wrote are no part of the record's head, and how long a call took differs each time. */
static bool may_be_kept(const struct netcap_record *r)
{
	return !(r->flags & (NETCAP_F_STACK | NETCAP_F_CALL | NETCAP_F_USER)) && r->skb >> 4 * (SKB_DIGITS - 1);
}

static void put_skb(char *digits, uint64_t skb)
{
	for (int i = SKB_DIGITS - 1; i >= 0; i--, skb >>= 4)
		digits[i] = "0123456789abcdef"[skb & 15];
}

/* The field at the end of a text, which packets that are not followed do not have. Bytes without the NUL. */
static size_t put_track(char *end, uint64_t track)
{
	struct fieldtext_writer w;

	*end = '\0';
	if (!track)
		return 0;
	fieldtext_begin(&w, end, TRACK_BYTES);
	fieldtext_bytes(&w, " track=", 7);
	fieldtext_decimal(&w, track);
	return fieldtext_end(&w);
}

const struct comment *comments_find(struct comments *c, const struct netcap_record *r)
{
	struct kept *k = place_of(c, r);

	if (!k->comment.text || !may_be_kept(r) || k->location != r->location ||
	    memcmp(k->same, same_part(r), SAME_BYTES))
		return NULL;
	put_skb(k->skb, r->skb);
	k->comment.len = k->base + put_track(k->text + k->base, r->track);
	return &k->comment;
}

static void keep(struct kept *k, const struct netcap_record *r, const struct comment *comment)
{
	char track[TRACK_BYTES];

	k->base = comment->len - put_track(track, r->track);
	memcpy(k->text, comment->text, comment->len + 1);
	memcpy(k->same, same_part(r), SAME_BYTES);
	k->location = r->location;
	k->comment = (struct comment){ k->text, comment->len };
	/* found in the field of that name only: in a value, a space and "=" are escaped */
	k->skb = strstr(k->text, SKB_FIELD) + strlen(SKB_FIELD);
}

const struct comment *comments_make(struct comments *c, const struct netcap_record *r,
				    const struct meta *m)
{
	int len = comments_format(m, c->text, sizeof(c->text));

	c->last = (struct comment){ c->text, len > 0 ? len : 0 };
	if (len > 0 && len + TRACK_BYTES < TEXT_BYTES && may_be_kept(r))
		keep(place_of(c, r), r, &c->last);
	return &c->last;
}

int comments_format(const struct meta *m, char *text, size_t size)
{
	struct meta shorter;
	int length = meta_format(m, text, size);

	if (length != -ENOBUFS)
		return length;
	/* only a stack of very long names does not fit: its outer half is what is least missed */
	shorter = *m;
	while (length == -ENOBUFS && shorter.frames) {
		shorter.frames /= 2;
		length = meta_format(&shorter, text, size);
	}
	return length;
}
