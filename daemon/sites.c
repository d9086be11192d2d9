/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/linefile.h"
#include "daemon/nameindex.h"
#include "daemon/sites.h"
#include "daemon/tracefs.h"

#define KALLSYMS     "/proc/kallsyms"
#define ADDRESS_CHARS 16 /* of a line of kallsyms, before " t " and the name */
#define NAME_AT       (ADDRESS_CHARS + 3)

struct sites {
	const struct function_list *functions; /* the kernel's; not owned */
	const char **names;    /* owned; of functions that take a packet, sorted and unique */
	size_t count;
	char *text;            /* owned; the names of modules' functions */
	struct site_list list; /* of names */
	size_t *first;         /* owned; of each name, the first in list; one more than names */
	bool *traceable;       /* owned; of names. NULL: not read yet */
	uint64_t modules;      /* the stamp of those there were */
	int error;             /* why there is no list; names are there all the same */
};

/* ---- the kernel's lists ---- */

/* What the two functions below work on. */
struct reading {
	struct nameindex index;
	struct site_list list;
	bool *traceable;
};

static int append(struct site_list *list, size_t name, uint64_t address, bool module)
{
	if (list->count % 256 == 0) {
		struct site *more = realloc(list->items, (list->count + 256) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->items = more;
	}
	list->items[list->count++] = (struct site){ name, address, module };
	return 0;
}

/* Ends the name in "name\t[module]" and returns the module, "" when there is none. */
static const char *split(char *name)
{
	char *gap = strpbrk(name, "\t "), *module, *end;

	if (!gap)
		return "";
	*gap = 0;
	module = strchr(gap + 1, '[');
	end = module ? strchr(module, ']') : NULL;
	if (!end)
		return "";
	*end = 0;
	return module + 1;
}

/* "ffffffff81000000 t name\t[module]" */
static int take_symbol(void *arg, char *line, size_t length)
{
	struct reading *r = arg;
	const char *module;
	uint64_t address;
	size_t at;

	if (length <= NAME_AT || !strchr("tTwW", line[ADDRESS_CHARS + 1]))
		return 0;
	module = split(line + NAME_AT);
	at = nameindex_find(&r->index, line + NAME_AT, module);
	if (at == r->index.count)
		return 0;
	address = strtoull(line, NULL, 16);
	return address ? append(&r->list, at, address, *module) : -EACCES;
}

/* "name [module]" */
static int take_traceable(void *arg, char *line, size_t length)
{
	struct reading *r = arg;
	const char *module = split(line);
	size_t at = nameindex_find(&r->index, line, module);

	if (at < r->index.count)
		r->traceable[at] = true;
	return 0;
}

/* By name, and there the kernel's own before modules'. */
static int compare(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	if (x->module != y->module)
		return x->module ? 1 : -1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* A name that the kernel itself has is the kernel's: a module's of that name is another function. */
static void drop_namesakes(struct site_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct site *site = &list->items[i], *before = site - 1;

		if (kept)
			before = &list->items[kept - 1];
		if (kept && before->name == site->name && site->module && !before->module)
			continue;
		list->items[kept++] = *site;
	}
	list->count = kept;
}

static int read_symbols(const char *const *names, size_t count, struct site_list *list)
{
	struct reading r = {};
	int error = nameindex_init(&r.index, names, count);

	if (!error)
		error = linefile_each(KALLSYMS, take_symbol, &r);
	nameindex_clear(&r.index);
	if (error) {
		site_list_clear(&r.list);
	} else if (r.list.count) {
		qsort(r.list.items, r.list.count, sizeof(*r.list.items), compare);
		drop_namesakes(&r.list);
	}
	*list = r.list;
	return error;
}

static int read_traceable(const char *const *names, size_t count, bool *traceable)
{
	struct reading r = { .traceable = traceable };
	char path[TRACEFS_PATH_BYTES];
	int error = tracefs_find("available_filter_functions", path, sizeof(path));

	if (!error)
		error = nameindex_init(&r.index, names, count);
	if (!error)
		error = linefile_each(path, take_traceable, &r);
	nameindex_clear(&r.index);
	return error;
}

/* ---- what is kept ---- */

struct sites *sites_new(const struct function_list *functions)
{
	struct sites *s = calloc(1, sizeof(*s));

	if (s)
		s->functions = functions;
	return s;
}

static void forget(struct sites *s)
{
	free(s->names);
	free(s->text);
	free(s->first);
	free(s->traceable);
	site_list_clear(&s->list);
	*s = (struct sites){ .functions = s->functions };
}

void sites_free(struct sites *s)
{
	if (!s)
		return;
	forget(s);
	free(s);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of modules' functions with the module in front, into text; without text only their length. */
static size_t module_names(const struct module_set *modules, const char **names, size_t *count,
			   char *text)
{
	size_t used = 0;

	for (size_t i = 0; i < modules->count; i++) {
		const struct module *m = &modules->items[i];

		for (size_t j = 0; j < m->list.count; j++) {
			if (text)
				names[(*count)++] = text + used;
			used += 1 + snprintf(text ? text + used : NULL, text ? SIZE_MAX / 4 : 0,
					     "%s:%s", m->name, m->list.items[j].name);
		}
	}
	return used;
}

/* Prototypes that differ have an entry each in BTF under the same name. */
static size_t drop_doubles(const char **names, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!kept || strcmp(names[kept - 1], names[i]))
			names[kept++] = names[i];
	return kept;
}

static int collect_names(struct sites *s, const struct module_set *modules)
{
	size_t most = s->functions->count + 1;

	for (size_t i = 0; i < modules->count; i++)
		most += modules->items[i].list.count;
	s->names = malloc(most * sizeof(*s->names));
	s->text = malloc(module_names(modules, NULL, NULL, NULL) + 1);
	if (!s->names || !s->text)
		return -ENOMEM;
	for (size_t i = 0; i < s->functions->count; i++)
		s->names[s->count++] = s->functions->items[i].name;
	module_names(modules, s->names, &s->count, s->text);
	qsort(s->names, s->count, sizeof(*s->names), compare_names);
	s->count = drop_doubles(s->names, s->count);
	return 0;
}

static int index_list(struct sites *s)
{
	size_t at = 0;

	s->first = malloc((s->count + 1) * sizeof(*s->first));
	if (!s->first)
		return -ENOMEM;
	for (size_t i = 0; i <= s->count; i++) {
		while (at < s->list.count && s->list.items[at].name < i)
			at++;
		s->first[i] = at;
	}
	return 0;
}

int sites_update(struct sites *s, const struct module_set *modules)
{
	int r;

	if (s->names && !s->error && s->modules == modules->stamp)
		return 0;
	forget(s);
	r = collect_names(s, modules);
	if (r) {
		forget(s);
		return r;
	}
	s->modules = modules->stamp;
	s->error = read_symbols(s->names, s->count, &s->list);
	if (!s->error)
		s->error = index_list(s);
	return s->error;
}

/* ---- questions ---- */

/* The index in names, or count: it is no function that takes a packet. */
static size_t find(const struct sites *s, const char *name)
{
	const char **at = NULL;

	if (s->count)
		at = bsearch(&name, s->names, s->count, sizeof(*s->names), compare_names);
	return at ? (size_t)(at - s->names) : s->count;
}

bool sites_are_several(const struct sites *s, const char *name)
{
	size_t at = find(s, name);

	return !s->error && at < s->count && s->first[at + 1] - s->first[at] > 1;
}

void site_list_clear(struct site_list *list)
{
	if (!list)
		return;
	free(list->items);
	memset(list, 0, sizeof(*list));
}

/* The names that are not kept: their indices in which, themselves in others. Returns how many. */
static size_t pick_others(const struct sites *s, const char *const *names, size_t count, size_t *which,
			  const char **others)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (find(s, names[i]) < s->count)
			continue;
		which[n] = i;
		others[n++] = names[i];
	}
	return n;
}

