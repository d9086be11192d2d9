/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading members by table: the second half of jsonstrict.h. */
#include "jsonstrict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "quote.h"

struct reader {
	const char **field;
	char *why;
	size_t size;
};

static int __attribute__((format(printf, 3, 4)))
refuse(const struct reader *r, const char *name, const char *format, ...)
{
	va_list args;

	*r->field = name;
	va_start(args, format);
	vsnprintf(r->why, r->size, format, args);
	va_end(args);
	return -EINVAL;
}

static const char *type_name(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return "a boolean";
	case json_type_double:
		return "a number with a fraction";
	case json_type_int:
		return "an integer";
	case json_type_object:
		return "an object";
	case json_type_array:
		return "an array";
	case json_type_string:
		return "a string";
	default:
		return "null";
	}
}

static int check_type(const struct reader *r, const struct jsonstrict_field *f,
		      struct json_object *value)
{
	static const struct {
		json_type type;
		const char *wanted;
	} types[] = {
		[JSONSTRICT_STRING] = {json_type_string, "a string"},
		[JSONSTRICT_INTEGER] = {json_type_int, "an integer"},
		[JSONSTRICT_BOOLEAN] = {json_type_boolean, "true or false"},
		[JSONSTRICT_STRINGS] = {json_type_array, "an array of strings"},
		[JSONSTRICT_OBJECT] = {json_type_object, "an object"},
		[JSONSTRICT_ARRAY] = {json_type_array, "an array"},
	};

	if (json_object_is_type(value, types[f->type].type))
		return 0;
	return refuse(r, f->name, "the member \"%s\" is %s: give %s", f->name, type_name(value),
		      types[f->type].wanted);
}

/* Bytes of a string that has no NUL inside; C strings could not hold the rest. */
static int64_t string_length(struct json_object *value)
{
	return strnlen(json_object_get_string(value), json_object_get_string_len(value));
}

static bool has_nul(struct json_object *value)
{
	return string_length(value) != json_object_get_string_len(value);
}

static int read_string(const struct reader *r, const struct jsonstrict_field *f,
		       struct json_object *value, char **out)
{
	int64_t len = string_length(value);
	char *copy;

	if (has_nul(value))
		return refuse(r, f->name, "the member \"%s\" holds a NUL: leave it out", f->name);
	if (len < f->min || len > f->max)
		return refuse(r, f->name,
			      "the member \"%s\" is %" PRId64 " bytes long: give %" PRId64
			      " to %" PRId64,
			      f->name, len, f->min, f->max);
	copy = strdup(json_object_get_string(value));
	if (!copy)
		return -ENOMEM;
	free(*out);
	*out = copy;
	return 0;
}

static int read_integer(const struct reader *r, const struct jsonstrict_field *f,
			struct json_object *value, int64_t *out)
{
	int64_t number = json_object_get_int64(value);

	/* What json-c keeps as uint64 it clamps; the parser above lets none through. */
	if (number < f->min || number > f->max ||
	    (number == INT64_MAX && json_object_get_uint64(value) != INT64_MAX))
		return refuse(r, f->name,
			      "the member \"%s\" is %s: give a number from %" PRId64 " to %" PRId64,
			      f->name, json_object_get_string(value), f->min, f->max);
	*out = number;
	return 0;
}

static int read_entry(const struct reader *r, const struct jsonstrict_field *f,
		      struct json_object *value, size_t number, char **out)
{
	int64_t len;

	if (!json_object_is_type(value, json_type_string))
		return refuse(r, f->name, "entry %zu of the member \"%s\" is %s: give a string",
			      number, f->name, type_name(value));
	len = string_length(value);
	if (has_nul(value))
		return refuse(r, f->name,
			      "entry %zu of the member \"%s\" holds a NUL: leave it out", number,
			      f->name);
	if (len < 1 || len > LIMIT_POINT_BYTES)
		return refuse(r, f->name,
			      "entry %zu of the member \"%s\" is %" PRId64
			      " bytes long: give 1 to %d",
			      number, f->name, len, LIMIT_POINT_BYTES);
	*out = strdup(json_object_get_string(value));
	return *out ? 0 : -ENOMEM;
}

