/* SPDX-License-Identifier: BSD-2-Clause */
#include "gathering.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "duration.h"
#include "gatheredges.h"
#include "jsonget.h"
#include "limit.h"
#include "table.h"
#include "text.h"

#define HISTOGRAMS    4   /* beside that of the whole way */
#define POINTS_SHOWN  20  /* beyond that, only those that packets came to */
#define BAR_WIDTH     48  /* of the longest one */
#define EMPTY_SHOWN   2   /* rows of a histogram without a packet in a row; more are left out */
#define NAME_LEAST    8   /* characters of a name */
#define COUNT_LEAST   7   /* of a count of packets in the table of edges: its title */
#define TIMES_WIDTH   37  /* of its five times, and all blanks */

static uint64_t get(struct json_object *o, const char *name)
{
	int64_t n = jsonget_integer(o, name);

	return n > 0 ? (uint64_t)n : 0;
}

/* A sentence, in as many lines as it takes, which begin with so many blanks. */
__attribute__((format(printf, 4, 5))) static void say(FILE *out, const struct gathering_view *v, unsigned indent,
						      const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(out, "%*s", (int)indent, "");
	text_print_wrapped(out, text, indent, v->width);
}

static void print_counts(FILE *out, struct json_object *g, const struct gathering_view *v)
{
	uint64_t packets = get(g, "packets"), open = get(g, "open"), evicted = get(g, "evicted");
	uint64_t unplaced = get(g, "unplaced"), other = get(g, "other");

	if (open)
		say(out, v, 0, "%" PRIu64 " packet%s gathered, %" PRIu64 " of them still on the way.", packets,
		    packets == 1 ? "" : "s", open);
	else
		say(out, v, 0, "%" PRIu64 " packet%s gathered.", packets, packets == 1 ? "" : "s");
	if (evicted)
		say(out, v, 0, "%" PRIu64 " of them were given up, as more were on the way than --gather-buffer-size "
		    "(%" PRId64 "): %s.", evicted, v->gather_size,
		    v->gather_size < LIMIT_GATHER_MAX ? "make it larger, or --gather-timeout shorter" :
							"narrow the filter (-e)");
	if (unplaced)
		say(out, v, 0, "%" PRIu64 " events belong to no packet that is known, and count as lost: its first "
		    "event was lost, or its way was over. %s or --gather-timeout may help.", unplaced,
		    v->ring_bytes < LIMIT_RING_MAX ? "A larger --ring-size" : "A narrower filter (-e)");
	if (other)
		say(out, v, 0, "%" PRIu64 " times packets went from one trace point to another in ways that are too "
		    "many to list.", other);
}

static void print_share(FILE *cell, uint64_t part, uint64_t rest)
{
	double percent = part ? 100.0 * (double)part / ((double)part + (double)rest) : 0;

	if (part && percent < 0.1)
		fputs("<0.1 %", cell);
	else if (part)
		fprintf(cell, "%.1f %%", rest && percent > 99.9 ? 99.9 : percent);
}

static void add_point(struct table *t, struct json_object *point)
{
	const char *name = jsonget_string(point, "name");
	uint64_t packets = get(point, "packets"), missing = get(point, "missing"), unsure = get(point, "unsure");

	text_print_safe(table_cell(t, NULL), name ? name : "?");
	fprintf(table_cell(t, NULL), "%" PRIu64, packets);
	fprintf(table_cell(t, NULL), "%" PRIu64, missing);
	print_share(table_cell(t, NULL), missing, packets);
	if (unsure)
		fprintf(table_cell(t, NULL), "%" PRIu64, unsure);
	else
		table_cell(t, NULL);
}

static void print_points(FILE *out, struct json_object *g, const struct gathering_view *v)
{
	static const struct table_column columns[] = {
		{"TRACE POINT", false, NAME_LEAST}, {"PACKETS", true, 0},        {"NEVER CAME", true, 0},
		{"SHARE", true, 0},                 {"OF THESE UNSURE", true, 0},
	};
	struct json_object *points = jsonget_array(g, "points");
	size_t count = points ? json_object_array_length(points) : 0, silent = 0;
	struct table t;
	int err = table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; !err && i < count; i++) {
		struct json_object *point = json_object_array_get_idx(points, i);

		if (count > POINTS_SHOWN && !get(point, "packets"))
			silent++;
		else
			add_point(&t, point);
	}
	if (!err && t.cell_count) {
		putc('\n', out);
		table_print(&t, out, v->width, NULL);
	}
	if (silent)
		fprintf(out, "%zu other trace points, where no packet came\n", silent);
	table_clear(&t);
}

