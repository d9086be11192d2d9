/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/nameindex.h"

/* A symbol, as it is compared with names. */
struct symbol {
	const char *text;
	const char *module;
	size_t stem; /* characters before the first dot */
	bool whole;  /* if what follows is a copy of the whole function */
};

/* FNV-1a of what stands before a dot, and its length. */
static size_t hash_stem(const char *name, size_t *length)
{
	uint32_t hash = 2166136261;
	size_t n = 0;

	for (; name[n] && name[n] != '.'; n++)
		hash = (hash ^ (unsigned char)name[n]) * 16777619;
	*length = n;
	return hash ^ hash >> 16;
}

static const char *without_module(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

int nameindex_init(struct nameindex *x, const char *const *names, size_t count)
{
	size_t size = 16, length;

	while (size < 4 * count)
		size *= 2;
	*x = (struct nameindex){ .names = names, .count = count, .mask = size - 1 };
	x->slots = calloc(size, sizeof(*x->slots));
	if (!x->slots)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		size_t at = hash_stem(without_module(names[i]), &length) & x->mask;

		while (x->slots[at])
			at = (at + 1) & x->mask;
		x->slots[at] = i + 1;
	}
	return 0;
}

void nameindex_clear(struct nameindex *x)
{
	free(x->slots);
	memset(x, 0, sizeof(*x));
}

/* name.isra.0 and name.constprop.0 are whole functions; name.part.0 and name.cold are not. */
static bool is_whole(const char *suffix)
{
	return (!strncmp(suffix, ".isra.", 6) || !strncmp(suffix, ".constprop.", 11)) &&
	       !strstr(suffix, ".part.") && !strstr(suffix, ".cold");
}

/* How well a name fits: 0, not at all. The full symbol beats its stem, and the named module any. */
static int rank(const char *name, const struct symbol *s)
{
	const char *function = without_module(name);
	size_t module = function - name;

	if (module && (strncmp(name, s->module, module - 1) || s->module[module - 1]))
		return 0;
	if (!strcmp(function, s->text))
		return module ? 4 : 3;
	if (!s->whole || strncmp(function, s->text, s->stem) || function[s->stem])
		return 0;
	return module ? 2 : 1;
}

size_t nameindex_find(const struct nameindex *x, const char *symbol, const char *module)
{
	struct symbol s = { .text = symbol, .module = module };
	size_t at = hash_stem(symbol, &s.stem) & x->mask, found = x->count;
	int best = 0;

	if (!x->slots[at])
		return found;
	s.whole = symbol[s.stem] && is_whole(symbol + s.stem);
	for (; x->slots[at]; at = (at + 1) & x->mask) {
		int r = rank(x->names[x->slots[at] - 1], &s);

		if (r <= best)
			continue;
		best = r;
		found = x->slots[at] - 1;
	}
	return found;
}
