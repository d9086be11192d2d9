/* SPDX-License-Identifier: BSD-2-Clause */
#include <fnmatch.h>
#include <stdio.h>

#include <bpf/btf.h>

#include "daemon/jsonmake.h"
#include "daemon/points.h"
#include "daemon/quota.h"
#include "daemon/tracepoint.h"

#define NO_SKB  "it carries no struct sk_buff"
#define NO_TYPE "its arguments are not in the kernel's type information; say which with @N"

bool points_match(const char *pattern, const char *group, const char *name)
{
	char full[256];

	snprintf(full, sizeof(full), "tracepoint:%s:%s", group, name);
	return !fnmatch(pattern, name, 0) || !fnmatch(pattern, full, 0) ||
	       !fnmatch(pattern, full + sizeof("tracepoint:") - 1, 0);
}

static struct json_object *describe(const struct btf *btf, const struct tracepoint *tp)
{
	struct json_object *point = json_object_new_object();
	bool has_skb = tp->skb != TRACEPOINT_NO_ARG;
	const char *reason = has_skb ? NULL : tp->btf_id ? NO_SKB : NO_TYPE;
	char name[256], prototype[1024];

	snprintf(name, sizeof(name), "tracepoint:%s:%s", tp->group, tp->name);
	tracepoint_prototype(btf, tp, prototype, sizeof(prototype));
	if (jsonmake_text(point, "name", name) && jsonmake_text(point, "prototype", prototype) &&
	    jsonmake_add(point, "argument", json_object_new_int(has_skb ? tp->skb + 1 : 0)) &&
	    jsonmake_text(point, "reason", reason))
		return point;
	json_object_put(point);
	return NULL;
}

/* The array of points in a new reply, or NULL. */
static struct json_object *add_reply(struct json_object *replies)
{
	struct json_object *reply = json_object_new_object(), *points = json_object_new_array();
	bool ok = jsonmake_add(reply, "points", points);

	return jsonmake_append(replies, reply) && ok ? points : NULL;
}

static bool fill(struct deferred_work *work, const struct btf *btf,
		 const struct tracepoint_list *list)
{
	struct json_object *points = add_reply(work->replies);
	bool ok = points;

	for (size_t i = 0; ok && i < list->count; i++) {
		const struct tracepoint *tp = &list->items[i];

		if (work->text && !points_match(work->text, tp->group, tp->name))
			continue;
		if (work->more && json_object_array_length(points) == QUOTA_POINTS_REPLY)
			points = add_reply(work->replies);
		ok = jsonmake_append(points, describe(btf, tp));
	}
	return ok;
}

static void list_points(struct deferred_work *work, const struct btf *btf,
			const struct tracepoint_index *index)
{
	struct tracepoint_list list;

	if (tracepoint_list(index, &list, work->why, sizeof(work->why)))
		return;
	work->replies = json_object_new_array();
	if (!fill(work, btf, &list)) {
		json_object_put(work->replies);
		work->replies = NULL;
		snprintf(work->why, sizeof(work->why), "no memory for %zu trace points",
			 list.count);
	}
	tracepoint_list_clear(&list);
}

/* Types are all that is needed, and they may be readable when nothing else works. */
static void list_by_own_types(struct deferred_work *work)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct tracepoint_index *index = btf ? tracepoint_index_new(btf) : NULL;

	if (index)
		list_points(work, btf, index);
	else
		snprintf(work->why, sizeof(work->why),
			 "the kernel's type information (/sys/kernel/btf/vmlinux) cannot be read; "
			 "netcapctl features says what is missing");
	tracepoint_index_free(index);
	btf__free(btf);
}

void points_run(struct deferred_work *work)
{
	if (work->kernel->tracepoints)
		list_points(work, work->kernel->btf, work->kernel->tracepoints);
	else
		list_by_own_types(work);
}
