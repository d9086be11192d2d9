/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A byte buffer that grows up to a limit and then refuses. Both the encoder of pcapng and the
 * control connection append to one and write it out from the front.
 */
#ifndef BUF_H
#define BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* owned */
	size_t start;  /* first unread byte */
	size_t end;    /* one past the last byte */
	size_t size;   /* bytes allocated */
	size_t limit;  /* most unread bytes it takes; 0: no limit */
};

/* A limit of 0 means none. Nothing is allocated yet; never fails. */
void buf_init(struct buf *b, size_t limit);
/* Frees the memory and leaves an empty buffer with the same limit. Takes NULL. */
void buf_clear(struct buf *b);
/* Unread bytes. */
size_t buf_len(const struct buf *b);
const uint8_t *buf_head(const struct buf *b);
/*
 * Makes room for len bytes behind the last one and returns its address (valid until the next call
 * that takes this buffer), or NULL: over the limit (errno ENOBUFS) or out of memory (ENOMEM).
 * The bytes count once buf_commit() is told how many were used.
 */
uint8_t *buf_reserve(struct buf *b, size_t len);
void buf_commit(struct buf *b, size_t len);
/* Appends len bytes. 0, -ENOBUFS or -ENOMEM; all or nothing. */
int buf_add(struct buf *b, const void *bytes, size_t len);
/* Forgets len bytes from the front (at most all). */
void buf_drop(struct buf *b, size_t len);
/* Cuts the buffer back to len unread bytes: undoes what was appended after. */
void buf_truncate(struct buf *b, size_t len);

#endif
