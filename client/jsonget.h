/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of a reply, with their types checked: json-c would convert silently. */
#ifndef JSONGET_H
#define JSONGET_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

/* Each takes a NULL object. NULL, 0 and false stand for "not there, or of another type" too. */
const char *jsonget_string(struct json_object *object, const char *name);
struct json_object *jsonget_array(struct json_object *object, const char *name);
struct json_object *jsonget_object(struct json_object *object, const char *name);
int64_t jsonget_integer(struct json_object *object, const char *name);
bool jsonget_boolean(struct json_object *object, const char *name);

#endif
