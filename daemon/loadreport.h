/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel side of a session says of itself, as members of the interface file's types. */
#ifndef LOADREPORT_H
#define LOADREPORT_H

#include <stdbool.h>
#include <json-c/json.h>

#include "daemon/sessionload.h"

/*
 * Adds how long it took, in microseconds: loadUs from the call to the first attachment, attachUs from
 * there until all trace points were attached.
 */
void loadreport_add_times(const struct sessionload *l, struct json_object *o);
/*
 * Adds points, counters, silent and tracking of type Session. told: the caller knows all trace points, and of many gets
 * those with hits only. Not while the worker is at it; then there is loadreport_add_nothing().
 */
void loadreport_add(struct sessionload *l, bool told, struct json_object *o);
void loadreport_add_nothing(struct json_object *o);
/* The parameters of its error. NULL: out of memory. */
struct json_object *loadreport_error(const struct sessionload *l);

#endif
