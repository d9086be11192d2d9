/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of many wanted functions is a symbol of the kernel's? Asked a hundred thousand times in a row. */
#ifndef NAMEINDEX_H
#define NAMEINDEX_H

#include <stddef.h>
#include <stdint.h>

struct nameindex {
	const char *const *names; /* not owned */
	size_t count;
	uint32_t *slots;          /* owned; a hash table of indices + 1, 0: free */
	size_t mask;
};

/*
 * Names are "name" or, for the function of one module only, "module:name"; they stay the caller's and
 * must outlive the index. 0 or -ENOMEM.
 */
int nameindex_init(struct nameindex *x, const char *const *names, size_t count);
void nameindex_clear(struct nameindex *x);
/*
 * The index of the wanted name that a symbol of a module ("": the kernel itself) stands for, or count. The
 * copies name.isra.0 and name.constprop.0 that compilers make stand for name.
 */
size_t nameindex_find(const struct nameindex *x, const char *symbol, const char *module);

#endif
