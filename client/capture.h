/* SPDX-License-Identifier: BSD-2-Clause */
/* One capture session, from Start to its final counts. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "connection.h"
#include "options.h"
#include "sink.h"
#include "userspace.h"

/*
 * Asks for the session that o describes, gives its packets to the sink until it ends (by itself, by
 * Ctrl-C, because the sink takes no more, or because the process that u is about has ended), and prints the summary. An exit code.
 */
int capture_run(struct connection *c, const struct options *o, struct userspace *u, struct sink *sink);

#endif
