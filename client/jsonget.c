/* SPDX-License-Identifier: BSD-2-Clause */
#include "jsonget.h"

#include <stddef.h>

static struct json_object *member(struct json_object *object, const char *name, json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

const char *jsonget_string(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

struct json_object *jsonget_array(struct json_object *object, const char *name)
{
	return member(object, name, json_type_array);
}

struct json_object *jsonget_object(struct json_object *object, const char *name)
{
	return member(object, name, json_type_object);
}

int64_t jsonget_integer(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name, json_type_int);

	return value ? json_object_get_int64(value) : 0;
}

bool jsonget_boolean(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name, json_type_boolean);

	return value && json_object_get_boolean(value);
}
