/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/symbolcache.h"

struct symbolcache {
	struct worker *worker;
	struct symbols *symbols; /* owned */
	unsigned users;
};

/* One user's wait for the symbols. */
struct request {
	struct symbolcache *cache;
	struct symbols *symbols; /* on their way from the worker; owned */
	int error;               /* errno, if there are none */
	void (*ready)(void *arg);
	void *arg;
};

struct symbolcache *symbolcache_new(struct worker *w)
{
	struct symbolcache *c = calloc(1, sizeof(*c));

	if (c)
		c->worker = w;
	return c;
}

void symbolcache_free(struct symbolcache *c)
{
	if (!c)
		return;
	symbols_free(c->symbols);
	free(c);
}

const struct symbols *symbolcache_get(const struct symbolcache *c)
{
	return c->symbols;
}

static void read_symbols(void *arg)
{
	struct request *r = arg;

	r->symbols = symbols_new();
	r->error = r->symbols ? 0 : errno;
}

static void symbols_read(void *arg)
{
	struct request *r = arg;

	if (r->error)
		log_warning("functions are shown as addresses: /proc/kallsyms: %s; CAP_SYSLOG and "
			    "kernel.kptr_restrict below 2 are needed",
			    strerror(r->error));
	if (r->cache->users && !r->cache->symbols)
		r->cache->symbols = r->symbols;
	else
		symbols_free(r->symbols); /* another user's came first, or all have gone */
	r->ready(r->arg);
	free(r);
}

bool symbolcache_use(struct symbolcache *c, void (*ready)(void *arg), void *arg)
{
	struct request *r;

	c->users++;
	if (c->symbols)
		return true;
	r = malloc(sizeof(*r));
	if (!r)
		return true;
	*r = (struct request){ .cache = c, .ready = ready, .arg = arg };
	if (!worker_submit(c->worker, read_symbols, symbols_read, r))
		return false;
	free(r);
	return true;
}

static void free_symbols(void *arg)
{
	symbols_free(arg);
	malloc_trim(0);
}

static void nothing(void *arg)
{
}

void symbolcache_drop(struct symbolcache *c)
{
	struct symbols *symbols = c->symbols;

	if (--c->users || !symbols)
		return;
	c->symbols = NULL;
	/* giving memory back takes tens of milliseconds: the worker's */
	if (worker_submit(c->worker, free_symbols, nothing, symbols))
		free_symbols(symbols);
}
