/* SPDX-License-Identifier: BSD-2-Clause */
/* netcapctl profile: the named lists of trace points, and what the running kernel has of one. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "connection.h"
#include "exitcode.h"
#include "help.h"
#include "limit.h"
#include "message.h"
#include "options.h"
#include "pointchoice.h"
#include "profilepath.h"
#include "table.h"
#include "text.h"
#include "verbs.h"

#define DEFAULT_WIDTH 80 /* of a terminal that does not know its width */
#define NAME_COLUMN   40 /* names that are longer stand out */

struct request {
	const char *socket_path; /* NULL: the default */
	const char *show;        /* name, NULL: list them all */
	bool json, xdp, help;
};

static const struct option options[] = {
	{"json", no_argument, NULL, 'j'}, {"xdp", no_argument, NULL, 'x'}, {"socket", required_argument, NULL, 'S'},
	{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
};

static int out_of_memory(void)
{
	message("out of memory.");
	return EXITCODE_FAILED;
}

static int take_words(struct request *r, int count, char **words)
{
	if (count && strcmp(words[0], "show")) {
		message("netcapctl profile lists the profiles, and netcapctl profile show NAME shows one; it has no "
			"\"%s\".", words[0]);
		return EXITCODE_USAGE;
	}
	if (count == 1) {
		message("netcapctl profile show needs the name of a profile; netcapctl profile lists them.");
		return EXITCODE_USAGE;
	}
	if (count > 2) {
		message("netcapctl profile show: \"%s\" is one argument too many; see netcapctl profile --help.",
			words[2]);
		return EXITCODE_USAGE;
	}
	if (!count && r->xdp) {
		message("--xdp goes with netcapctl profile show NAME.");
		return EXITCODE_USAGE;
	}
	/* as -f takes it */
	r->show = count ? words[1] + (*words[1] == '@') : NULL;
	return EXITCODE_OK;
}

static int parse(struct request *r, int argc, char **argv)
{
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (c == '?' || c == ':')
			return options_complain(c, argv);
		r->json |= c == 'j';
		r->xdp |= c == 'x';
		r->help |= c == 'h';
		if (c == 'S')
			r->socket_path = optarg;
	}
	return r->help ? EXITCODE_OK : take_words(r, argc - optind, argv + optind);
}

static void add_text(struct json_object *object, const char *member, const char *text)
{
	char *copy = text ? text_utf8(text) : NULL;

	if (copy)
		json_object_object_add(object, member, json_object_new_string(copy));
	free(copy);
}

static void add_entry(struct json_object *array, const char *text)
{
	char *copy = text ? text_utf8(text) : NULL;

	if (copy)
		json_object_array_add(array, json_object_new_string(copy));
	free(copy);
}

static void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

/* ---- list ---- */

/* A profile, and the files of its name that it hides: those from first to last. */
struct entry {
	const struct profilepath *path;
	const struct profilepath_file *first, *last;
};

static void list_as_json(const struct entry *e, const struct profile *p, bool good, struct json_object *list)
{
	struct json_object *o = json_object_new_object(), *hidden = json_object_new_array();
	const struct profilepath_place *place = &e->path->places[e->first->place];
	char *file = profilepath_file(e->path, e->first->place, e->first->name);

	add_text(o, "name", e->first->name);
	add_text(o, "description", good ? p->description : NULL);
	add_text(o, "origin", place->origin);
	add_text(o, "path", file);
	json_object_object_add(o, "usable", json_object_new_boolean(good));
	if (good)
		json_object_object_add(o, "points", json_object_new_int64((int64_t)p->count));
	free(file);
	for (const struct profilepath_file *f = e->first + 1; f <= e->last; f++) {
		file = profilepath_file(e->path, f->place, f->name);
		add_entry(hidden, file);
		free(file);
	}
	json_object_object_add(o, "hides", hidden);
	json_object_array_add(list, o);
}

static void list_as_row(const struct entry *e, const struct profile *p, bool good, struct table *table)
{
	FILE *cell;

	fputs(e->first->name, table_cell(table, NULL));
	cell = table_cell(table, NULL);
	fputs(e->path->places[e->first->place].origin, cell);
	if (e->last > e->first)
		fprintf(cell, ", hides %s", e->path->places[e->first[1].place].origin);
	fputs(!good ? "cannot be used" : p->description ? p->description : "", table_cell(table, NULL));
}

