/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that ask one question and print its answer: list, stop, stats, points, features, reload. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "connection.h"
#include "counters.h"
#include "exitcode.h"
#include "help.h"
#include "jsonget.h"
#include "message.h"
#include "options.h"
#include "text.h"
#include "verbs.h"

/* One question: the method, its parameters, and how the answer is shown. */
struct question {
	const char *verb;
	const char *method;
	int max_arguments;
	bool private_ok; /* a private daemon knows the answer too */
	/* The parameters for the argument (NULL: none was given) in *parameters. An exit code. */
	int (*parameters)(const struct options *o, const char *argument,
			  struct json_object **parameters);
	void (*show)(struct json_object *result);
};

static int ask(const struct question *q, const struct options *o, struct json_object *parameters)
{
	struct connection c = {.fd = -1};
	struct json_object *result = NULL;
	int code = connection_open(&c, o->socket_path, q->private_ok);

	if (code == EXITCODE_OK)
		code = connection_ask(&c, q->method, parameters, &result);
	else
		json_object_put(parameters);
	if (code == EXITCODE_OK && o->json)
		puts(json_object_to_json_string_ext(result,
						    JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	else if (code == EXITCODE_OK)
		q->show(result);
	json_object_put(result);
	connection_close(&c);
	return code;
}

static int run(const struct question *q, int argc, char **argv, const char *socket_path)
{
	struct options o = {.socket_path = socket_path};
	struct json_object *parameters = NULL;
	const char *argument;
	int code = options_parse_plain(&o, argc, argv, q->max_arguments, &argument);

	if (code == EXITCODE_OK && o.help) {
		help_verb(q->verb);
	} else if (code == EXITCODE_OK) {
		if (q->parameters)
			code = q->parameters(&o, argument, &parameters);
		if (code == EXITCODE_OK)
			code = ask(q, &o, parameters);
	}
	options_clear(&o);
	return code;
}

static int id_parameter(const struct options *o, const char *argument,
			struct json_object **parameters)
{
	uint64_t id;

	if (!argument)
		return EXITCODE_OK;
	if (!text_number(argument, INT64_MAX, false, &id)) {
		message("\"%s\" is no session id, which is a number; netcapctl list shows them.",
			argument);
		return EXITCODE_USAGE;
	}
	*parameters = json_object_new_object();
	json_object_object_add(*parameters, "id", json_object_new_int64((int64_t)id));
	return EXITCODE_OK;
}

static int required_id_parameter(const struct options *o, const char *argument,
				 struct json_object **parameters)
{
	if (argument)
		return id_parameter(o, argument, parameters);
	message("netcapctl stop needs the id of a session; netcapctl list shows them.");
	return EXITCODE_USAGE;
}

static int pattern_parameter(const struct options *o, const char *argument,
			     struct json_object **parameters)
{
	*parameters = json_object_new_object();
	if (argument)
		json_object_object_add(*parameters, "pattern", json_object_new_string(argument));
	if (o->spec.packets)
		json_object_object_add(*parameters, "packets", json_object_new_string(o->spec.packets));
	return EXITCODE_OK;
}

static size_t length(struct json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}

static void print_text(const char *s)
{
	text_print_safe(stdout, s ? s : "?");
}

static void print_age(int64_t started)
{
	int64_t age = (int64_t)time(NULL) - started;

	if (age < 0)
		age = 0;
	printf("%" PRId64 ":%02d:%02d", age / 3600, (int)(age / 60 % 60), (int)(age % 60));
}

static void print_owner(int64_t uid)
{
	struct passwd *user = getpwuid((uid_t)uid);

	if (user)
		print_text(user->pw_name);
	else
		printf("%" PRId64, uid);
}

static void print_counters(struct json_object *object)
{
	struct counters c = {0};

	if (!object || counters_from_json(&c, object)) {
		fputs("no counts", stdout);
		return;
	}
	printf("hits %" PRIu64 ", filtered %" PRIu64 ", captured %" PRIu64
	       ", lost in the ring %" PRIu64 ", lost at the client %" PRIu64 ", limited %" PRIu64
	       ", on the way %" PRIu64 ", missed %" PRIu64,
	       c.hits, c.filtered, c.captured, c.lost_ring, c.lost_client, c.limited, c.in_flight,
	       c.missed);
}

static void print_point_names(struct json_object *points)
{
	for (size_t i = 0; i < length(points); i++) {
		if (i)
			putchar(',');
		print_text(jsonget_string(json_object_array_get_idx(points, i), "name"));
	}
}

/* The first lines that list and stats share. */
static void print_session(struct json_object *session)
{
	const char *filter = jsonget_string(session, "filter");

	printf("session %" PRId64 " ", jsonget_integer(session, "id"));
	print_text(jsonget_string(session, "state"));
	fputs(", by ", stdout);
	print_owner(jsonget_integer(session, "uid"));
	printf(" (pid %" PRId64 "), age ", jsonget_integer(session, "pid"));
	print_age(jsonget_integer(session, "started"));
	fputs("\n  points: ", stdout);
	print_point_names(jsonget_array(session, "points"));
	if (filter) {
		fputs("\n  filter: ", stdout);
		print_text(filter);
	}
	fputs("\n  counts: ", stdout);
	print_counters(jsonget_object(session, "counters"));
	putchar('\n');
}

static void show_list(struct json_object *result)
{
	struct json_object *sessions = jsonget_array(result, "sessions");

	for (size_t i = 0; i < length(sessions); i++)
		print_session(json_object_array_get_idx(sessions, i));
	if (!length(sessions))
		puts("no session is running");
}

static void show_stats(struct json_object *result)
{
	struct json_object *sessions = jsonget_array(result, "sessions");

	for (size_t i = 0; i < length(sessions); i++) {
		struct json_object *session = json_object_array_get_idx(sessions, i);
		struct json_object *points = jsonget_array(session, "points");

		print_session(session);
		for (size_t j = 0; j < length(points); j++) {
			struct json_object *point = json_object_array_get_idx(points, j);

			fputs("  ", stdout);
			print_text(jsonget_string(point, "name"));
			fputs(": ", stdout);
			print_counters(jsonget_object(point, "counters"));
			putchar('\n');
		}
	}
	printf("daemon: %zu session%s, up ", length(sessions), length(sessions) == 1 ? "" : "s");
	print_age((int64_t)time(NULL) - jsonget_integer(result, "uptime"));
	printf(", %" PRId64 " KiB of memory\n", jsonget_integer(result, "rss") / 1024);
}

/* ", by fentry, kprobe.multi or kprobe" */
static void print_hooks(struct json_object *hooks)
{
	for (size_t i = 0; i < length(hooks); i++) {
		fputs(!i ? ", by " : i + 1 < length(hooks) ? ", " : " or ", stdout);
		print_text(json_object_get_string(json_object_array_get_idx(hooks, i)));
	}
}

static void show_points(struct json_object *result)
{
	struct json_object *points = jsonget_array(result, "points");

	for (size_t i = 0; i < length(points); i++) {
		struct json_object *point = json_object_array_get_idx(points, i);
		const char *prototype = jsonget_string(point, "prototype");
		const char *reason = jsonget_string(point, "reason");

		print_text(jsonget_string(point, "name"));
		if (prototype && *prototype) {
			putchar(' ');
			print_text(prototype);
		}
		if (reason) {
			fputs(" - not possible: ", stdout);
			print_text(reason);
		} else {
			printf(" - packet is argument %" PRId64,
			       jsonget_integer(point, "argument"));
			print_hooks(jsonget_array(point, "hooks"));
		}
		putchar('\n');
	}
	if (!length(points))
		puts("no trace point matches");
}

static void show_features(struct json_object *result)
{
	struct json_object *features = jsonget_array(result, "features");

	fputs("kernel ", stdout);
	print_text(jsonget_string(result, "kernel"));
	putchar('\n');
	for (size_t i = 0; i < length(features); i++) {
		struct json_object *feature = json_object_array_get_idx(features, i);
		const char *advice = jsonget_string(feature, "advice");

		fputs(jsonget_boolean(feature, "available") ? "yes  " : "NO   ", stdout);
		print_text(jsonget_string(feature, "name"));
		fputs(": ", stdout);
		print_text(jsonget_string(feature, "detail"));
		putchar('\n');
		if (advice) {
			fputs("     ", stdout);
			print_text(advice);
			putchar('\n');
		}
	}
}

static void show_nothing(struct json_object *result)
{
}

int verb_list(int argc, char **argv, const char *socket_path)
{
	static const struct question q = {"list", "List", 0, false, NULL, show_list};

	return run(&q, argc, argv, socket_path);
}

int verb_stop(int argc, char **argv, const char *socket_path)
{
	static const struct question q = {"stop", "Stop", 1, false, required_id_parameter,
					  show_nothing};

	return run(&q, argc, argv, socket_path);
}

int verb_stats(int argc, char **argv, const char *socket_path)
{
	static const struct question q = {"stats", "Stats", 1, false, id_parameter, show_stats};

	return run(&q, argc, argv, socket_path);
}

int verb_points(int argc, char **argv, const char *socket_path)
{
	static const struct question q = {"points", "Points", 1, true, pattern_parameter,
					  show_points};

	return run(&q, argc, argv, socket_path);
}

int verb_features(int argc, char **argv, const char *socket_path)
{
	static const struct question q = {"features", "Features", 0, true, NULL, show_features};

	return run(&q, argc, argv, socket_path);
}

int verb_reload(int argc, char **argv, const char *socket_path)
{
	static const struct question q = {"reload", "Reload", 0, false, NULL, show_nothing};

	return run(&q, argc, argv, socket_path);
}
