/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/jsonmake.h"
#include "daemon/loadreport.h"
#include "daemon/report.h"

#define BRIEF_FROM 64  /* trace points: of more, later reports have those with hits */
#define BRIEF_MOST 400 /* so that a report fits what is kept for it (QUOTA_OUT_RESERVE) */

void loadreport_add_times(const struct sessionload *l, struct json_object *o)
{
	uint64_t loaded = l->hooks.loaded;

	json_object_object_add(o, "loadUs", json_object_new_int64((loaded - l->began) / 1000));
	json_object_object_add(o, "attachUs", json_object_new_int64((l->attached - loaded) / 1000));
}

/* Those that the map had no room for any more are known at the end only: they were never taken out. */
static struct json_object *tracking(const struct sessionload *l)
{
	const struct netcap_control *c = l->control;
	struct json_object *o = (l->spec->track || l->spec->gather) && c ? json_object_new_object() : NULL;
	uint64_t kept, put;
	bool ok;

	if (!o)
		return NULL;
	put = __atomic_load_n(&c->track_put, __ATOMIC_RELAXED);
	kept = __atomic_load_n(&c->track_gone, __ATOMIC_RELAXED) + l->track.left;
	ok = jsonmake_number(o, "packets", __atomic_load_n(&c->tracked, __ATOMIC_RELAXED)) &&
	     (!l->settled || (jsonmake_number(o, "evicted", put > kept ? put - kept : 0) &&
			      jsonmake_number(o, "missed", l->track.missed))) &&
	     jsonmake_text(o, "note", *l->track.note ? l->track.note : NULL);
	return jsonmake_whole(o, ok);
}

/* What programs at trace points in user space could not look at. */
static struct json_object *processes(const struct sessionload *l)
{
	const struct netcap_control *c = l->control;
	struct json_object *o = spec_has_process(l->spec) && c ? json_object_new_object() : NULL;
	bool ok = o && jsonmake_number(o, "unreadable", __atomic_load_n(&c->unreadable, __ATOMIC_RELAXED)) &&
		  jsonmake_number(o, "beyond", __atomic_load_n(&c->beyond, __ATOMIC_RELAXED));

	return jsonmake_whole(o, ok);
}

static struct json_object *points(struct sessionload *l, bool brief, struct counters *sum, int64_t *silent)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; list && i < l->probes.count; i++) {
		struct counters c;

		sessionload_counters(l, i, &c);
		counters_add(sum, &c);
		if (brief && !c.hits)
			(*silent)++;
		else if (!brief || json_object_array_length(list) < BRIEF_MOST)
			json_object_array_add(list, report_point(&l->probes.items[i], &c));
	}
	return list;
}

/* Before the session runs, and while the worker is at it, the points are the worker's. */
void loadreport_add_nothing(struct json_object *o)
{
	struct counters none = {};

	json_object_object_add(o, "points", json_object_new_array());
	json_object_object_add(o, "counters", counters_to_json(&none));
}

void loadreport_add(struct sessionload *l, bool told, struct json_object *o)
{
	struct json_object *followed = tracking(l), *read = processes(l);
	struct counters sum = {};
	int64_t silent = 0;

	json_object_object_add(o, "points", points(l, told && l->probes.count > BRIEF_FROM, &sum, &silent));
	sum.missed += l->missed_shared;
	json_object_object_add(o, "counters", counters_to_json(&sum));
	if (silent)
		json_object_object_add(o, "silent", json_object_new_int64(silent));
	if (followed)
		json_object_object_add(o, "tracking", followed);
	if (read)
		json_object_object_add(o, "userSpace", read);
}

struct json_object *loadreport_error(const struct sessionload *l)
{
	struct json_object *o = report_error(l->field, l->why);
	struct json_object *nearest = NULL;

	if (o && l->user_log)
		jsonmake_text(o, "log", l->user_log);
	if (!o || !l->culprit || l->culprit->error != PROBE_UNKNOWN)
		return o;
	nearest = json_object_new_array();
	for (int i = 0; nearest && i < PROBE_NEAREST && l->culprit->nearest[i]; i++)
		json_object_array_add(nearest, json_object_new_string(l->culprit->nearest[i]));
	json_object_object_add(o, "nearest", nearest);
	return o;
}
