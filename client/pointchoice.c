/* SPDX-License-Identifier: BSD-2-Clause */
#include "pointchoice.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include "exitcode.h"
#include "jsonget.h"
#include "limit.h"
#include "message.h"
#include "pointname.h"

#define NO_FUNCTIONS "this kernel has no way to attach to functions (netcapctl features says more)"
#define NO_RETURNS   "this kernel has no way to attach to returns (netcapctl features says more)"

int pointchoice_split(struct pointchoice *c, const char *text)
{
	char *rest, *name;

	*c = (struct pointchoice){.copy = strdup(text)};
	if (!c->copy)
		return -ENOMEM;
	for (rest = c->copy; (name = strsep(&rest, "|"));) {
		if (!*name && !rest && c->count) {
			c->optional = true;
			break;
		}
		if (!*name)
			return -EINVAL;
		if (c->count == POINTCHOICE_MOST)
			return -E2BIG;
		c->names[c->count++] = name;
	}
	return 0;
}

void pointchoice_clear(struct pointchoice *c)
{
	free(c->copy);
	*c = (struct pointchoice){0};
}

/* ---- asking ---- */

/* What the kernel can attach to at all, as Features says. */
struct ways {
	bool functions, returns;
};

static int out_of_memory(void)
{
	message("out of memory.");
	return EXITCODE_FAILED;
}

static int ask_ways(struct connection *c, struct ways *ways)
{
	struct json_object *result = NULL, *features;
	int code = connection_ask(c, "Features", NULL, &result);

	*ways = (struct ways){0};
	features = jsonget_array(result, "features");
	for (size_t i = 0; features && i < json_object_array_length(features); i++) {
		struct json_object *f = json_object_array_get_idx(features, i);
		const char *name = jsonget_string(f, "name");

		if (!name || !jsonget_boolean(f, "available"))
			continue;
		if (!strcmp(name, "fexit"))
			ways->returns = true;
		else if (!strcmp(name, "fentry") || !strcmp(name, "kprobe.multi") || !strcmp(name, "kprobe"))
			ways->functions = true;
	}
	json_object_put(result);
	return code;
}

static int answer(struct pointchoice_answer *a, bool exists, const char *reason)
{
	free(a->reason);
	a->exists = exists;
	a->reason = reason ? strdup(reason) : NULL;
	return !reason || a->reason ? EXITCODE_OK : out_of_memory();
}

/* A plan says what would be tried, not whether the kernel would take it. */
static const char *no_way(const struct ways *ways, struct json_object *point)
{
	const char *hook = jsonget_string(point, "hook");

	if (!hook)
		return jsonget_string(point, "reason");
	if (!strcmp(hook, "fexit"))
		return ways->returns ? NULL : NO_RETURNS;
	if (!strcmp(hook, "fentry") || !strncmp(hook, "kprobe", strlen("kprobe")))
		return ways->functions ? NULL : NO_FUNCTIONS;
	return NULL;
}

/* The answer for one name, which may be a pattern, out of the points of a plan: one that can be traced is enough. */
static int take_plan(const struct ways *ways, const char *name, struct json_object *points,
		     struct pointchoice_answer *a)
{
	char text[LIMIT_POINT_BYTES + 1], why[512];
	struct pointname parsed;
	int code = answer(a, false, "the daemon says nothing of it");

	if (pointname_parse(name, &parsed, why, sizeof(why)) || pointname_format(&parsed, text, sizeof(text)) < 0)
		return code;
	for (size_t i = 0; code == EXITCODE_OK && i < json_object_array_length(points); i++) {
		struct json_object *point = json_object_array_get_idx(points, i);
		const char *called = jsonget_string(point, "name");

		if (!called || fnmatch(text, called, 0))
			continue;
		code = answer(a, jsonget_string(point, "hook"), no_way(ways, point));
		if (!a->reason)
			break;
	}
	return code;
}

/* Does an error mean trace points, none of which can be traced, and not the whole call? */
static bool is_of_points(struct json_object *reply)
{
	const char *error = jsonget_string(reply, "error");

	return error && (!strcmp(error, VARLINK_INTERFACE ".UnknownPoint") ||
			 !strcmp(error, VARLINK_INTERFACE ".PointRefused"));
}

static struct json_object *dry_run(const struct spec *like, char *const *names, size_t count)
{
	struct spec s;

	spec_init(&s);
	s.points.items = (char **)names; /* not changed */
	s.points.count = count;
	s.packets = like->packets;
	s.backend = like->backend;
	s.dry_run = s.force = true;
	return spec_to_json(&s);
}

/* *reply is the caller's to put. */
static int call(struct connection *c, struct json_object *parameters, struct json_object **reply)
{
	int err = parameters ? connection_call(c, "Start", parameters, false, -1) : -ENOMEM;

	*reply = NULL;
	if (!err)
		err = connection_receive(c, reply);
	if (err > 0)
		return EXITCODE_OK;
	message("the daemon could not be asked which trace points it knows: %s.", strerror(-err));
	return err == -EPIPE ? EXITCODE_GONE : EXITCODE_FAILED;
}

