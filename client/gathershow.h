/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows how long the packets of a session took, while it runs and at its end. */
#ifndef GATHERSHOW_H
#define GATHERSHOW_H

#include <stdbool.h>
#include <stdio.h>
#include <json-c/json.h>
#include "options.h"

struct gathershow {
	const struct options *options; /* not owned */
	FILE *out;      /* standard error; where that is all there is to show, standard output */
	bool utf8;      /* what it can show */
	bool in_place;  /* a terminal that nothing else is printed on */
	unsigned lines; /* that stand there, and are drawn anew */
};

void gathershow_init(struct gathershow *g, const struct options *o);
/*
 * Each takes a Session object, which may have no gathering: a table, or with --histogram and --json the object as one
 * line. 0 or, of standard output, what output_flush() says.
 */
int gathershow_running(struct gathershow *g, struct json_object *session);
int gathershow_ended(struct gathershow *g, struct json_object *session);

#endif
