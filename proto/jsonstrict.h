/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON from strangers. json-c takes duplicate keys, single quotes, NaN, NUL escapes, clamps big
 * numbers and coerces types (0.16, strict mode included); this refuses all of them by name.
 */
#ifndef JSONSTRICT_H
#define JSONSTRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

/*
 * Parses len bytes of RFC 8259 text: UTF-8, at most depth levels, no duplicate keys, no \u0000,
 * integers within int64. Returns the value, the caller's to put, or NULL with a sentence in why.
 */
struct json_object *jsonstrict_parse(const char *text, size_t len, int depth, char *why,
				     size_t size);

/* Where in a text the values stand, for messages about a file. */
struct jsonstrict_places {
	/*
	 * A value is in the member name of parent, or, name NULL, the next entry of the array parent;
	 * at: its first byte, or that of its name. The values live until the parser fails.
	 */
	void (*place)(void *arg, const struct json_object *parent, const char *name, size_t at);
	void *arg;
	size_t end; /* set: where the parser stopped, a byte of the text or its length */
};

/* The same, and tells places. */
struct json_object *jsonstrict_parse_places(const char *text, size_t len, int depth,
					    struct jsonstrict_places *places, char *why,
					    size_t size);

/* How a member of an object is read into a C structure. */
enum jsonstrict_type {
	JSONSTRICT_STRING,  /* char *, strdup'ed, min..max bytes */
	JSONSTRICT_INTEGER, /* int64_t, min..max */
	JSONSTRICT_BOOLEAN, /* bool */
	JSONSTRICT_STRINGS, /* struct jsonstrict_strings, min..max entries,
			       each 1..LIMIT_POINT_BYTES bytes */
	JSONSTRICT_OBJECT,  /* struct json_object *, borrowed */
	JSONSTRICT_ARRAY,   /* the same of an array */
};

struct jsonstrict_strings {
	size_t count;
	char **items; /* owned, as are the strings */
};

struct jsonstrict_field {
	const char *name;
	enum jsonstrict_type type;
	size_t offset; /* in the structure */
	bool required;
	int64_t min, max;
};

/*
 * Reads object (NULL: empty) into the structure at out, by fields (ended by a NULL name). Members
 * that are absent leave the structure as it was; null counts as absent. A string that is there
 * already is freed. 0, -EINVAL (wrong type, out of range, unknown or missing member: *field names
 * it, valid as long as object is, and why says it in a sentence) or -ENOMEM. What was allocated
 * until then stays in the structure for its owner to free.
 */
int jsonstrict_read(struct json_object *object, const struct jsonstrict_field *fields, void *out,
		    const char **field, char *why, size_t size);
void jsonstrict_strings_clear(struct jsonstrict_strings *s);

#endif
