/* SPDX-License-Identifier: BSD-2-Clause */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "print.h"

#define COLUMNS_MAX 16

struct layout {
	unsigned width[COLUMNS_MAX]; /* 0: the column is left out */
	size_t last;                 /* column that is shown */
};

int table_init(struct table *t, const struct table_column *columns, size_t count)
{
	*t = (struct table){.columns = columns, .column_count = count};
	t->stream = open_memstream(&t->text, &t->bytes);
	return t->stream && count <= COLUMNS_MAX ? 0 : -ENOMEM;
}

static int make_room(struct table *t)
{
	size_t room = t->room ? 2 * t->room : 256;
	struct table_cell *cells;

	if (t->cell_count < t->room)
		return 0;
	cells = reallocarray(t->cells, room, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	t->cells = cells;
	t->room = room;
	return 0;
}

FILE *table_cell(struct table *t, const char *color)
{
	if (t->cell_count)
		putc('\0', t->stream);
	if (make_room(t))
		t->failed = true;
	else
		t->cells[t->cell_count++] = (struct table_cell){(size_t)ftello(t->stream), color};
	return t->stream;
}

static const char *cell_text(const struct table *t, size_t index)
{
	return t->text + t->cells[index].offset;
}

/* Bytes that continue a UTF-8 character take no column. */
static unsigned columns_of(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static unsigned column_width(const struct table *t, size_t column)
{
	unsigned widest = 0, title = columns_of(t->columns[column].title);

	for (size_t i = column; i < t->cell_count; i += t->column_count) {
		unsigned n = columns_of(cell_text(t, i));

		widest = n > widest ? n : widest;
	}
	return widest && widest < title ? title : widest;
}

/* The widest column that may be narrower; NULL: there is none. */
static unsigned *widest(const struct table *t, struct layout *l)
{
	unsigned *found = NULL;

	for (size_t i = 0; i < t->column_count; i++) {
		unsigned min = t->columns[i].min;

		if (min && l->width[i] > min && (!found || l->width[i] > *found))
			found = &l->width[i];
	}
	return found;
}

static void lay_out(const struct table *t, struct layout *l, unsigned width)
{
	unsigned total = 0, *column;

	l->last = 0;
	for (size_t i = 0; i < t->column_count; i++) {
		l->width[i] = column_width(t, i);
		if (!l->width[i])
			continue;
		total += l->width[i] + (total ? 1 : 0);
		l->last = i;
	}
	while (width && total > width && (column = widest(t, l))) {
		--*column;
		total--;
	}
}

static void print_blanks(FILE *out, unsigned n)
{
	while (n--)
		putc(' ', out);
}

static void print_cell(FILE *out, const struct table_column *column, const char *text, unsigned width,
		       bool last)
{
	unsigned wanted = columns_of(text);

	if (wanted > width) {
		/* only text in ASCII may be cut */
		fprintf(out, "%.*s~", (int)width - 1, text);
		return;
	}
	if (column->right)
		print_blanks(out, width - wanted);
	fputs(text, out);
	if (!column->right && !last)
		print_blanks(out, width - wanted);
}

/* The titles, or the row whose first cell has the index. */
static void print_line(const struct table *t, FILE *out, const struct layout *l, size_t first,
		       const char *title_color, bool titles)
{
	for (size_t i = 0; i < t->column_count; i++) {
		const struct table_column *column = &t->columns[i];
		const char *text = titles ? column->title : cell_text(t, first + i);
		const char *color = titles ? title_color : t->cells[first + i].color;

		if (!l->width[i])
			continue;
		fputs(color ? color : "", out);
		print_cell(out, column, *text ? text : "-", l->width[i], i == l->last);
		fputs(color ? PRINT_COLOR_OFF : "", out);
		putc(i == l->last ? '\n' : ' ', out);
	}
}

int table_print(struct table *t, FILE *out, unsigned width, const char *title_color)
{
	struct layout l;

	putc('\0', t->stream);
	if (t->failed || fflush(t->stream) || ferror(t->stream))
		return -ENOMEM;
	lay_out(t, &l, width);
	print_line(t, out, &l, 0, title_color, true);
	for (size_t i = 0; i + t->column_count <= t->cell_count; i += t->column_count)
		print_line(t, out, &l, i, NULL, false);
	return 0;
}

void table_clear(struct table *t)
{
	if (t->stream)
		fclose(t->stream);
	free(t->text);
	free(t->cells);
	*t = (struct table){0};
}
