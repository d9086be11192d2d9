/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "daemon/btftype.h"
#include "daemon/nearest.h"
#include "daemon/tracefs.h"
#include "daemon/tracepoint.h"

#define PREFIX "btf_trace_" /* a typedef of this name holds the prototype of each tracepoint */

struct entry {
	const char *name; /* in the BTF's strings */
	uint32_t id;
};

struct tracepoint_index {
	const struct btf *btf;
	struct entry *entries; /* owned, sorted by name */
	size_t count;
};

static const struct btf_type *prototype(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	t = t ? btf__type_by_id(btf, t->type) : NULL; /* typedef of a pointer */
	t = t ? btf__type_by_id(btf, t->type) : NULL; /* to a function */
	return t && btf_is_func_proto(t) ? t : NULL;
}

/* The first parameter of the prototype is the tracer's own data; arguments come after it. */
static uint32_t argument_type(const struct btf_type *proto, unsigned index)
{
	return btf_params(proto)[index + 1].type;
}

static void read_arguments(const struct btf *btf, struct tracepoint *tp)
{
	const struct btf_type *proto = prototype(btf, tp->btf_id);
	unsigned count = proto && btf_vlen(proto) ? btf_vlen(proto) - 1 : 0;
	char text[128];

	tp->args = count < TRACEPOINT_MAX_ARGS ? count : TRACEPOINT_MAX_ARGS;
	for (unsigned i = 0; i < tp->args; i++) {
		uint32_t type = argument_type(proto, i);

		btftype_text(btf, type, text, sizeof(text));
		if (tp->skb == TRACEPOINT_NO_ARG && btftype_is_pointer_to(btf, type, "sk_buff"))
			tp->skb = i;
		else if (!strcmp(text, "enum skb_drop_reason"))
			tp->reason = i;
		else if (!strcmp(text, "void *") && !strcmp(tp->name, "kfree_skb"))
			tp->location = i;
	}
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

struct tracepoint_index *tracepoint_index_new(const struct btf *btf)
{
	struct tracepoint_index *index = calloc(1, sizeof(*index));
	uint32_t types = btf__type_cnt(btf);

	if (!index)
		return NULL;
	index->btf = btf;
	for (uint32_t id = 1; id < types; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, t->name_off);
		struct entry *more;

		if (!btf_is_typedef(t) || strncmp(name, PREFIX, strlen(PREFIX)))
			continue;
		more = realloc(index->entries, (index->count + 1) * sizeof(*more));
		if (!more) {
			tracepoint_index_free(index);
			return NULL;
		}
		index->entries = more;
		more[index->count++] = (struct entry){ name + strlen(PREFIX), id };
	}
	qsort(index->entries, index->count, sizeof(*index->entries), compare_entries);
	return index;
}

void tracepoint_index_free(struct tracepoint_index *index)
{
	if (!index)
		return;
	free(index->entries);
	free(index);
}

static void fill(const struct tracepoint_index *index, const char *group, const char *name,
		 struct tracepoint *tp)
{
	struct entry key = { .name = name }, *found = NULL;

	memset(tp, 0, sizeof(*tp));
	tp->skb = tp->location = tp->reason = TRACEPOINT_NO_ARG;
	snprintf(tp->group, sizeof(tp->group), "%s", group);
	snprintf(tp->name, sizeof(tp->name), "%s", name);
	if (index->count)
		found = bsearch(&key, index->entries, index->count, sizeof(key), compare_entries);
	if (!found)
		return;
	tp->btf_id = found->id;
	read_arguments(index->btf, tp);
}

int tracepoint_find(const struct tracepoint_index *index, const char *group, const char *name,
		    struct tracepoint *tp, char *why, size_t size)
{
	char events[TRACEFS_PATH_BYTES], path[512];
	bool readable = !tracefs_find("events", events, sizeof(events));

	fill(index, group, name, tp);
	snprintf(path, sizeof(path), "%s/%s/%s", events, group, name);
	if (readable ? !tracefs_access(path, F_OK) : tp->btf_id != 0)
		return 0;
	snprintf(why, size, "this kernel has no tracepoint %s:%s; netcapctl points lists what it has",
		 group, name);
	return -ENOENT;
}

bool tracepoint_is_skb(const struct btf *btf, const struct tracepoint *tp, unsigned argument)
{
	const struct btf_type *proto = prototype(btf, tp->btf_id);

	return proto && argument < tp->args &&
	       btftype_is_pointer_to(btf, argument_type(proto, argument), "sk_buff");
}

