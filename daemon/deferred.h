/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls whose answer takes longer than the event loop may: the worker makes it. */
#ifndef DEFERRED_H
#define DEFERRED_H

#include <stdbool.h>
#include <stddef.h>
#include <json-c/json.h>

#include "daemon/conn.h"
#include "daemon/kernel.h"
#include "daemon/worker.h"

#define DEFERRED_MAX 64u /* calls that wait for their answers, those of closed connections included */

/* What the worker is given, and what it gives back. */
struct deferred_work {
	const struct kernel *kernel; /* all zero if kernel_open() failed */
	char *text;                  /* an argument of the call, or NULL; owned */
	bool xdp;                    /* of Points: packets of XDP are meant */
	void *data;                  /* of the call's own, or NULL; owned, freed with free() */
	bool more;                   /* the caller takes several replies */
	struct json_object *replies; /* array of parameters, one for each reply; owned */
	char why[512];               /* a sentence, if there are no replies */
};

/*
 * Calls run on the worker's thread, then sends replies, or the error Failed with why. work's
 * contents are moved. The call is answered whatever happens: with LimitReached if DEFERRED_MAX calls
 * wait. run is not called if the connection is gone by then.
 */
void deferred_start(struct conn *c, struct worker *worker, struct deferred_work *work,
		    void (*run)(struct deferred_work *work));

#endif
