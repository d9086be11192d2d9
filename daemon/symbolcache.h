/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's symbols while somebody needs them. Reading them takes some 70 ms and they take 5 MiB, so
 * they are read on the worker thread for the first user, shared by all, and freed after the last.
 */
#ifndef SYMBOLCACHE_H
#define SYMBOLCACHE_H

#include <stdbool.h>

#include "daemon/symbols.h"
#include "daemon/worker.h"

struct symbolcache;

/* w must outlive the cache. NULL: out of memory. */
struct symbolcache *symbolcache_new(struct worker *w);
/* To be called when w has ended. Takes NULL. */
void symbolcache_free(struct symbolcache *c);
/*
 * One more user. True: symbols are there, or never will be. False: ready(arg) is called from the event
 * loop when that is so; arg must stay until then.
 */
bool symbolcache_use(struct symbolcache *c, void (*ready)(void *arg), void *arg);
/* One user less. */
void symbolcache_drop(struct symbolcache *c);
/* NULL: they could not be read, which the log says; addresses stay numbers. */
const struct symbols *symbolcache_get(const struct symbolcache *c);

#endif
