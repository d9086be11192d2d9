/* SPDX-License-Identifier: BSD-2-Clause */
#include "pointlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exitcode.h"
#include "limit.h"
#include "message.h"
#include "pointname.h"
#include "profilepath.h"

static int out_of_memory(void)
{
	message("out of memory.");
	return EXITCODE_FAILED;
}

static int append_point(struct jsonstrict_strings *points, const char *text)
{
	char **items;

	if (points->count == LIMIT_POINTS) {
		message("-f has more than %d trace points, the most that one session can have.",
			LIMIT_POINTS);
		return EXITCODE_USAGE;
	}
	items = realloc(points->items, (points->count + 1) * sizeof(*items));
	if (!items)
		return out_of_memory();
	points->items = items;
	items[points->count] = strdup(text);
	return items[points->count++] ? EXITCODE_OK : out_of_memory();
}

static int add_point(struct jsonstrict_strings *points, const char *typed, const char *prefix)
{
	char text[LIMIT_POINT_BYTES + 8];
	struct pointname name;
	char why[512];

	snprintf(text, sizeof(text), "%s%s", pointname_says_side(typed) || !*typed ? "" : prefix, typed);
	if (pointname_parse(text, &name, why, sizeof(why))) {
		message("%s.", why);
		return EXITCODE_USAGE;
	}
	return append_point(points, text);
}

static bool is_there(const struct jsonstrict_strings *points, const char *text)
{
	for (size_t i = 0; i < points->count; i++)
		if (!strcmp(points->items[i], text))
			return true;
	return false;
}

/*
 * Those of a profile, but what others have given already. Which of several names is used is decided when the daemon can
 * be asked.
 */
static int add_profile(struct jsonstrict_strings *points, const char *name)
{
	struct profile p = {0};
	struct profilepath path;
	size_t place;
	int code = profilepath_init(&path) ? out_of_memory() : profilepath_load(&path, name, &p, &place);

	for (size_t i = 0; code == EXITCODE_OK && i < p.count; i++)
		if (!is_there(points, p.points[i].text))
			code = append_point(points, p.points[i].text);
	profile_clear(&p);
	profilepath_clear(&path);
	return code;
}

int pointlist_add(struct jsonstrict_strings *points, const char *list, const char *prefix)
{
	char *copy = strdup(list), *rest = copy, *text;
	int code = copy ? EXITCODE_OK : out_of_memory();

	while (code == EXITCODE_OK && (text = strsep(&rest, ","))) {
		/* A list may be wrapped in a script: blanks around its commas mean nothing. */
		text += strspn(text, " \t\n");
		text[strcspn(text, " \t\n")] = '\0';
		code = *text == '@' ? add_profile(points, text + 1) : add_point(points, text, prefix);
	}
	free(copy);
	return code;
}
