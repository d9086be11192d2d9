/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "daemon/edges.h"
#include "daemon/gatherstat.h"
#include "daemon/jsonmake.h"

#define PORTION 256 /* entries of the kernel's table that are read at once */

struct point {
	uint64_t packets; /* of those whose way is over, that were here */
	uint64_t missing; /* that were not */
	uint64_t unsure;  /* that may have been nevertheless */
};

struct gatherstat {
	const struct probe_list *probes;
	struct edges *edges; /* owned */
	bool read;           /* the kernel counts, not gatherstat_add() */
	struct point points[JOURNEY_POINTS_MOST];
};

struct gatherstat *gatherstat_new(const struct probe_list *probes)
{
	struct gatherstat *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->probes = probes;
	s->edges = edges_new();
	if (s->edges)
		return s;
	free(s);
	return NULL;
}

void gatherstat_free(struct gatherstat *s)
{
	if (!s)
		return;
	edges_free(s->edges);
	free(s);
}

void gatherstat_add(struct gatherstat *s, const struct gather_packet *p)
{
	const struct gather_step *first = p->steps, *last = first + p->count - 1;

	for (const struct gather_step *at = first + 1; at <= last; at++)
		edges_add(s->edges, at[-1].event.point, at->event.point, gather_step_ns(at) - gather_step_ns(at - 1));
	if (p->count > 1)
		edges_add(s->edges, EDGES_WHOLE, EDGES_WHOLE, gather_step_ns(last) - gather_step_ns(first));
	for (size_t i = 0; i < s->probes->count; i++) {
		struct point *point = &s->points[i % JOURNEY_POINTS_MOST];
		bool here = p->visited & 1ull << i;

		point->packets += here;
		point->missing += !here;
		point->unsure += !here && p->unsure;
	}
}

static void take_edge(struct gatherstat *s, uint64_t key, const struct netcap_edge *cpus, int cpu_count)
{
	struct netcap_edge sum = { .min_ns = UINT64_MAX };
	uint16_t from = key >> 32, to = key >> 16;

	for (int i = 0; i < cpu_count; i++) {
		if (!cpus[i].count)
			continue;
		sum.count += cpus[i].count;
		sum.min_ns = cpus[i].min_ns < sum.min_ns ? cpus[i].min_ns : sum.min_ns;
		sum.max_ns = cpus[i].max_ns > sum.max_ns ? cpus[i].max_ns : sum.max_ns;
	}
	if (to >= s->probes->count || !sum.count)
		return;
	if (from < s->probes->count)
		edges_add_bucket(s->edges, from, to, key & 0xffff, &sum);
}

/* What a read of a portion needs. */
struct portion {
	int cpu_count;
	uint32_t count;            /* entries in it */
	uint64_t keys[PORTION];
	struct netcap_edge *edges; /* owned; of each entry, one for each CPU */
};

static int read_portions(struct gatherstat *s, int map, struct portion *p)
{
	uint64_t next;
	int r = 0;

	for (void *from = NULL; !r; from = &next) {
		p->count = PORTION;
		r = bpf_map_lookup_batch(map, from, &next, p->keys, p->edges, &p->count, NULL) ? -errno : 0;
		for (uint32_t i = 0; (!r || r == -ENOENT) && i < p->count; i++)
			take_edge(s, p->keys[i], p->edges + i * p->cpu_count, p->cpu_count);
	}
	return r == -ENOENT ? 0 : r; /* that was the last one */
}

static void read_points(struct gatherstat *s, const struct template_maps *maps)
{
	struct netcap_counters *scratch = malloc(maps_counter_bytes()), sum;

	for (uint32_t i = 0; scratch && i < s->probes->count; i++)
		if (!maps_read_counters(maps, i, scratch, &sum))
			s->points[i % JOURNEY_POINTS_MOST].packets = sum.arrived;
	free(scratch);
}

int gatherstat_read(struct gatherstat *s, const struct template_maps *maps)
{
	struct portion p = { .cpu_count = libbpf_num_possible_cpus() };
	int r = -ENOMEM;

	if (p.cpu_count > 0)
		p.edges = calloc((size_t)p.cpu_count * PORTION, sizeof(*p.edges));
	if (p.edges) {
		s->read = true;
		edges_clear(s->edges);
		read_points(s, maps);
		r = read_portions(s, maps->edges, &p);
	}
	free(p.edges);
	return r;
}

static struct json_object *point_json(const struct gatherstat *s, size_t i, uint64_t begun)
{
	const struct probe *probe = &s->probes->items[i];
	const struct point *p = &s->points[i];
	uint64_t missing = !s->read ? p->missing : begun > p->packets ? begun - p->packets : 0;
	struct json_object *o = json_object_new_object();
	bool ok = jsonmake_text(o, "name", probe->text) && jsonmake_number(o, "packets", p->packets) &&
		  jsonmake_number(o, "missing", missing) && jsonmake_number(o, "unsure", p->unsure);

	return jsonmake_whole(o, ok);
}

/* Trace points that could not be attached are no places that a packet did not reach. */
static struct json_object *points_json(const struct gatherstat *s, uint64_t begun)
{
	struct json_object *list = json_object_new_array();
	bool ok = list;

	for (size_t i = 0; ok && i < s->probes->count; i++)
		if (s->probes->items[i].error == PROBE_OK)
			ok = jsonmake_append(list, point_json(s, i, begun));
	return jsonmake_whole(list, ok);
}

struct json_object *gatherstat_json(const struct gatherstat *s, const struct gather_counts *counts)
{
	struct json_object *o = json_object_new_object();
	const char *names[JOURNEY_POINTS_MOST];
	bool ok;

	for (size_t i = 0; i < s->probes->count; i++)
		names[i] = s->probes->items[i].text;
	ok = jsonmake_number(o, "packets", counts->begun) && jsonmake_number(o, "open", counts->open) &&
	     jsonmake_number(o, "evicted", counts->evicted) && jsonmake_number(o, "unplaced", counts->unplaced) &&
	     jsonmake_add(o, "points", points_json(s, counts->begun)) && edges_to_json(s->edges, names, o);
	return jsonmake_whole(o, ok);
}