bool tracepoint_has_headers(const struct tracepoint *tp)
{
	static const char *const names[][2] = {
		/* __dev_queue_xmit() and behind it, below IP and its neighbours */
		{ "net", "net_dev_queue" },
		{ "net", "net_dev_start_xmit" },
		{ "net", "net_dev_xmit" },
		{ "qdisc", "qdisc_enqueue" },
		{ "qdisc", "qdisc_dequeue" },
		/* what a driver, or loopback, hands over as received */
		{ "net", "napi_gro_frags_entry" },
		{ "net", "napi_gro_receive_entry" },
		{ "net", "netif_receive_skb" },
		{ "net", "netif_receive_skb_entry" },
		{ "net", "netif_receive_skb_list_entry" },
		{ "net", "netif_rx" },
		{ "net", "netif_rx_entry" },
		{ "net", "netif_rx_ni_entry" }, /* until Linux 5.17 */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(tp->group, names[i][0]) && !strcmp(tp->name, names[i][1]))
			return true;
	return false;
}

uint8_t tracepoint_pointer(const struct btf *btf, const struct tracepoint *tp, const char *const *names)
{
	const struct btf_type *proto = prototype(btf, tp->btf_id);
	unsigned found = proto ? btftype_find_pointer(btf, btf_params(proto) + 1, tp->args, names) : tp->args;

	return found < tp->args ? found : TRACEPOINT_NO_ARG;
}

int tracepoint_prototype(const struct btf *btf, const struct tracepoint *tp, char *text, size_t size)
{
	const struct btf_type *proto = prototype(btf, tp->btf_id);
	size_t used;
	char type[128];

	used = snprintf(text, size, "void %s(", tp->name);
	for (unsigned i = 0; i < tp->args && used < size; i++)
		used += snprintf(text + used, size - used, "%s%s", i ? ", " : "",
				 btftype_text(btf, argument_type(proto, i), type, sizeof(type)));
	if (used < size)
		used += snprintf(text + used, size - used, "%s)",
				 !tp->btf_id ? "?" : tp->args ? "" : "void");
	return used < size ? (int)used : -ENOBUFS;
}

static int append(struct tracepoint_list *list, const struct tracepoint_index *index,
		  const char *group, const char *name)
{
	if (list->count % 256 == 0) {
		struct tracepoint *more;

		more = realloc(list->items, (list->count + 256) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		list->items = more;
	}
	fill(index, group, name, &list->items[list->count++]);
	return 0;
}

static bool is_name(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

static int list_group(struct tracepoint_list *list, const struct tracepoint_index *index,
		      const char *events, const char *group)
{
	char path[512];
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	snprintf(path, sizeof(path), "%s/%s", events, group);
	dir = opendir(path);
	if (!dir)
		return 0; /* the group's module went away */
	while (!r && (entry = readdir(dir)))
		if (is_name(entry))
			r = append(list, index, group, entry->d_name);
	closedir(dir);
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct tracepoint *x = a, *y = b;

	return strcmp(x->group, y->group) ?: strcmp(x->name, y->name);
}

int tracepoint_list(const struct tracepoint_index *index, struct tracepoint_list *list, char *why,
		    size_t size)
{
	char events[TRACEFS_PATH_BYTES];
	DIR *dir = tracefs_find("events", events, sizeof(events)) ? NULL : opendir(events);
	struct dirent *entry;
	int r = 0;

	memset(list, 0, sizeof(*list));
	if (!dir) {
		snprintf(why, size,
			 "tracefs is not readable, so tracepoints cannot be listed; mount it with: "
			 "mount -t tracefs tracefs " TRACEFS_DIRECTORY);
		return -ENOENT;
	}
	while (!r && (entry = readdir(dir)))
		/* system calls are no place where packets pass, and there are 700 of them */
		if (is_name(entry) && strcmp(entry->d_name, "syscalls"))
			r = list_group(list, index, events, entry->d_name);
	closedir(dir);
	if (r)
		tracepoint_list_clear(list);
	else
		qsort(list->items, list->count, sizeof(*list->items), compare);
	return r;
}

void tracepoint_list_clear(struct tracepoint_list *list)
{
	if (!list)
		return;
	free(list->items);
	memset(list, 0, sizeof(*list));
}

size_t tracepoint_nearest(const struct tracepoint_list *list, const char *group, const char *name,
			  const struct tracepoint **nearest, size_t most)
{
	unsigned best[16];
	size_t found = 0;

	if (most > 16)
		most = 16;
	for (size_t i = 0; i < list->count; i++) {
		const struct tracepoint *tp = &list->items[i];
		unsigned d = 2 * nearest_distance(name, tp->name) +
			     nearest_distance(group, tp->group);
		size_t at;

		if (tp->skb == TRACEPOINT_NO_ARG)
			continue;
		for (at = found; at > 0 && best[at - 1] > d; at--)
			;
		if (at >= most)
			continue;
		if (found < most)
			found++;
		memmove(&best[at + 1], &best[at], (found - 1 - at) * sizeof(*best));
		memmove(&nearest[at + 1], &nearest[at], (found - 1 - at) * sizeof(*nearest));
		best[at] = d;
		nearest[at] = tp;
	}
	return found;
}
