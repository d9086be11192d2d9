/* SPDX-License-Identifier: BSD-2-Clause */
#include "droprows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jsonget.h"

static const char *text(struct json_object *object, const char *name)
{
	const char *s = jsonget_string(object, name);

	return s ? s : "";
}

static void read_proto(struct droprow *row, struct json_object *object)
{
	static const char *const members[] = {"protocol", "transport", "ports"};
	size_t n = 0;

	row->proto[0] = '\0';
	for (size_t i = 0; i < 3 && n < sizeof(row->proto); i++) {
		const char *s = text(object, members[i]);

		if (*s)
			n += (size_t)snprintf(row->proto + n, sizeof(row->proto) - n, "%s%s",
					      n ? "/" : "", s);
	}
}

/* Fewer minutes than there should be are the last ones. */
static void read_recent(struct droprow *row, struct json_object *minutes)
{
	size_t count = minutes ? json_object_array_length(minutes) : 0;

	memset(row->recent, 0, sizeof(row->recent));
	for (size_t i = 1; i <= count && i <= DROPROWS_MINUTES; i++) {
		struct json_object *minute = json_object_array_get_idx(minutes, count - i);

		if (json_object_is_type(minute, json_type_int))
			row->recent[DROPROWS_MINUTES - i] = json_object_get_uint64(minute);
	}
}

void droprows_read_one(struct droprow *row, struct json_object *object)
{
	int64_t netns = jsonget_integer(object, "netns");

	*row = (struct droprow){
		.reason = text(object, "reason"),
		.subsystem = text(object, "subsystem"),
		.location = text(object, "location"),
		.device = text(object, "device"),
		.packets = (uint64_t)jsonget_integer(object, "packets"),
		.bytes = (uint64_t)jsonget_integer(object, "bytes"),
		.last_minute = (uint64_t)jsonget_integer(object, "lastMinute"),
		.last = jsonget_integer(object, "last"),
	};
	if (netns)
		snprintf(row->netns, sizeof(row->netns), "%" PRId64, netns);
	read_proto(row, object);
	read_recent(row, jsonget_array(object, "recent"));
}

static int by_place(const void *left, const void *right)
{
	const struct droprow *a = left, *b = right;
	int r = strcmp(a->reason, b->reason);

	if (!r)
		r = strcmp(a->subsystem, b->subsystem);
	if (!r)
		r = strcmp(a->location, b->location);
	if (!r)
		r = strcmp(a->device, b->device);
	if (!r)
		r = strcmp(a->netns, b->netns);
	return r ? r : strcmp(a->proto, b->proto);
}

/* Equal counts have an order too, so that the same reply is always the same table. */
static int by_packets(const void *left, const void *right)
{
	const struct droprow *a = left, *b = right;

	if (a->packets != b->packets)
		return a->packets < b->packets ? 1 : -1;
	return by_place(a, b);
}

static void add(struct droprow *sum, const struct droprow *row)
{
	sum->packets += row->packets;
	sum->bytes += row->bytes;
	sum->last_minute += row->last_minute;
	sum->last = row->last > sum->last ? row->last : sum->last;
	for (size_t i = 0; i < DROPROWS_MINUTES; i++)
		sum->recent[i] += row->recent[i];
}

static void merge(struct droprows *r)
{
	size_t kept = 0;

	qsort(r->rows, r->count, sizeof(*r->rows), by_place);
	for (size_t i = 0; i < r->count; i++) {
		if (kept && !by_place(&r->rows[kept - 1], &r->rows[i]))
			add(&r->rows[kept - 1], &r->rows[i]);
		else
			r->rows[kept++] = r->rows[i];
	}
	r->count = kept;
	qsort(r->rows, r->count, sizeof(*r->rows), by_packets);
}

int droprows_read(struct droprows *r, struct json_object *array, bool by_proto)
{
	*r = (struct droprows){.count = array ? json_object_array_length(array) : 0};
	if (!r->count)
		return 0;
	r->rows = calloc(r->count, sizeof(*r->rows));
	if (!r->rows)
		return -ENOMEM;
	for (size_t i = 0; i < r->count; i++) {
		struct droprow *row = &r->rows[i];

		droprows_read_one(row, json_object_array_get_idx(array, i));
		if (!by_proto)
			row->proto[0] = '\0';
		r->packets += row->packets;
	}
	merge(r);
	return 0;
}

void droprows_clear(struct droprows *r)
{
	free(r->rows);
	*r = (struct droprows){0};
}
