/* SPDX-License-Identifier: BSD-2-Clause */
/* Making JSON, where json-c would abort when memory ran out a step before. */
#ifndef JSONMAKE_H
#define JSONMAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

/* Adds value, taken over, to object. False if either is NULL or there is no memory. */
bool jsonmake_add(struct json_object *object, const char *name, struct json_object *value);
/* Appends value, taken over, to array. False as above. */
bool jsonmake_append(struct json_object *array, struct json_object *value);
/* Adds a string, unless it is NULL: an absent member. */
bool jsonmake_text(struct json_object *object, const char *name, const char *text);
/*
 * Adds a name of the kernel, as of a device: it may hold any byte, and JSON only characters. What is not
 * printable ASCII, and the backslash, becomes \xNN.
 */
bool jsonmake_name(struct json_object *object, const char *name, const char *text);
/* Adds a number. */
bool jsonmake_number(struct json_object *object, const char *name, int64_t number);
/* object if ok, and all of it is there; else frees it and returns NULL. */
struct json_object *jsonmake_whole(struct json_object *object, bool ok);

#endif
