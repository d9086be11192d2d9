/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/symbols.h"

/* Further from its symbol than this, an address is no function of the kernel (a freed module's). */
#define MAX_OFFSET (1U << 20)

struct symbol {
	uint64_t addr;
	uint32_t name; /* offset in names */
};

struct symbols {
	struct symbol *items; /* owned, sorted by address */
	size_t count, size;
	char *names; /* owned */
	size_t names_len, names_size;
};

static void *grow(void *items, size_t *size, size_t need, size_t each)
{
	size_t more = *size ? *size : 65536;
	void *moved;

	if (need <= *size)
		return items;
	while (more < need)
		more *= 2;
	moved = realloc(items, more * each);
	if (moved)
		*size = more;
	return moved;
}

static int add(struct symbols *s, uint64_t addr, const char *name)
{
	size_t len = strlen(name) + 1;
	struct symbol *items = grow(s->items, &s->size, s->count + 1, sizeof(*items));
	char *names;

	if (!items)
		return -ENOMEM;
	s->items = items;
	names = grow(s->names, &s->names_size, s->names_len + len, 1);
	if (!names)
		return -ENOMEM;
	s->names = names;
	memcpy(names + s->names_len, name, len);
	items[s->count++] = (struct symbol){ addr, s->names_len };
	s->names_len += len;
	return 0;
}

/* "ffffffff81000000 T _text [module]" */
static int add_line(struct symbols *s, const char *line)
{
	char *rest;
	uint64_t addr = strtoull(line, &rest, 16);
	char name[256];

	if (*rest != ' ' || !strchr("tTwW", rest[1]) || sscanf(rest + 3, "%255s", name) != 1)
		return 0;
	return addr ? add(s, addr, name) : -EACCES;
}

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static int read_all(struct symbols *s)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512];
	int r = f ? 0 : -errno;
	bool hidden = false;

	while (!r && fgets(line, sizeof(line), f)) {
		r = add_line(s, line);
		if (r == -EACCES) {
			/* per-CPU symbols are at address 0 even for those who may see addresses */
			hidden = true;
			r = 0;
		}
	}
	if (f)
		fclose(f);
	return r ? r : s->count ? 0 : hidden ? -EACCES : -ENODATA;
}

struct symbols *symbols_new(void)
{
	struct symbols *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return NULL;
	r = read_all(s);
	if (r) {
		symbols_free(s);
		errno = -r;
		return NULL;
	}
	qsort(s->items, s->count, sizeof(*s->items), compare);
	s->items = realloc(s->items, s->count * sizeof(*s->items)) ?: s->items;
	s->names = realloc(s->names, s->names_len) ?: s->names;
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	free(s->items);
	free(s->names);
	free(s);
}

const char *symbols_name(const struct symbols *s, uint64_t addr, char *text, size_t size)
{
	size_t low = 0, high = s ? s->count : 0;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->items[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && addr - s->items[low - 1].addr < MAX_OFFSET)
		snprintf(text, size, "%s+0x%" PRIx64, s->names + s->items[low - 1].name,
			 addr - s->items[low - 1].addr);
	else
		snprintf(text, size, "0x%" PRIx64, addr);
	return text;
}
