/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be traced here, for the method Points. */
#ifndef POINTS_H
#define POINTS_H

#include "daemon/deferred.h"

/* For deferred_start(). text is the pattern, or NULL: everything. */
void points_run(struct deferred_work *work);
/*
 * Does the shell pattern mean this tracepoint? It is compared with "name", "group:name" and
 * "tracepoint:group:name".
 */
bool points_match(const char *pattern, const char *group, const char *name);

#endif