/* Goes on where one is damaged, and remembers it. */
static int list_files(const struct profilepath *path, const struct profilepath_files *files, struct table *table,
		      struct json_object *list)
{
	int result = EXITCODE_OK;

	for (size_t i = 0, last; i < files->count; i = last + 1) {
		struct entry e = {.path = path, .first = &files->items[i]};
		struct profile p;
		size_t place;
		int code;

		for (last = i; last + 1 < files->count && !strcmp(files->items[last + 1].name, e.first->name); last++)
			;
		e.last = &files->items[last];
		code = profilepath_load(path, e.first->name, &p, &place);
		if (list)
			list_as_json(&e, &p, code == EXITCODE_OK, list);
		else
			list_as_row(&e, &p, code == EXITCODE_OK, table);
		profile_clear(&p);
		result = code == EXITCODE_OK ? result : code;
	}
	return result;
}

static unsigned terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : DEFAULT_WIDTH;
}

static int list(const struct request *r, const struct profilepath *path)
{
	static const struct table_column columns[] = {{"NAME", false, 0}, {"FROM", false, 0},
						      {"WHAT FOR", false, 20}};
	struct json_object *found = r->json ? json_object_new_array() : NULL, *whole;
	struct profilepath_files files;
	struct table table;
	int code = profilepath_list(path, &files) ? out_of_memory() : EXITCODE_OK;

	if (table_init(&table, columns, 3))
		code = out_of_memory();
	if (code == EXITCODE_OK)
		code = list_files(path, &files, &table, found);
	if (found) {
		whole = json_object_new_object();
		json_object_object_add(whole, "profiles", found);
		print_json(whole);
	} else if (!files.count) {
		puts("there are no profiles");
	} else if (table_print(&table, stdout, terminal_width(), NULL)) {
		code = out_of_memory();
	}
	table_clear(&table);
	profilepath_forget(&files);
	return code;
}

/* ---- show ---- */

/* A profile with the names of its points, and what the daemon says of each; those of point i begin at first[i]. */
struct shown {
	struct profile profile;
	struct pointchoice choices[LIMIT_POINTS];
	char *names[LIMIT_POINTS * POINTCHOICE_MOST];
	struct pointchoice_answer answers[LIMIT_POINTS * POINTCHOICE_MOST];
	size_t first[LIMIT_POINTS], count;
	bool asked;
};

static int collect(struct shown *s)
{
	for (size_t i = 0; i < s->profile.count; i++) {
		struct pointchoice *c = &s->choices[i];

		if (pointchoice_split(c, s->profile.points[i].text))
			return out_of_memory();
		s->first[i] = s->count;
		for (size_t j = 0; j < c->count; j++)
			s->names[s->count++] = c->names[j];
	}
	return EXITCODE_OK;
}

/* Without an answer the profile is shown all the same; the sentence says why nothing is said of the kernel. */
static void ask(struct shown *s, const struct request *r)
{
	struct connection c = {.fd = -1};
	struct spec spec;
	char packets[] = "xdp";

	spec_init(&spec);
	spec.packets = r->xdp ? packets : NULL;
	if (connection_open(&c, r->socket_path, true) == EXITCODE_OK)
		s->asked = pointchoice_ask(&c, &spec, s->names, s->count, s->answers) == EXITCODE_OK;
	connection_close(&c);
}

static void print_comment(const char *text)
{
	while (text && *text) {
		const char *end = strchrnul(text, '\n');

		printf("    ");
		for (; text < end; text++)
			putchar(*text);
		putchar('\n');
		text += *end == '\n';
	}
}

static void print_answer(const struct shown *s, size_t i)
{
	const struct pointchoice *c = &s->choices[i];
	const struct pointchoice_answer *answers = s->answers + s->first[i];
	int picked = pointchoice_pick(answers, c->count, false);

	if (answers[picked].reason) {
		fputs("no: ", stdout);
		text_print_safe(stdout, answers[picked].reason);
	} else {
		printf(c->count > 1 ? "yes, %s" : "yes", c->names[picked]);
	}
}

