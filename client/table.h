/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of text, with columns as wide as what is in them, or as the terminal allows. */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table_column {
	const char *title;
	bool right;    /* aligned to the right */
	unsigned min;  /* cells may be cut down to so many characters; 0: never */
};

struct table_cell {
	size_t offset; /* of its text, which ends with a NUL */
	const char *color;
};

struct table {
	const struct table_column *columns; /* the caller's */
	size_t column_count;
	FILE *stream;                       /* owned: collects the text */
	char *text;                         /* owned, of the stream */
	size_t bytes;
	struct table_cell *cells;           /* owned, row by row */
	size_t cell_count, room;
	bool failed;                        /* no memory for a cell */
};

/* 0 or -ENOMEM; table_clear() is needed in either case. */
int table_init(struct table *t, const struct table_column *columns, size_t count);
/*
 * Begins the next cell, with rows filled from the left. Print its text to the result: printable
 * ASCII or UTF-8 characters one column wide. color: a sequence of print_color(), NULL: none.
 */
FILE *table_cell(struct table *t, const char *color);
/*
 * Prints titles and rows; columns in which no row has a text are left out, other empty cells are
 * shown as "-". width: characters of a line that should be enough, 0: as many as it takes. Cut
 * cells end in "~". title_color as above. 0, or -ENOMEM and nothing was printed.
 */
int table_print(struct table *t, FILE *out, unsigned width, const char *title_color);
void table_clear(struct table *t);

#endif
