/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said about a session, on standard error: at its start and at its end. */
#ifndef SUMMARY_H
#define SUMMARY_H

#include <stdint.h>
#include <stdio.h>
#include <json-c/json.h>
#include "options.h"
#include "sink.h"

/* The trace points of a Session object: where it captures, and where it cannot and why. */
void summary_attached(FILE *out, struct json_object *session);
/*
 * The final counts of a Session object, each trace point's when there are several, what was lost
 * and what to do about it. received: packets that came through the data stream.
 */
void summary_ended(FILE *out, struct json_object *session, const char *reason,
		   const struct options *o, const struct sink *sink, uint64_t received);

#endif
