/* SPDX-License-Identifier: BSD-2-Clause */
#include "dryrun.h"

#include <inttypes.h>
#include <stdio.h>
#include "connection.h"
#include "exitcode.h"
#include "jsonget.h"
#include "message.h"
#include "output.h"
#include "pointchoice.h"
#include "spec.h"
#include "text.h"

static void print_safe(const char *s)
{
	text_print_safe(stdout, s ? s : "?");
}

static void print_lines(const char *s)
{
	text_print_lines(stdout, s ? s : "?");
}

static void print_because(const char *reason)
{
	if (!reason)
		return;
	fputs(" (", stdout);
	print_safe(reason);
	putchar(')');
}

static void print_points(struct json_object *points)
{
	size_t count = points ? json_object_array_length(points) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *point = json_object_array_get_idx(points, i);
		const char *reason = jsonget_string(point, "reason");

		print_safe(jsonget_string(point, "name"));
		if (reason) {
			fputs(": would not be attached: ", stdout);
			print_safe(reason);
		} else {
			fputs(": would be attached by ", stdout);
			print_safe(jsonget_string(point, "hook"));
			print_because(jsonget_string(point, "because"));
			printf(", the packet is argument %" PRId64,
			       jsonget_integer(point, "argument"));
		}
		putchar('\n');
	}
}

static void print_programs(struct json_object *programs)
{
	size_t count = programs ? json_object_array_length(programs) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *program = json_object_array_get_idx(programs, i);
		const char *start = jsonget_string(program, "start");

		fputs("\nfilter for packets that start with ", stdout);
		fputs(start && start[0] == 'e' ? "an Ethernet header" : "an IP header", stdout);
		fputs(", cBPF:\n", stdout);
		print_lines(jsonget_string(program, "cbpf"));
		fputs("\nthe same, eBPF:\n", stdout);
		print_lines(jsonget_string(program, "ebpf"));
		putchar('\n');
	}
	if (!count)
		puts("no filter: every packet matches");
}

static void print_user(struct json_object *programs)
{
	size_t count = programs ? json_object_array_length(programs) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *program = json_object_array_get_idx(programs, i);

		fputs("\nthe user's ", stdout);
		print_safe(jsonget_string(program, "name"));
		fputs(", eBPF, with the lines of its source:\n", stdout);
		print_lines(jsonget_string(program, "ebpf"));
		putchar('\n');
	}
}

static void print_places(const struct spec *spec, const struct userspace *u)
{
	for (size_t i = 0; i < spec->sites.count; i++) {
		const struct uprobesite *s = &spec->sites.items[i];

		print_safe(spec->points.items[s->point]);
		fputs(" is in ", stdout);
		print_safe(u->binaries[s->binary].path);
		printf(" at byte 0x%" PRIx64 ", the packet%s in %s", (uint64_t)s->offset,
		       s->length && !s->is_return ? "s are" : " is", s->packet);
		if (s->length)
			printf(", their number or length in %s", s->length);
		putchar('\n');
	}
	if (*u->layout)
		printf("what mbufs look like is from %s\n", u->layout);
}

int dryrun_show(struct options *o, const struct userspace *u)
{
	struct connection c = {.fd = -1};
	struct json_object *plan = NULL, *parameters;
	int code = connection_open(&c, o->socket_path, true);

	if (code == EXITCODE_OK)
		code = pointchoice_settle(&c, &o->spec);
	if (code == EXITCODE_OK)
		code = userspace_lend(u, &c);
	if (code == EXITCODE_OK) {
		parameters = spec_to_json(&o->spec);
		code = connection_ask(&c, "Start", parameters, &plan);
	}
	if (code == EXITCODE_OK && o->json) {
		puts(json_object_to_json_string_ext(plan, JSON_C_TO_STRING_PLAIN |
								  JSON_C_TO_STRING_NOSLASHESCAPE));
	} else if (code == EXITCODE_OK) {
		print_points(jsonget_array(plan, "points"));
		print_places(&o->spec, u);
		print_programs(jsonget_array(plan, "programs"));
		print_user(jsonget_array(plan, "user"));
	}
	if (code == EXITCODE_OK && output_flush())
		code = EXITCODE_FAILED;
	json_object_put(plan);
	connection_close(&c);
	return code;
}
