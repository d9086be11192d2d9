/* SPDX-License-Identifier: BSD-2-Clause */
#include "gatheredges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "jsonget.h"

static uint64_t get(struct json_object *o, const char *name)
{
	int64_t n = jsonget_integer(o, name);

	return n > 0 ? (uint64_t)n : 0;
}

static size_t length(struct json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}

static void read_bars(struct gatheredge *e, struct json_object *bars)
{
	for (size_t i = 0; i < length(bars); i++) {
		struct json_object *bar = json_object_array_get_idx(bars, i);
		uint64_t ns = get(bar, "ns");

		e->bars[ns ? 63 - __builtin_clzll(ns) : 0] += get(bar, "count");
	}
}

static bool read_edge(struct gatheredge *e, struct json_object *o)
{
	*e = (struct gatheredge){
		.from = jsonget_string(o, "from"),
		.to = jsonget_string(o, "to"),
		.count = get(o, "count"),
		.min = get(o, "minNs"),
		.p50 = get(o, "p50Ns"),
		.p90 = get(o, "p90Ns"),
		.p99 = get(o, "p99Ns"),
		.max = get(o, "maxNs"),
	};
	read_bars(e, jsonget_array(o, "bars"));
	return e->count;
}

/* Where a trace point stands in the session: behind all of them if nowhere. */
static size_t place_of(struct json_object *points, const char *name)
{
	size_t count = length(points), i = 0;

	for (; i < count; i++) {
		const char *point = jsonget_string(json_object_array_get_idx(points, i), "name");

		if (point && !strcmp(point, name))
			break;
	}
	return i;
}

static int by_order(const void *a, const void *b)
{
	const struct gatheredge *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

int gatheredges_read(struct gatheredges *e, struct json_object *gathering)
{
	struct json_object *points = jsonget_array(gathering, "points"), *edges = jsonget_array(gathering, "edges");
	size_t count = length(edges), places = length(points) + 1;

	*e = (struct gatheredges){0};
	e->has_whole = read_edge(&e->whole, jsonget_object(gathering, "whole"));
	if (!count)
		return 0;
	e->edges = calloc(count, sizeof(*e->edges));
	if (!e->edges)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct gatheredge *edge = &e->edges[e->count];

		if (!read_edge(edge, json_object_array_get_idx(edges, i)) || !edge->from || !edge->to)
			continue;
		edge->number = e->count++;
		edge->order = place_of(points, edge->from) * places + place_of(points, edge->to);
	}
	qsort(e->edges, e->count, sizeof(*e->edges), by_order);
	return 0;
}

void gatheredges_draw(struct gatheredges *e, size_t histograms)
{
	for (size_t i = 0; i < e->count; i++)
		e->edges[i].drawn = false;
	while (histograms--) {
		struct gatheredge *most = NULL;

		for (size_t i = 0; i < e->count; i++) {
			struct gatheredge *edge = &e->edges[i];

			if (!edge->drawn && (!most || edge->count > most->count))
				most = edge;
		}
		if (!most)
			return;
		most->drawn = true;
	}
}

void gatheredges_clear(struct gatheredges *e)
{
	free(e->edges);
	*e = (struct gatheredges){0};
}
