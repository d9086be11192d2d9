/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/jsonmake.h"

bool jsonmake_add(struct json_object *object, const char *name, struct json_object *value)
{
	if (object && value && !json_object_object_add(object, name, value))
		return true;
	json_object_put(value);
	return false;
}

bool jsonmake_append(struct json_object *array, struct json_object *value)
{
	if (array && value && !json_object_array_add(array, value))
		return true;
	json_object_put(value);
	return false;
}

bool jsonmake_text(struct json_object *object, const char *name, const char *text)
{
	return !text || jsonmake_add(object, name, json_object_new_string(text));
}

bool jsonmake_name(struct json_object *object, const char *name, const char *text)
{
	char *escaped = malloc(4 * strlen(text) + 1), *end = escaped;
	bool ok;

	if (!escaped)
		return false;
	for (; *text; text++) {
		unsigned char c = *text;

		if (c < ' ' || c > '~' || c == '\\')
			end += sprintf(end, "\\x%02x", c);
		else
			*end++ = c;
	}
	*end = 0;
	ok = jsonmake_text(object, name, escaped);
	free(escaped);
	return ok;
}

bool jsonmake_number(struct json_object *object, const char *name, int64_t number)
{
	return jsonmake_add(object, name, json_object_new_int64(number));
}

struct json_object *jsonmake_whole(struct json_object *object, bool ok)
{
	if (ok)
		return object;
	json_object_put(object);
	return NULL;
}
