/* SPDX-License-Identifier: BSD-2-Clause */
#include "counters.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	const char *name;
	size_t offset;
} members[] = {
	{"hits", offsetof(struct counters, hits)},
	{"filtered", offsetof(struct counters, filtered)},
	{"captured", offsetof(struct counters, captured)},
	{"lostRing", offsetof(struct counters, lost_ring)},
	{"lostClient", offsetof(struct counters, lost_client)},
	{"limited", offsetof(struct counters, limited)},
	{"inFlight", offsetof(struct counters, in_flight)},
	{"missed", offsetof(struct counters, missed)},
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))

_Static_assert(MEMBERS * sizeof(uint64_t) == sizeof(struct counters), "counters: a member is new");

static uint64_t *member(struct counters *c, size_t i)
{
	return (uint64_t *)((char *)c + members[i].offset);
}

static uint64_t value(const struct counters *c, size_t i)
{
	return *(const uint64_t *)((const char *)c + members[i].offset);
}

void counters_add(struct counters *sum, const struct counters *c)
{
	for (size_t i = 0; i < MEMBERS; i++)
		*member(sum, i) += value(c, i);
}

struct json_object *counters_to_json(const struct counters *c)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; object && i < MEMBERS; i++) {
		/* JSON integers end at int64 here; no count of packets gets there. */
		uint64_t n = value(c, i) < INT64_MAX ? value(c, i) : INT64_MAX;
		struct json_object *number = json_object_new_int64(n);

		if (!number || json_object_object_add(object, members[i].name, number)) {
			json_object_put(number);
			json_object_put(object);
			return NULL;
		}
	}
	return object;
}

int counters_from_json(struct counters *c, struct json_object *object)
{
	struct counters read;

	if (!json_object_is_type(object, json_type_object))
		return -EINVAL;
	for (size_t i = 0; i < MEMBERS; i++) {
		struct json_object *number = NULL;

		json_object_object_get_ex(object, members[i].name, &number);
		if (!json_object_is_type(number, json_type_int) ||
		    json_object_get_int64(number) < 0)
			return -EINVAL;
		*member(&read, i) = json_object_get_int64(number);
	}
	*c = read;
	return 0;
}
