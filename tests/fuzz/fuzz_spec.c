/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any parameters of Start are refused with a member's name and a sentence in printable ASCII, or
 * give a spec within the limits, which comes out of spec_to_json() and goes in again alike. The
 * same for any trace point.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "pointname.h"
#include "spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static void check_sentence(const char *why, size_t size)
{
	size_t len = strnlen(why, size);

	check(len > 0 && len < size);
	for (size_t i = 0; i < len; i++)
		check(why[i] >= ' ' && why[i] <= '~');
}

static void check_point(const char *text)
{
	struct pointname p, again;
	char why[256] = "", shown[256];

	if (pointname_parse(text, &p, why, sizeof(why))) {
		check_sentence(why, sizeof(why));
		return;
	}
	check(p.name[0] && p.arg >= 0 && p.arg <= 9 && p.arg2 >= 0 && p.arg2 <= 9);
	check(p.group[0] || p.kind != POINTNAME_TRACEPOINT);
	check(pointname_format(&p, shown, sizeof(shown)) == (int)strlen(shown));
	check(pointname_parse(shown, &again, why, sizeof(why)) == 0);
	check(again.kind == p.kind && again.arg == 0 && again.arg2 == 0);
	check(!strcmp(again.group, p.group) && !strcmp(again.name, p.name));
}

static void check_text(const char *text, size_t min, size_t max)
{
	check(!text || (strlen(text) >= min && strlen(text) <= max));
}

static void check_limits(const struct spec *s)
{
	check(s->points.count >= 1 && s->points.count <= LIMIT_POINTS);
	for (size_t i = 0; i < s->points.count; i++)
		check_point(s->points.items[i]);
	check_text(s->filter, 1, LIMIT_FILTER_BYTES);
	check_text(s->interface, 1, LIMIT_IFNAME_BYTES);
	check_text(s->comm, 1, LIMIT_COMM_BYTES);
	check(s->netns >= 0 && s->netns <= UINT32_MAX);
	check(s->mark >= 0 && s->mark <= UINT32_MAX);
	check(s->mark_mask >= 0 && s->mark_mask <= UINT32_MAX);
	check((s->mark & s->mark_mask) == s->mark);
	check(s->pid >= 0 && s->pid <= INT32_MAX);
	check(s->snaplen >= 1 && s->snaplen <= LIMIT_SNAPLEN);
	check(s->count >= 0);
	check(s->ring_bytes >= LIMIT_RING_MIN && s->ring_bytes <= LIMIT_RING_MAX);
}

static void check_round_trip(const struct spec *s)
{
	struct json_object *object = spec_to_json(s), *second;
	struct spec again;
	const char *field;
	char why[256];

	spec_init(&again);
	check(object && spec_from_json(&again, object, &field, why, sizeof(why)) == 0);
	second = spec_to_json(&again);
	check(json_object_equal(object, second));
	check(again.netns == s->netns && again.mark == s->mark && again.mark_mask == s->mark_mask);
	check(again.pid == s->pid && again.snaplen == s->snaplen && again.count == s->count);
	check(again.ring_bytes == s->ring_bytes && again.stack == s->stack);
	check(again.dry_run == s->dry_run && again.points.count == s->points.count);
	check(!again.filter == !s->filter && !again.comm == !s->comm);
	json_object_put(object);
	json_object_put(second);
	spec_clear(&again);
}

static void check_spec(const char *text, size_t size)
{
	const char *field = NULL;
	char why[512] = "";
	struct json_object *object =
		jsonstrict_parse(text, size, LIMIT_JSON_DEPTH, why, sizeof(why));
	struct spec s;
	int r;

	if (!object)
		return;
	spec_init(&s);
	r = spec_from_json(&s, object, &field, why, sizeof(why));
	if (r) {
		check(r == -EINVAL && field != NULL);
		check_sentence(why, sizeof(why));
	} else {
		check_limits(&s);
		check_round_trip(&s);
	}
	spec_clear(&s);
	json_object_put(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	check_spec(text, size);
	check_point(text);
	free(text);
	return 0;
}
