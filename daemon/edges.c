/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "daemon/edges.h"
#include "daemon/jsonmake.h"

#define SLOTS (2 * EDGES_MOST) /* of the hash table, a power of two */

struct edge {
	uint16_t from, to;
	uint64_t count;
	uint64_t min_ns, max_ns;
	uint64_t buckets[NETCAP_BUCKETS];
};

struct edges {
	size_t count;
	struct edge *items[EDGES_MOST]; /* owned */
	uint16_t slots[SLOTS];          /* index + 1, 0: free */
	uint64_t other;                 /* packets on ways that there was no room for */
};

struct edges *edges_new(void)
{
	return calloc(1, sizeof(struct edges));
}

/* They are there for the next time. */
void edges_clear(struct edges *e)
{
	for (size_t i = 0; i < e->count; i++) {
		struct edge *edge = e->items[i];

		*edge = (struct edge){ .from = edge->from, .to = edge->to, .min_ns = UINT64_MAX };
	}
	e->other = 0;
}

void edges_free(struct edges *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->count; i++)
		free(e->items[i]);
	free(e);
}

/* The slot of this way, or the free one where it belongs. The table is never full. */
static size_t slot_of(const struct edges *e, uint16_t from, uint16_t to)
{
	uint32_t hash = ((uint32_t)from << 16 | to) * 0x9e3779b1u >> 8;

	for (;; hash++) {
		size_t slot = hash & (SLOTS - 1);
		const struct edge *edge = e->slots[slot] ? e->items[e->slots[slot] - 1] : NULL;

		if (!edge || (edge->from == from && edge->to == to))
			return slot;
	}
}

/* NULL: there is no room. */
static struct edge *find_or_make(struct edges *e, uint16_t from, uint16_t to)
{
	size_t slot = slot_of(e, from, to);
	struct edge *edge;

	if (e->slots[slot])
		return e->items[e->slots[slot] - 1];
	edge = e->count < EDGES_MOST ? calloc(1, sizeof(*edge)) : NULL;
	if (!edge)
		return NULL;
	edge->from = from;
	edge->to = to;
	edge->min_ns = UINT64_MAX;
	e->items[e->count++] = edge;
	e->slots[slot] = (uint16_t)e->count;
	return edge;
}

void edges_add_bucket(struct edges *e, uint16_t from, uint16_t to, uint32_t bucket, const struct netcap_edge *sum)
{
	struct edge *edge = bucket < NETCAP_BUCKETS ? find_or_make(e, from, to) : NULL;

	if (!edge) {
		e->other += sum->count;
		return;
	}
	edge->count += sum->count;
	edge->buckets[bucket] += sum->count;
	if (sum->min_ns < edge->min_ns)
		edge->min_ns = sum->min_ns;
	if (sum->max_ns > edge->max_ns)
		edge->max_ns = sum->max_ns;
}

void edges_add(struct edges *e, uint16_t from, uint16_t to, uint64_t ns)
{
	const struct netcap_edge one = { 1, ns, ns };

	edges_add_bucket(e, from, to, netcap_bucket(ns), &one);
}

/* The middle of the bucket that the packet is in which is behind so many thousandths of them. */
static uint64_t percentile(const struct edge *edge, unsigned permille)
{
	uint64_t before = edge->count * permille / 1000, seen = 0, middle;
	uint32_t bucket = 0;

	for (; bucket < NETCAP_BUCKETS - 1; bucket++) {
		seen += edge->buckets[bucket];
		if (seen > before)
			break;
	}
	middle = (netcap_bucket_ns(bucket) + netcap_bucket_ns(bucket + 1)) / 2;
	return middle < edge->min_ns ? edge->min_ns : middle > edge->max_ns ? edge->max_ns : middle;
}

uint64_t edges_percentile(const struct edges *e, uint16_t from, uint16_t to, unsigned permille)
{
	size_t slot = slot_of(e, from, to);

	const struct edge *edge = e->slots[slot] ? e->items[e->slots[slot] - 1] : NULL;

	return edge && edge->count ? percentile(edge, permille) : 0;
}

static struct json_object *bar(uint64_t ns, uint64_t count)
{
	struct json_object *o = json_object_new_object();
	bool ok = jsonmake_number(o, "ns", ns) && jsonmake_number(o, "count", count);

	return jsonmake_whole(o, ok);
}

/* One for each power of two that a packet took; with the empty ones between. */
static struct json_object *bars(const struct edge *edge)
{
	struct json_object *list = json_object_new_array();
	uint32_t bucket = 0, last = netcap_bucket(edge->max_ns);
	bool ok = list, begun = false;

	while (ok && bucket <= last) {
		uint32_t first = bucket, next = (bucket >> NETCAP_BUCKET_BITS) + 1;
		uint64_t count = 0;

		/* the first powers of two share their buckets' width: they are one bar */
		for (; bucket < next << NETCAP_BUCKET_BITS; bucket++)
			count += edge->buckets[bucket];
		begun = begun || count;
		if (begun)
			ok = jsonmake_append(list, bar(netcap_bucket_ns(first), count));
	}
	return jsonmake_whole(list, ok);
}

static const char *name_of(const char *const *names, uint16_t point)
{
	return point == EDGES_WHOLE ? "" : names[point];
}

static struct json_object *edge_to_json(const struct edge *edge, const char *const *names)
{
	struct json_object *o = json_object_new_object();
	bool ok = jsonmake_text(o, "from", name_of(names, edge->from)) &&
		  jsonmake_text(o, "to", name_of(names, edge->to)) && jsonmake_number(o, "count", edge->count) &&
		  jsonmake_number(o, "minNs", edge->min_ns) && jsonmake_number(o, "p50Ns", percentile(edge, 500)) &&
		  jsonmake_number(o, "p90Ns", percentile(edge, 900)) &&
		  jsonmake_number(o, "p99Ns", percentile(edge, 990)) && jsonmake_number(o, "maxNs", edge->max_ns) &&
		  jsonmake_add(o, "bars", bars(edge));

	return jsonmake_whole(o, ok);
}

static int by_count(const void *a, const void *b)
{
	const struct edge *x = *(struct edge *const *)a, *y = *(struct edge *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->from != y->from ? x->from - y->from : x->to - y->to;
}

bool edges_to_json(const struct edges *e, const char *const *names, struct json_object *to)
{
	struct json_object *list = json_object_new_array();
	const struct edge *sorted[EDGES_MOST];
	uint64_t other = e->other;
	bool ok = list;

	memcpy(sorted, e->items, e->count * sizeof(*sorted));
	qsort(sorted, e->count, sizeof(*sorted), by_count);
	for (size_t i = 0; ok && i < e->count && sorted[i]->count; i++) {
		if (sorted[i]->from == EDGES_WHOLE)
			ok = jsonmake_add(to, "whole", edge_to_json(sorted[i], names));
		else if (json_object_array_length(list) < EDGES_SHOWN)
			ok = jsonmake_append(list, edge_to_json(sorted[i], names));
		else
			other += sorted[i]->count;
	}
	return jsonmake_add(to, "edges", jsonmake_whole(list, ok)) && jsonmake_number(to, "other", other);
}
