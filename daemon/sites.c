/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sites.h"
#include "daemon/tracefs.h"

#define LINE_BYTES 512

/* The index of the first name that is text, or count. */
static size_t find(const char *const *names, size_t count, const char *text)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(names[middle], text);

		if (!order)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return count;
}

/* Names are asked for as "name" or as "module:name". */
static size_t find_exact(const char *const *names, size_t count, const char *module,
			 const char *name)
{
	char both[2 * LINE_BYTES];
	size_t at = find(names, count, name);

	if (at < count || !*module)
		return at;
	snprintf(both, sizeof(both), "%s:%s", module, name);
	return find(names, count, both);
}

/*
 * The compiler makes copies of functions with suffixes, which type information knows under the plain
 * name: name.isra.0 and name.constprop.0 are whole functions; name.part.0 and name.cold are not.
 */
static size_t find_in(const char *const *names, size_t count, const char *module, char *name)
{
	size_t at = find_exact(names, count, module, name);
	char *dot = strchr(name, '.');

	if (at < count || !dot || strstr(dot, ".part.") || strstr(dot, ".cold") ||
	    (strncmp(dot, ".isra.", 6) && strncmp(dot, ".constprop.", 11)))
		return at;
	*dot = 0;
	at = find_exact(names, count, module, name);
	*dot = '.';
	return at;
}

static int append(struct site_list *list, size_t name, uint64_t address, const char *module)
{
	if (list->count % 256 == 0) {
		struct site *more = realloc(list->items, (list->count + 256) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->items = more;
	}
	list->items[list->count] = (struct site){ .name = name, .address = address };
	snprintf(list->items[list->count++].module, sizeof(list->items->module), "%s", module);
	return 0;
}

/* Splits "name\t[module]\n" in place; module is "" when there is none. */
static const char *split(char *name)
{
	char *module = strchr(name, '[');
	char *end;

	name[strcspn(name, " \t\n")] = 0;
	if (!module)
		return "";
	end = strchr(++module, ']');
	if (end)
		*end = 0;
	return module;
}

static int compare(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* "ffffffff81000000 t name\t[module]" */
static int take_symbol(struct site_list *list, const char *const *names, size_t count, char *line)
{
	char *rest;
	uint64_t address = strtoull(line, &rest, 16);
	const char *module;
	size_t at;

	if (*rest != ' ' || !strchr("tTwW", rest[1]) || rest[2] != ' ')
		return 0;
	module = split(rest + 3);
	at = find_in(names, count, module, rest + 3);
	if (at == count)
		return 0;
	return address ? append(list, at, address, module) : -EACCES;
}

int sites_find(const char *const *names, size_t count, struct site_list *list)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[LINE_BYTES];
	int r = 0;

	memset(list, 0, sizeof(*list));
	if (!f)
		return -errno;
	while (!r && fgets(line, sizeof(line), f))
		r = take_symbol(list, names, count, line);
	fclose(f);
	if (r)
		site_list_clear(list);
	else if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	return r;
}

void site_list_clear(struct site_list *list)
{
	if (!list)
		return;
	free(list->items);
	memset(list, 0, sizeof(*list));
}

int sites_traceable(const char *const *names, size_t count, bool *traceable)
{
	char path[TRACEFS_PATH_BYTES], line[LINE_BYTES];
	FILE *f = NULL;

	memset(traceable, 0, count * sizeof(*traceable));
	if (!tracefs_find("available_filter_functions", path, sizeof(path)))
		f = fopen(path, "re");
	if (!f)
		return -ENOENT;
	while (fgets(line, sizeof(line), f)) {
		const char *module = split(line);
		size_t at = find_in(names, count, module, line);

		if (at < count)
			traceable[at] = true;
	}
	fclose(f);
	return 0;
}

/* Prototypes that differ have an entry each in BTF under the same name. */
static size_t unique_names(const struct function_list *functions, const char **names)
{
	size_t count = 0;

	for (size_t i = 0; i < functions->count; i++)
		if (!count || strcmp(names[count - 1], functions->items[i].name))
			names[count++] = functions->items[i].name;
	return count;
}

static bool has_several(const struct site_list *sites, size_t site)
{
	size_t name = sites->items[site].name;

	return (site && sites->items[site - 1].name == name) ||
	       (site + 1 < sites->count && sites->items[site + 1].name == name);
}

int sites_mark_copies(struct function_list *functions)
{
	const char **names = calloc(functions->count + 1, sizeof(*names));
	struct site_list sites = {};
	size_t count, f = 0;
	int r;

	if (!names)
		return -ENOMEM;
	count = unique_names(functions, names);
	r = sites_find(names, count, &sites);
	for (size_t s = 0; !r && s < sites.count; s++) {
		const char *name = names[sites.items[s].name];

		while (strcmp(functions->items[f].name, name))
			f++;
		for (size_t i = f; i < functions->count && !strcmp(functions->items[i].name, name); i++)
			functions->items[i].copies |= has_several(&sites, s);
	}
	site_list_clear(&sites);
	free(names);
	return r == -ENOMEM ? r : 0;
}
