/* SPDX-License-Identifier: BSD-2-Clause */
#include "droptable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "droprows.h"
#include "exitcode.h"
#include "explain.h"
#include "jsonget.h"
#include "message.h"
#include "print.h"
#include "sparkline.h"
#include "table.h"
#include "text.h"
#include "timespan.h"

#define KERNEL_PREFIX  "SKB_DROP_REASON_"
#define LABEL_WIDTH    9 /* of "  means: " */
#define TITLE_COLOR    "cyan"
#define DROPPING_COLOR "yellow" /* something was dropped within the last minute */

static const struct table_column columns[] = {
	{"REASON", false, 14}, {"WHERE", false, 10}, {"DEVICE", false, 6},
	{"NETNS", false, 0},   {"PROTO", false, 8},  {"PACKETS", true, 0},
	{"PKT/S", true, 0},    {"LAST", false, 0},   {"30 MIN", false, 0},
};

static const struct table_column layer_columns[] = {
	{"LAYER", false, 0},
	{"DEVICE", false, 0},
	{"COUNTER", false, 8},
	{"SINCE START", true, 0},
	{"SINCE BOOT", true, 0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *color(const struct dropview *v, const char *name)
{
	return v->color ? print_color(name) : NULL;
}

/* Of the last minute. Only what is none looks like none. */
static void print_rate(FILE *out, uint64_t last_minute)
{
	double rate = (double)last_minute / 60;

	if (!last_minute || rate < 0.05)
		fputs(last_minute ? "<0.1" : "0", out);
	else
		fprintf(out, "%.*f", rate < 9.95 ? 1 : 0, rate);
}

/* Divisors of 30, as wide as leaves room for the rest of the line. */
static size_t sparkline_columns(unsigned width)
{
	if (width && width < 100)
		return 6;
	return width && width < 120 ? 15 : DROPROWS_MINUTES;
}

static void add_row(struct table *t, const struct droprow *row, const struct dropview *v)
{
	const char *shade = row->last_minute ? color(v, DROPPING_COLOR) : NULL;
	char last[32];

	timespan_ago(row->last, v->now, last, sizeof(last));
	text_print_safe(table_cell(t, shade), row->reason);
	text_print_safe(table_cell(t, NULL), row->location);
	text_print_safe(table_cell(t, NULL), row->device);
	text_print_safe(table_cell(t, NULL), row->netns);
	text_print_safe(table_cell(t, NULL), row->proto);
	fprintf(table_cell(t, shade), "%" PRIu64, row->packets);
	print_rate(table_cell(t, shade), row->last_minute);
	fputs(last, table_cell(t, NULL));
	sparkline_print(table_cell(t, shade), row->recent, DROPROWS_MINUTES,
			sparkline_columns(v->width), v->utf8);
}

static int out_of_memory(void)
{
	message("out of memory.");
	return EXITCODE_FAILED;
}

static int print_rows(const struct droprows *r, size_t shown, const struct dropview *v)
{
	struct table t;
	int err = table_init(&t, columns, COUNT(columns));

	for (size_t i = 0; !err && i < shown; i++)
		add_row(&t, &r->rows[i], v);
	if (!err)
		err = table_print(&t, stdout, v->width, color(v, TITLE_COLOR));
	table_clear(&t);
	return err ? out_of_memory() : EXITCODE_OK;
}

static void print_rest(const struct droprows *r, size_t shown)
{
	uint64_t packets = 0;
	size_t rest = r->count - shown;

	for (size_t i = shown; i < r->count; i++)
		packets += r->rows[i].packets;
	if (rest)
		printf("%zu more row%s with %" PRIu64 " packet%s; --top 0 shows all\n", rest,
		       rest == 1 ? "" : "s", packets, packets == 1 ? "" : "s");
}

static void print_time(const char *before, int64_t at, const struct dropview *v, bool seconds)
{
	char text[32];

	timespan_clock(at, v->now, seconds, text, sizeof(text));
	printf("%s%s", before, text);
}

/* " since 08:31, in steps of 60 s", or from when to when. */
static void print_span(struct json_object *reply, const struct dropview *v)
{
	int64_t began = jsonget_integer(reply, "began");
	int64_t resolution = jsonget_integer(reply, "resolution");
	bool seconds = resolution < 60;

	print_time(v->until ? " from " : " since ", v->since > began ? v->since : began, v, seconds);
	if (v->until)
		print_time(" to ", v->until, v, seconds);
	printf(", in steps of %" PRId64 " s", resolution);
	if (v->since && v->since < began)
		print_time("; the history does not reach back to ", v->since, v, seconds);
}

/* What the table does not say, in one line. */
static void print_summary(struct json_object *reply, const struct droprows *r, const struct dropview *v)
{
	int64_t overflow = jsonget_integer(reply, "overflow");

	if (v->until && v->until <= jsonget_integer(reply, "began")) {
		print_time("nothing is known of that time: the history begins at ",
			   jsonget_integer(reply, "began"), v, true);
		putchar('\n');
		return;
	}
	if (r->packets || overflow)
		printf("%" PRIu64 " packet%s", r->packets, r->packets == 1 ? "" : "s");
	else
		fputs("nothing was dropped", stdout);
	print_span(reply, v);
	if (overflow)
		printf("; %" PRId64 " more of kinds that there was no row for", overflow);
	putchar('\n');
}

static size_t length(struct json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}

static bool add_layer(struct table *t, struct json_object *counter, const struct dropview *v)
{
	static const char *const texts[] = {"layer", "device", "name"};
	int64_t since = jsonget_integer(counter, "since");

	if (!since && !v->all_layers)
		return false;
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *s = jsonget_string(counter, texts[i]);

		text_print_safe(table_cell(t, NULL), s ? s : "");
	}
	fprintf(table_cell(t, NULL), "%" PRId64, since);
	fprintf(table_cell(t, NULL), "%" PRId64, jsonget_integer(counter, "value"));
	return true;
}

/* Counters of those that lose packets without the kernel's kfree_skb. */
static int print_layers(struct json_object *reply, const struct dropview *v)
{
	struct json_object *layers = jsonget_array(reply, "layers");
	bool any = false;
	struct table t;
	int err = table_init(&t, layer_columns, COUNT(layer_columns));

	for (size_t i = 0; !err && i < length(layers); i++)
		any |= add_layer(&t, json_object_array_get_idx(layers, i), v);
	if (!err && any) {
		puts("\nLost by layers that give no reason, since netcapd started and since boot:");
		err = table_print(&t, stdout, v->width, color(v, TITLE_COLOR));
	}
	if (!err && !any && v->all_layers)
		puts("\nthe daemon has no counters of layers");
	table_clear(&t);
	return err ? out_of_memory() : EXITCODE_OK;
}

static bool explain(const char *subsystem, const char *reason, unsigned width)
{
	const char *meaning = explain_meaning(subsystem, reason);
	const char *next = explain_next(subsystem, reason);

	if (!meaning && !next)
		return false;
	text_print_safe(stdout, reason);
	fputs("\n  means: ", stdout);
	text_print_wrapped(stdout, meaning ? meaning : "not known.", LABEL_WIDTH, width);
	fputs("  next:  ", stdout);
	text_print_wrapped(stdout, next ? next : "not known.", LABEL_WIDTH, width);
	return true;
}

bool droptable_explain(const char *name, unsigned width)
{
	const struct explain_table *table;

	if (!strncmp(name, KERNEL_PREFIX, sizeof(KERNEL_PREFIX) - 1))
		name += sizeof(KERNEL_PREFIX) - 1;
	/* the reasons of different subsystems have different names */
	for (size_t i = 0; (table = explain_table(i)); i++)
		if (explain(table->subsystem, name, width))
			return true;
	return false;
}

/* Whether one of the rows before this one has its reason. */
static bool reason_seen(const struct droprows *r, size_t index)
{
	const struct droprow *row = &r->rows[index];

	for (size_t i = 0; i < index; i++) {
		if (!strcmp(r->rows[i].reason, row->reason) &&
		    !strcmp(r->rows[i].subsystem, row->subsystem))
			return true;
	}
	return false;
}

static void explain_rows(const struct droprows *r, size_t shown, unsigned width)
{
	for (size_t i = 0; i < shown; i++) {
		const struct droprow *row = &r->rows[i];

		if (reason_seen(r, i))
			continue;
		putchar('\n');
		if (!*row->reason) {
			puts("Rows without a reason: the kernel gives none (it does since Linux 5.17).");
		} else if (!explain(row->subsystem, row->reason, width)) {
			text_print_safe(stdout, row->reason);
			fputs("\n  means: not known to this netcapctl", stdout);
			if (*row->subsystem && strcmp(row->subsystem, "core")) {
				fputs("; it is a reason of ", stdout);
				text_print_safe(stdout, row->subsystem);
			}
			puts(".");
		}
	}
}

int droptable_print(struct json_object *reply, const struct dropview *v)
{
	struct droprows r;
	size_t shown;
	int code = EXITCODE_OK;

	if (droprows_read(&r, jsonget_array(reply, "rows"), v->by && !strcmp(v->by, "proto")))
		return out_of_memory();
	shown = v->top && v->top < r.count ? (size_t)v->top : r.count;
	if (shown)
		code = print_rows(&r, shown, v);
	if (code == EXITCODE_OK) {
		print_rest(&r, shown);
		print_summary(reply, &r, v);
		if (v->explain)
			explain_rows(&r, shown, v->width);
		code = print_layers(reply, v);
	}
	droprows_clear(&r);
	return code;
}

static void print_word(const char *s)
{
	if (!*s)
		return;
	putchar(' ');
	text_print_safe(stdout, s);
}

static void print_change(const struct droprow *row, const struct dropview *v)
{
	const char *start = color(v, DROPPING_COLOR);
	char at[32];

	timespan_clock(row->last, v->now, true, at, sizeof(at));
	printf("%s%s", at, start ? start : "");
	print_word(row->reason);
	fputs(start ? PRINT_COLOR_OFF : "", stdout);
	if (*row->location)
		fputs(" at", stdout);
	print_word(row->location);
	if (*row->device)
		fputs(" dev", stdout);
	print_word(row->device);
	if (*row->netns)
		fputs(" netns", stdout);
	print_word(row->netns);
	print_word(row->proto);
	printf(": %" PRIu64 " packet%s, %" PRIu64 " bytes\n", row->packets, row->packets == 1 ? "" : "s",
	       row->bytes);
}

void droptable_print_changes(struct json_object *reply, const struct dropview *v)
{
	struct json_object *rows = jsonget_array(reply, "rows");
	int64_t overflow = jsonget_integer(reply, "overflow");

	for (size_t i = 0; i < length(rows); i++) {
		struct droprow row;

		droprows_read_one(&row, json_object_array_get_idx(rows, i));
		print_change(&row, v);
	}
	if (overflow)
		printf("%" PRId64 " packets of kinds that there was no row for\n", overflow);
}