static int ask_batch(struct connection *c, const struct spec *spec, const struct ways *ways, char *const *names,
		     size_t count, struct pointchoice_answer *answers)
{
	struct json_object *reply = NULL, *points, *parameters;
	int code = call(c, dry_run(spec, names, count), &reply);

	if (code == EXITCODE_OK && is_of_points(reply)) {
		/* it says of the first only why not */
		const char *sentence = jsonget_string(jsonget_object(reply, "parameters"), "message");
		bool exists = !strcmp(jsonget_string(reply, "error"), VARLINK_INTERFACE ".PointRefused");

		code = answer(answers, exists, sentence ? sentence : "the daemon does not say why");
		for (size_t i = 0; count > 1 && code == EXITCODE_OK && i < count; i++)
			code = ask_batch(c, spec, ways, names + i, 1, answers + i);
		json_object_put(reply);
		return code;
	}
	if (code == EXITCODE_OK)
		code = connection_check(reply);
	parameters = jsonget_object(reply, "parameters");
	points = jsonget_array(parameters, "points");
	for (size_t i = 0; code == EXITCODE_OK && points && i < count; i++)
		code = take_plan(ways, names[i], points, answers + i);
	json_object_put(reply);
	return code;
}

int pointchoice_ask(struct connection *c, const struct spec *spec, char *const *names, size_t count,
		    struct pointchoice_answer *answers)
{
	struct ways ways;
	int code;

	memset(answers, 0, count * sizeof(*answers));
	code = ask_ways(c, &ways);
	for (size_t i = 0; code == EXITCODE_OK && i < count; i += LIMIT_POINTS)
		code = ask_batch(c, spec, &ways, names + i, count - i < LIMIT_POINTS ? count - i : LIMIT_POINTS,
				 answers + i);
	return code;
}

void pointchoice_forget(struct pointchoice_answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(answers[i].reason);
}

/* ---- choosing ---- */

int pointchoice_pick(const struct pointchoice_answer *answers, size_t count, bool optional)
{
	int there = 0;

	for (size_t i = 0; i < count; i++) {
		if (!answers[i].reason)
			return (int)i;
		if (answers[i].exists && !answers[there].exists)
			there = (int)i;
	}
	return optional ? -1 : there;
}

/* All names of the texts that need a choice, one behind another; those of text i are from first[i] on. */
struct candidates {
	struct pointchoice choices[LIMIT_POINTS];
	char *names[LIMIT_POINTS * POINTCHOICE_MOST];
	size_t first[LIMIT_POINTS];
	size_t count;
};

static int collect(struct candidates *all, const struct spec *spec)
{
	for (size_t i = 0; i < spec->points.count; i++) {
		struct pointchoice *choice = &all->choices[i];

		if (!strchr(spec->points.items[i], '|'))
			continue;
		if (pointchoice_split(choice, spec->points.items[i]))
			return out_of_memory();
		all->first[i] = all->count;
		for (size_t j = 0; j < choice->count; j++)
			all->names[all->count++] = choice->names[j];
	}
	return EXITCODE_OK;
}

/* Sites belong to trace points by their places, which are others where one before is left out. */
static void move_sites(struct spec *spec, const size_t *places)
{
	for (size_t i = 0; i < spec->sites.count; i++)
		spec->sites.items[i].point = (int64_t)places[spec->sites.items[i].point];
}

static int replace(struct spec *spec, const struct candidates *all, const struct pointchoice_answer *answers)
{
	struct jsonstrict_strings *points = &spec->points;
	size_t kept = 0, places[LIMIT_POINTS];

	for (size_t i = 0; i < points->count; i++) {
		const struct pointchoice *choice = &all->choices[i];
		char *text = points->items[i];

		points->items[i] = NULL;
		if (choice->count) {
			int picked = pointchoice_pick(answers + all->first[i], choice->count, choice->optional);

			free(text);
			if (picked < 0)
				continue;
			text = strdup(choice->names[picked]);
			if (!text)
				return out_of_memory();
		}
		places[i] = kept;
		points->items[kept++] = text;
	}
	points->count = kept;
	move_sites(spec, places);
	if (kept)
		return EXITCODE_OK;
	message("none of the trace points of -f can be traced here, and all of them are optional; "
		"netcapctl profile show NAME says why.");
	return EXITCODE_FAILED;
}

int pointchoice_settle(struct connection *c, struct spec *spec)
{
	struct candidates *all = calloc(1, sizeof(*all));
	struct pointchoice_answer *answers = NULL;
	int code = all ? collect(all, spec) : out_of_memory();

	if (code == EXITCODE_OK && all->count) {
		answers = calloc(all->count, sizeof(*answers));
		code = answers ? pointchoice_ask(c, spec, all->names, all->count, answers) : out_of_memory();
		if (code == EXITCODE_OK)
			code = replace(spec, all, answers);
		if (answers)
			pointchoice_forget(answers, all->count);
	}
	for (size_t i = 0; all && i < LIMIT_POINTS; i++)
		pointchoice_clear(&all->choices[i]);
	free(answers);
	free(all);
	return code;
}
