/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the kernel's functions are in memory, and which of them can be traced. The kernel takes its time
 * to print both lists, so what they say of functions that take a packet is kept: the kernel's own do not
 * move, and when modules came, went or were loaded anew the lists are read again.
 */
#ifndef SITES_H
#define SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/function.h"
#include "daemon/modules.h"

/* One place of a function; a name may have several. */
struct site {
	size_t name; /* index in the names that were asked for */
	uint64_t address;
	bool module; /* in one, not in the kernel itself */
};

struct site_list {
	struct site *items; /* owned; in the order of the names */
	size_t count;
};

struct sites;

/*
 * Reads nothing yet. functions are the kernel's own and must outlive it. All that follows blocks, and is the
 * worker's. NULL: out of memory.
 */
struct sites *sites_new(const struct function_list *functions);
void sites_free(struct sites *s);
/*
 * Reads /proc/kallsyms, the first time and when the stamp of the modules is another one. It is older than
 * all that is kept: a module that comes meanwhile leads to one more reading, never to a list without it.
 * 0; -EACCES: the kernel hides addresses; or other negative errno.
 */
int sites_update(struct sites *s, const struct module_set *modules);
/*
 * Looks names up, which must be sorted by strcmp() and unique. A "module:name" is looked up in that module
 * only, and a plain name in modules only if the kernel itself has no such function. For names that are not
 * of functions that take a packet, /proc/kallsyms is read once more. Errors as sites_update().
 */
int sites_find(const struct sites *s, const char *const *names, size_t count, struct site_list *list);
void site_list_clear(struct site_list *list);
/*
 * Is a function that takes a packet in several places? fentry attaches to one of them only. Where addresses
 * cannot be read none is.
 */
bool sites_are_several(const struct sites *s, const char *name);
/*
 * Sets traceable[i] for each name (sorted, unique) that tracefs lists in available_filter_functions.
 * 0, or negative errno: tracefs is not readable.
 */
int sites_traceable(struct sites *s, const char *const *names, size_t count, bool *traceable);

#endif