/* A name made safe, at most width characters long: its end tells most. */
static void print_name(FILE *out, const char *name, unsigned width)
{
	char *text = NULL;
	size_t size = 0;
	FILE *safe = open_memstream(&text, &size);

	if (!safe)
		return;
	text_print_safe(safe, name);
	fclose(safe);
	if (text && size > width)
		fprintf(out, "~%s", text + size - width + 1);
	else if (text)
		fputs(text, out);
	free(text);
}

static size_t safe_length(const char *name)
{
	size_t n = 0;

	for (; *name; name++)
		n += *name >= 0x20 && *name < 0x7f ? 1 : 4;
	return n;
}

static void print_heading(FILE *out, const struct gatheredge *e, const struct gathering_view *v)
{
	bool one_line = safe_length(e->from) + strlen(" -> ") + safe_length(e->to) <= v->width;

	putc('\n', out);
	print_name(out, e->from, v->width);
	fputs(one_line ? " -> " : "\n  -> ", out);
	print_name(out, e->to, one_line ? v->width : v->width - (unsigned)strlen("  -> "));
	putc('\n', out);
}

static void print_percentiles(FILE *out, const struct gatheredge *e, const struct gathering_view *v)
{
	char min[DURATION_TEXT], p50[DURATION_TEXT], p90[DURATION_TEXT], p99[DURATION_TEXT], max[DURATION_TEXT];

	duration_format(e->min, "", min);
	duration_format(e->p50, "", p50);
	duration_format(e->p90, "", p90);
	duration_format(e->p99, "", p99);
	duration_format(e->max, "", max);
	say(out, v, 2, "%" PRIu64 " packet%s: min %s, p50 %s, p90 %s, p99 %s, max %s", e->count,
	    e->count == 1 ? "" : "s", min, p50, p90, p99, max);
}

/* Of eighths of a character where the output has them; what is not 0 is seen. */
static void print_bar(FILE *out, uint64_t count, uint64_t most, unsigned width, bool utf8)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	unsigned steps = utf8 ? 8 : 1;
	unsigned n = (unsigned)((double)count / (double)most * (double)width * steps);

	if (count && !n)
		n = 1;
	for (unsigned i = 0; i < n / steps; i++)
		fputs(utf8 ? "█" : "#", out);
	fputs(eighths[n % steps], out);
}

static unsigned digits_of(uint64_t n)
{
	return (unsigned)snprintf(NULL, 0, "%" PRIu64, n);
}

static void print_row(FILE *out, const struct gatheredge *e, unsigned row, uint64_t most,
		      const struct gathering_view *v)
{
	char since[DURATION_TEXT];
	unsigned digits = digits_of(most);
	unsigned width = v->width - (unsigned)strlen("  from 65.5 us    ") - digits;

	duration_format(row ? 1ULL << row : 0, " ", since);
	fprintf(out, "  from %7s  %*" PRIu64, since, (int)digits, e->bars[row]);
	if (e->bars[row]) {
		fputs("  ", out);
		print_bar(out, e->bars[row], most, width < BAR_WIDTH ? width : BAR_WIDTH, v->utf8);
	}
	putc('\n', out);
}

static void print_histogram(FILE *out, const struct gatheredge *e, const struct gathering_view *v)
{
	unsigned last = 0, empty = 0;
	bool begun = false;
	uint64_t most = 0;

	for (unsigned i = 0; i < GATHEREDGES_BARS; i++) {
		most = e->bars[i] > most ? e->bars[i] : most;
		last = e->bars[i] ? i : last;
	}
	for (unsigned i = 0; most && i <= last; i++) {
		if (!e->bars[i]) {
			empty++;
			continue;
		}
		if (begun && empty > EMPTY_SHOWN)
			fputs("  ...\n", out);
		else
			for (unsigned row = i - empty; begun && row < i; row++)
				print_row(out, e, row, most, v);
		print_row(out, e, i, most, v);
		begun = true;
		empty = 0;
	}
}

