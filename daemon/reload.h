/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the configuration anew: on the worker, after which it takes the place of the old one in
 * the event loop. What is wrong leaves the old one in force.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "daemon/config.h"
#include "daemon/conn.h"
#include "daemon/worker.h"

struct reload;

/*
 * config is what a new one replaces, in its place: pointers to it stay valid, those into its lists
 * do not, and changed(arg) is called right after. It and source must outlive the object; worker must end before.
 * NULL: out of memory.
 */
struct reload *reload_new(struct worker *worker, const struct config_source *source,
			  struct config *config, void (*changed)(void *arg), void *arg);
/* Reads it for SIGHUP. What comes while that is going on is done once, after it. */
void reload_now(struct reload *r);
/* The same for the call that runs, which is answered later. */
void reload_call(struct reload *r, struct conn *c);
/* Takes NULL. */
void reload_free(struct reload *r);

#endif
