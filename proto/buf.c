/* SPDX-License-Identifier: BSD-2-Clause */
#include "buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_SIZE 4096

void buf_init(struct buf *b, size_t limit)
{
	*b = (struct buf){.limit = limit};
}

void buf_clear(struct buf *b)
{
	if (!b)
		return;
	free(b->data);
	buf_init(b, b->limit);
}

size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}

const uint8_t *buf_head(const struct buf *b)
{
	return b->data ? b->data + b->start : NULL;
}

/*
 * Doubles, so that the cost of an appended byte stays constant. With a limit, twice the limit is
 * always enough: there, whatever does not fit has more dead bytes in front than live ones to move.
 */
static size_t buf_next_size(const struct buf *b, size_t need)
{
	size_t size = b->size ? b->size : BUF_FIRST_SIZE / 2;

	if (size > SIZE_MAX / 2)
		return need;
	size *= 2;
	if (b->limit && b->limit <= SIZE_MAX / 2 && size > 2 * b->limit)
		size = 2 * b->limit;
	return size < need ? need : size;
}

static int buf_grow(struct buf *b, size_t need)
{
	size_t size = buf_next_size(b, need);
	size_t len = buf_len(b);
	uint8_t *data = malloc(size ? size : 1);

	if (!data)
		return -ENOMEM;
	if (len)
		memcpy(data, b->data + b->start, len);
	free(b->data);
	b->data = data;
	b->size = size;
	b->start = 0;
	b->end = len;
	return 0;
}

static void buf_move_to_front(struct buf *b)
{
	memcpy(b->data, b->data + b->start, buf_len(b));
	b->end -= b->start;
	b->start = 0;
}

uint8_t *buf_reserve(struct buf *b, size_t len)
{
	size_t used = buf_len(b);

	if (len > SIZE_MAX - used || (b->limit && used + len > b->limit)) {
		errno = ENOBUFS;
		return NULL;
	}
	if (!b->data || len > b->size - b->end) {
		/* Moving is paid for by the bytes dropped since the last move: at least as many. */
		if (b->data && used <= b->start && len <= b->size - used) {
			buf_move_to_front(b);
		} else if (buf_grow(b, used + len)) {
			errno = ENOMEM;
			return NULL;
		}
	}
	return b->data + b->end;
}

void buf_commit(struct buf *b, size_t len)
{
	b->end += len;
}

int buf_add(struct buf *b, const void *bytes, size_t len)
{
	uint8_t *room = buf_reserve(b, len);

	if (!room)
		return -errno;
	if (len)
		memcpy(room, bytes, len);
	buf_commit(b, len);
	return 0;
}

void buf_drop(struct buf *b, size_t len)
{
	if (len < buf_len(b))
		b->start += len;
	else
		b->start = b->end = 0;
}

void buf_truncate(struct buf *b, size_t len)
{
	if (len < buf_len(b))
		b->end = b->start + len;
}
