/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the kernel's functions are in memory, and which of them can be traced. */
#ifndef SITES_H
#define SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/function.h"

/* One place of a function; a name may have several. */
struct site {
	size_t name;      /* index in the names that were asked for */
	uint64_t address;
	char module[56];  /* "" for the kernel itself */
};

struct site_list {
	struct site *items; /* owned; in the order of the names */
	size_t count;
};

/*
 * Looks names up in /proc/kallsyms; they must be sorted by strcmp() and unique. A "module:name" is looked
 * up in that module only. Takes some 100 ms. 0; -EACCES: the kernel hides addresses; or other negative errno.
 */
int sites_find(const char *const *names, size_t count, struct site_list *list);
void site_list_clear(struct site_list *list);
/*
 * Sets traceable[i] for each name (sorted, unique) that tracefs lists in available_filter_functions.
 * 0, or -ENOENT: tracefs is not readable.
 */
int sites_traceable(const char *const *names, size_t count, bool *traceable);

/*
 * Sets "copies" of the functions that are in several places: fentry attaches to one of them only. Where
 * addresses cannot be read none is set. 0 or -ENOMEM.
 */
int sites_mark_copies(struct function_list *functions);

#endif