static int add_kept(const struct sites *s, const char *const *names, size_t count,
		    struct site_list *list)
{
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		size_t at = find(s, names[i]);

		if (at == s->count)
			continue;
		for (size_t j = s->first[at]; !r && j < s->first[at + 1]; j++)
			r = append(list, i, s->list.items[j].address, s->list.items[j].module);
	}
	return r;
}

static int add_others(const char *const *others, const size_t *which, size_t count,
		      struct site_list *list)
{
	struct site_list found;
	int r = read_symbols(others, count, &found);

	for (size_t i = 0; !r && i < found.count; i++)
		r = append(list, which[found.items[i].name], found.items[i].address,
			   found.items[i].module);
	site_list_clear(&found);
	return r;
}

int sites_find(const struct sites *s, const char *const *names, size_t count, struct site_list *list)
{
	size_t *which = calloc(count + 1, sizeof(*which)), others;
	const char **texts = calloc(count + 1, sizeof(*texts));
	int r = which && texts ? s->error : -ENOMEM;

	memset(list, 0, sizeof(*list));
	if (!r)
		r = add_kept(s, names, count, list);
	others = r ? 0 : pick_others(s, names, count, which, texts);
	if (others)
		r = add_others(texts, which, others, list);
	free(which);
	free(texts);
	if (r)
		site_list_clear(list);
	else if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	return r;
}

static int keep_traceable(struct sites *s)
{
	bool *traceable;
	int r;

	if (s->traceable)
		return 0;
	traceable = calloc(s->count + 1, sizeof(*traceable));
	r = traceable ? read_traceable(s->names, s->count, traceable) : -ENOMEM;
	if (r)
		free(traceable);
	else
		s->traceable = traceable;
	return r;
}

int sites_traceable(struct sites *s, const char *const *names, size_t count, bool *traceable)
{
	size_t *which = calloc(count + 1, sizeof(*which)), others;
	const char **texts = calloc(count + 1, sizeof(*texts));
	bool *found = calloc(count + 1, sizeof(*found));
	int r = which && texts && found ? keep_traceable(s) : -ENOMEM;

	others = r ? 0 : pick_others(s, names, count, which, texts);
	for (size_t i = 0; !r && i < count; i++) {
		size_t at = find(s, names[i]);

		traceable[i] = at < s->count && s->traceable[at];
	}
	if (others)
		r = read_traceable(texts, others, found);
	for (size_t i = 0; !r && i < others; i++)
		traceable[which[i]] = found[i];
	free(which);
	free(texts);
	free(found);
	return r;
}