static int read_strings(const struct reader *r, const struct jsonstrict_field *f,
			struct json_object *value, struct jsonstrict_strings *out)
{
	int64_t count = json_object_array_length(value);
	int err = 0;

	if (count < f->min || count > f->max)
		return refuse(r, f->name,
			      "the member \"%s\" has %" PRId64 " entries: give %" PRId64
			      " to %" PRId64,
			      f->name, count, f->min, f->max);
	jsonstrict_strings_clear(out);
	if (!count)
		return 0;
	out->items = calloc(count, sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	for (int64_t i = 0; !err && i < count; i++) {
		err = read_entry(r, f, json_object_array_get_idx(value, i), i + 1, &out->items[i]);
		if (!err)
			out->count++;
	}
	return err;
}

static int read_field(const struct reader *r, const struct jsonstrict_field *f,
		      struct json_object *value, void *out)
{
	void *place = (char *)out + f->offset;

	if (check_type(r, f, value))
		return -EINVAL;
	switch (f->type) {
	case JSONSTRICT_STRING:
		return read_string(r, f, value, place);
	case JSONSTRICT_INTEGER:
		return read_integer(r, f, value, place);
	case JSONSTRICT_BOOLEAN:
		*(bool *)place = json_object_get_boolean(value);
		return 0;
	case JSONSTRICT_STRINGS:
		return read_strings(r, f, value, place);
	case JSONSTRICT_OBJECT:
	case JSONSTRICT_ARRAY:
		*(struct json_object **)place = value;
		return 0;
	}
	return -EINVAL;
}

static int refuse_unknown(const struct reader *r, const struct jsonstrict_field *fields,
			  const char *name)
{
	struct quote q;
	size_t used;

	refuse(r, name, "the member %s is not known: leave it out; known are",
	       quote_text(&q, name, strlen(name)));
	for (const struct jsonstrict_field *f = fields; f->name; f++) {
		used = strlen(r->why);
		snprintf(r->why + used, r->size - used, "%s %s", f == fields ? "" : ",", f->name);
	}
	if (!fields->name)
		refuse(r, name,
		       "the member %s is not known: there are no members here, leave it out",
		       quote_text(&q, name, strlen(name)));
	return -EINVAL;
}

static int check_known(const struct reader *r, struct json_object *object,
		       const struct jsonstrict_field *fields)
{
	struct json_object_iterator i = json_object_iter_begin(object);
	struct json_object_iterator end = json_object_iter_end(object);

	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
		const char *name = json_object_iter_peek_name(&i);
		const struct jsonstrict_field *f = fields;

		while (f->name && strcmp(f->name, name))
			f++;
		if (!f->name)
			return refuse_unknown(r, fields, name);
	}
	return 0;
}

int jsonstrict_read(struct json_object *object, const struct jsonstrict_field *fields, void *out,
		    const char **field, char *why, size_t size)
{
	const struct reader r = {.field = field, .why = why, .size = size};
	int err = 0;

	if (object && !json_object_is_type(object, json_type_object))
		return refuse(&r, "parameters", "the parameters are %s: give an object",
			      type_name(object));
	if (object && check_known(&r, object, fields))
		return -EINVAL;
	for (const struct jsonstrict_field *f = fields; !err && f->name; f++) {
		struct json_object *value = NULL;

		json_object_object_get_ex(object, f->name, &value);
		if (value)
			err = read_field(&r, f, value, out);
		else if (f->required)
			err = refuse(&r, f->name, "the member \"%s\" is missing: add it", f->name);
	}
	return err;
}

void jsonstrict_strings_clear(struct jsonstrict_strings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->items[i]);
	free(s->items);
	*s = (struct jsonstrict_strings){0};
}
