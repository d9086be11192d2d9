/* SPDX-License-Identifier: BSD-2-Clause */
#include "uprobesite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "jsonstrict.h"
#include "limit.h"

static const struct jsonstrict_field fields[] = {
	{"point", JSONSTRICT_INTEGER, offsetof(struct uprobesite, point), true, 0, LIMIT_POINTS - 1},
	{"binary", JSONSTRICT_INTEGER, offsetof(struct uprobesite, binary), true, 0, LIMIT_BINARIES - 1},
	{"offset", JSONSTRICT_INTEGER, offsetof(struct uprobesite, offset), true, 0, INT64_MAX},
	{"semaphore", JSONSTRICT_INTEGER, offsetof(struct uprobesite, semaphore), false, 0, UINT32_MAX},
	{"return", JSONSTRICT_BOOLEAN, offsetof(struct uprobesite, is_return), false, 0, 0},
	{"packet", JSONSTRICT_STRING, offsetof(struct uprobesite, packet), true, 1, SDTARG_TEXT_BYTES - 1},
	{"length", JSONSTRICT_STRING, offsetof(struct uprobesite, length), false, 1, SDTARG_TEXT_BYTES - 1},
	{0},
};

int uprobesite_list_add(struct uprobesite_list *list, const struct uprobesite *site)
{
	struct uprobesite *more = realloc(list->items, (list->count + 1) * sizeof(*more));

	if (!more) {
		free(site->packet);
		free(site->length);
		return -ENOMEM;
	}
	list->items = more;
	more[list->count++] = *site;
	return 0;
}

static int check_site(const struct uprobesite *s, size_t points, char *why, size_t size)
{
	struct sdtarg argument;

	if ((size_t)s->point >= points) {
		snprintf(why, size, "a site belongs to point %jd, and the last one is %zu: give the number of one, from 0",
			 (intmax_t)s->point, points - 1);
		return -EINVAL;
	}
	if (sdtarg_parse(s->packet, &argument, why, size))
		return -EINVAL;
	return s->length ? sdtarg_parse(s->length, &argument, why, size) : 0;
}

int uprobesite_list_from_json(struct uprobesite_list *list, struct json_object *array, size_t points, char *why, size_t size)
{
	size_t count = json_object_array_length(array);
	int r = 0;

	if (count > LIMIT_SITES) {
		snprintf(why, size, "there are %zu sites: give at most %d", count, LIMIT_SITES);
		return -EINVAL;
	}
	for (size_t i = 0; !r && i < count; i++) {
		struct uprobesite site = {0};
		const char *field;

		r = jsonstrict_read(json_object_array_get_idx(array, i), fields, &site, &field, why, size);
		if (!r)
			r = check_site(&site, points, why, size);
		if (!r) {
			r = uprobesite_list_add(list, &site);
			continue;
		}
		free(site.packet);
		free(site.length);
	}
	return r;
}

static struct json_object *site_to_json(const struct uprobesite *s)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_object_object_add(o, "point", json_object_new_int64(s->point));
	json_object_object_add(o, "binary", json_object_new_int64(s->binary));
	json_object_object_add(o, "offset", json_object_new_int64(s->offset));
	if (s->semaphore)
		json_object_object_add(o, "semaphore", json_object_new_int64(s->semaphore));
	if (s->is_return)
		json_object_object_add(o, "return", json_object_new_boolean(true));
	json_object_object_add(o, "packet", json_object_new_string(s->packet));
	if (s->length)
		json_object_object_add(o, "length", json_object_new_string(s->length));
	return o;
}

struct json_object *uprobesite_list_to_json(const struct uprobesite_list *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < list->count; i++) {
		struct json_object *site = site_to_json(&list->items[i]);

		if (!site || json_object_array_add(array, site)) {
			json_object_put(site);
			json_object_put(array);
			return NULL;
		}
	}
	return array;
}

void uprobesite_list_free(struct uprobesite_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].packet);
		free(list->items[i].length);
	}
	free(list->items);
	*list = (struct uprobesite_list){0};
}
