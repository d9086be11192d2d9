/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words that comments in the stream are made of: fields key=value with a space between them, lists in values with
 * a comma. A byte of a value that is not a printable ASCII character, and each of space, "%", "," and "=", is written
 * %XX. meta.h and journey.h say what is written with them.
 */
#ifndef FIELDTEXT_H
#define FIELDTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fieldtext_writer {
	char *start, *at;
	char *end; /* the last byte, kept for the NUL */
	bool full;
};

/* Writes to text, of size bytes, at least 1. */
void fieldtext_begin(struct fieldtext_writer *w, char *text, size_t size);
void fieldtext_char(struct fieldtext_writer *w, char c);
void fieldtext_bytes(struct fieldtext_writer *w, const char *bytes, size_t len);
/* A space if this is not the first field, the key, and "=". */
void fieldtext_key(struct fieldtext_writer *w, const char *key, size_t len);
/* One value or list item. */
void fieldtext_value(struct fieldtext_writer *w, const char *value);
void fieldtext_decimal(struct fieldtext_writer *w, uint64_t value);
void fieldtext_hex(struct fieldtext_writer *w, uint64_t value);
/* Writes the NUL. The length, or -ENOBUFS: the text holds what fitted. */
int fieldtext_end(struct fieldtext_writer *w);

/* A part of the text that is being read. at is NULL when nothing is left. */
struct fieldtext_span {
	const char *at;
	const char *end;
};

/* Where the strings go that are read. */
struct fieldtext_store {
	char *at;
	char *end;
};

size_t fieldtext_span_len(const struct fieldtext_span *s);
/* Cuts off the part before the separator, or all there is; false: nothing was left. */
bool fieldtext_split(struct fieldtext_span *rest, char separator, struct fieldtext_span *part);
/* Cuts off the key of a field; rest is then its value. False: it is no field. */
bool fieldtext_split_key(struct fieldtext_span *rest, struct fieldtext_span *key);
bool fieldtext_is(const struct fieldtext_span *s, const char *text);
/* A value, as a string in the store. 0, -EBADMSG (not of this grammar) or -ENOBUFS (the store is too small). */
int fieldtext_read(struct fieldtext_span value, struct fieldtext_store *to, const char **text);
/* A decimal number, or a hexadecimal one with 0x, of max at most. 0 or -EBADMSG. */
int fieldtext_read_number(struct fieldtext_span value, uint64_t max, uint64_t *number);
/* Of a field that is not known: are its bytes those of the grammar, list or not? 0 or -EBADMSG. */
int fieldtext_check(struct fieldtext_span value);

#endif