/* Whether it can be traced. */
static bool print_point(const struct shown *s, size_t i)
{
	const struct pointchoice *c = &s->choices[i];
	int width = printf("%s", c->optional ? "?" : "");

	for (size_t j = 0; j < c->count; j++)
		width += printf("%s%s", j ? " | " : "", c->names[j]);
	if (s->asked) {
		printf("%*s", width < NAME_COLUMN ? NAME_COLUMN - width : 1, "");
		print_answer(s, i);
	}
	putchar('\n');
	print_comment(s->profile.points[i].comment);
	return s->asked && pointchoice_pick(s->answers + s->first[i], c->count, true) >= 0;
}

static void print_shown(const struct shown *s, const char *name, const char *file)
{
	size_t traceable = 0;

	printf("%s: %s\n", name, s->profile.description ? s->profile.description : "no description");
	text_print_safe(stdout, file);
	putchar('\n');
	print_comment(s->profile.notes);
	putchar('\n');
	for (size_t i = 0; i < s->profile.count; i++)
		traceable += print_point(s, i);
	if (s->asked)
		printf("\n%zu of %zu can be traced on this machine\n", traceable, s->profile.count);
}

static struct json_object *name_to_json(const char *name, const struct pointchoice_answer *a)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "name", name);
	if (a)
		json_object_object_add(o, "traceable", json_object_new_boolean(!a->reason));
	if (a)
		add_text(o, "reason", a->reason);
	return o;
}

static struct json_object *point_to_json(const struct shown *s, size_t i)
{
	struct json_object *o = json_object_new_object(), *names = json_object_new_array();
	const struct profile_point *point = &s->profile.points[i];
	const struct pointchoice *c = &s->choices[i];
	const struct pointchoice_answer *answers = s->answers + s->first[i];
	int picked = s->asked ? pointchoice_pick(answers, c->count, true) : -1;

	json_object_object_add(o, "line", json_object_new_int64(point->line));
	add_text(o, "comment", point->comment);
	json_object_object_add(o, "optional", json_object_new_boolean(c->optional));
	for (size_t j = 0; j < c->count; j++)
		json_object_array_add(names, name_to_json(c->names[j], s->asked ? &answers[j] : NULL));
	json_object_object_add(o, "names", names);
	add_text(o, "use", picked < 0 ? NULL : c->names[picked]);
	return o;
}

static void print_as_json(const struct shown *s, const char *name, const char *file, const char *origin)
{
	struct json_object *o = json_object_new_object(), *points = json_object_new_array();

	add_text(o, "name", name);
	add_text(o, "description", s->profile.description);
	add_text(o, "notes", s->profile.notes);
	add_text(o, "origin", origin);
	add_text(o, "path", file);
	json_object_object_add(o, "asked", json_object_new_boolean(s->asked));
	for (size_t i = 0; i < s->profile.count; i++)
		json_object_array_add(points, point_to_json(s, i));
	json_object_object_add(o, "points", points);
	print_json(o);
}

static int show(const struct request *r, const struct profilepath *path)
{
	struct shown *s = calloc(1, sizeof(*s));
	char *file = NULL;
	size_t place;
	int code = s ? profilepath_load(path, r->show, &s->profile, &place) : out_of_memory();

	if (code == EXITCODE_OK)
		code = collect(s);
	if (code == EXITCODE_OK && !(file = profilepath_file(path, place, r->show)))
		code = out_of_memory();
	if (code == EXITCODE_OK) {
		ask(s, r);
		if (r->json)
			print_as_json(s, r->show, file, path->places[place].origin);
		else
			print_shown(s, r->show, file);
	}
	free(file);
	for (size_t i = 0; s && i < LIMIT_POINTS; i++)
		pointchoice_clear(&s->choices[i]);
	if (s) {
		pointchoice_forget(s->answers, s->count);
		profile_clear(&s->profile);
	}
	free(s);
	return code;
}

int verb_profile(int argc, char **argv, const char *socket_path)
{
	struct request r = {.socket_path = socket_path};
	struct profilepath path = {.count = 0};
	int code = parse(&r, argc, argv);

	if (code == EXITCODE_OK && r.help) {
		help_verb(argv[0]);
		return EXITCODE_OK;
	}
	if (code == EXITCODE_OK && profilepath_init(&path))
		code = out_of_memory();
	if (code == EXITCODE_OK)
		code = r.show ? show(&r, &path) : list(&r, &path);
	profilepath_clear(&path);
	return code;
}