static void print_drawn(FILE *out, const struct gatheredge *e, const struct gathering_view *v)
{
	print_heading(out, e, v);
	print_percentiles(out, e, v);
	print_histogram(out, e, v);
}

static void add_time(struct table *t, uint64_t ns)
{
	char text[DURATION_TEXT];

	fputs(duration_format(ns, "", text), table_cell(t, NULL));
}

static void add_edge(struct table *t, const struct gatheredge *e, unsigned name)
{
	print_name(table_cell(t, NULL), e->from, name);
	print_name(table_cell(t, NULL), e->to, name);
	fprintf(table_cell(t, NULL), "%" PRIu64, e->count);
	add_time(t, e->min);
	add_time(t, e->p50);
	add_time(t, e->p90);
	add_time(t, e->p99);
	add_time(t, e->max);
}

/* What the numbers leave of a line for each of the two names. */
static unsigned name_width(const struct gatheredges *all, const struct gathering_view *v)
{
	unsigned digits = COUNT_LEAST, width;

	for (size_t i = 0; i < all->count; i++) {
		unsigned n = digits_of(all->edges[i].count);

		digits = n > digits ? n : digits;
	}
	width = (v->width - TIMES_WIDTH - digits) / 2;
	return v->width > TIMES_WIDTH + digits && width > NAME_LEAST ? width : NAME_LEAST;
}

/* One line each, for the edges that are not drawn. */
static void print_rest(FILE *out, const struct gatheredges *all, const struct gathering_view *v)
{
	static const struct table_column columns[] = {
		{"FROM", false, NAME_LEAST}, {"TO", false, NAME_LEAST}, {"PACKETS", true, 0}, {"MIN", true, 0},
		{"P50", true, 0},            {"P90", true, 0},          {"P99", true, 0},     {"MAX", true, 0},
	};
	unsigned name = name_width(all, v);
	struct table t;
	int err = table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; !err && i < all->count; i++) {
		if (!all->edges[i].drawn)
			add_edge(&t, &all->edges[i], name);
	}
	if (!err && t.cell_count) {
		putc('\n', out);
		table_print(&t, out, v->width, NULL);
	}
	table_clear(&t);
}

/* Is the whole way the only edge? */
static bool is_whole_shown(const struct gatheredges *all)
{
	return all->count == 1 && all->edges->count == all->whole.count;
}

/* With so many histograms of edges. The text is the caller's to free; NULL: out of memory. */
static char *make_text(struct json_object *g, struct gatheredges *all, size_t histograms,
		       const struct gathering_view *v)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print_counts(out, g, v);
	print_points(out, g, v);
	gatheredges_draw(all, histograms);
	for (size_t i = 0; i < all->count; i++) {
		if (all->edges[i].drawn)
			print_drawn(out, &all->edges[i], v);
	}
	print_rest(out, all, v);
	if (all->has_whole && !is_whole_shown(all)) {
		fputs("\nThe whole way, from the first trace point of each packet to its last\n", out);
		print_percentiles(out, &all->whole, v);
		if (histograms)
			print_histogram(out, &all->whole, v);
	}
	fclose(out);
	return text;
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

/* The first lines of the text, and that there are more. */
static unsigned print_first(FILE *out, const char *text, unsigned lines, unsigned room)
{
	const char *end = text;

	if (lines <= room || !room) {
		fputs(text, out);
		return lines;
	}
	for (unsigned i = 1; i < room; i++)
		end = strchr(end, '\n') + 1;
	fwrite(text, 1, (size_t)(end - text), out);
	fprintf(out, "... and %u more lines\n", lines - room + 1);
	return room;
}

unsigned gathering_print(FILE *out, struct json_object *gathering, const struct gathering_view *v)
{
	struct gatheredges edges;
	size_t histograms = HISTOGRAMS;
	unsigned lines = 0;
	char *text = NULL;

	if (!gatheredges_read(&edges, gathering))
		text = make_text(gathering, &edges, histograms, v);
	while (text && v->lines && (lines = count_lines(text)) > v->lines && histograms) {
		free(text);
		text = make_text(gathering, &edges, --histograms, v);
	}
	if (text)
		lines = print_first(out, text, count_lines(text), v->lines);
	free(text);
	gatheredges_clear(&edges);
	return lines;
}
