/* SPDX-License-Identifier: BSD-2-Clause */
/* netcapctl drops: what the daemon's drop ledger has. */
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "connection.h"
#include "dropsamples.h"
#include "droptable.h"
#include "exitcode.h"
#include "help.h"
#include "jsonget.h"
#include "message.h"
#include "options.h"
#include "output.h"
#include "print.h"
#include "signals.h"
#include "text.h"
#include "timespan.h"
#include "verbs.h"

#define DEFAULT_TOP   20 /* rows, on a terminal */
#define DEFAULT_WIDTH 80 /* of a terminal that does not know its width */

struct drops {
	const char *socket_path; /* NULL: the default */
	const char *reason;      /* to explain, NULL: those in the table */
	const char *write_path;  /* of samples, NULL: not given */
	struct dropview view;
	bool top_given, follow, json, packets, help;
};

static const struct option options[] = {
	{"by", required_argument, NULL, 'b'},     {"since", required_argument, NULL, 's'},
	{"until", required_argument, NULL, 'u'},  {"follow", no_argument, NULL, 'f'},
	{"top", required_argument, NULL, 't'},    {"layers", no_argument, NULL, 'l'},
	{"explain", no_argument, NULL, 'e'},      {"json", no_argument, NULL, 'j'},
	{"packets", no_argument, NULL, 'p'},
	{"socket", required_argument, NULL, 'S'}, {"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int set_by(struct drops *d, const char *value)
{
	static const char *const known[] = {"reason", "location", "dev", "netns", "proto"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strcmp(value, known[i])) {
			d->view.by = known[i];
			return EXITCODE_OK;
		}
	}
	message("--by takes reason, location, dev, netns or proto, not \"%s\".", value);
	return EXITCODE_USAGE;
}

static int set_time(int64_t *member, const char *option, const char *value, int64_t now)
{
	if (!timespan_parse(value, now, member)) {
		message("%s takes " TIMESPAN_FORMS ", not \"%s\".", option, value);
		return EXITCODE_USAGE;
	}
	if (*member > now) {
		message("%s %s has not come yet, and drops are known of the past only.", option, value);
		return EXITCODE_USAGE;
	}
	return EXITCODE_OK;
}

static int set_top(struct drops *d, const char *value)
{
	d->top_given = true;
	if (text_number(value, INT32_MAX, false, &d->view.top))
		return EXITCODE_OK;
	message("--top takes a number of rows, 0 for all, not \"%s\".", value);
	return EXITCODE_USAGE;
}

static int set_option(struct drops *d, int option, const char *value)
{
	struct dropview *v = &d->view;

	switch (option) {
	case 'b':
		return set_by(d, value);
	case 's':
		return set_time(&v->since, "--since", value, v->now);
	case 'u':
		return set_time(&v->until, "--until", value, v->now);
	case 't':
		return set_top(d, value);
	case 'f':
		d->follow = true;
		return EXITCODE_OK;
	case 'l':
		v->all_layers = true;
		return EXITCODE_OK;
	case 'e':
		v->explain = true;
		return EXITCODE_OK;
	case 'j':
		d->json = true;
		return EXITCODE_OK;
	case 'p':
		d->packets = true;
		return EXITCODE_OK;
	case 'w':
		d->write_path = value;
		return EXITCODE_OK;
	case 'S':
		d->socket_path = value;
		return EXITCODE_OK;
	default:
		d->help = true;
		return EXITCODE_OK;
	}
}

/* What only makes sense together, or not together. */
static int check(const struct drops *d)
{
	const struct dropview *v = &d->view;
	const char *why = NULL;

	bool samples = d->write_path || d->packets;

	if (d->write_path && d->packets)
		why = "-w writes packets to a file, and --packets prints them: choose one.";
	else if (samples && (d->follow || d->json || v->by || v->explain || v->all_layers || d->top_given))
		why = "-w and --packets are about packets, and go with --since and --until only: leave the options of the "
		      "table out.";
	else if (d->follow && (v->since || v->until))
		why = "--follow begins now: leave --since and --until out.";
	else if (d->follow && (v->explain || v->all_layers))
		why = "--explain and --layers belong to the table, which --follow does not print.";
	else if (d->json && v->explain)
		why = "--json prints what the daemon says, and --explain is netcapctl's own: choose one.";
	else if (v->explain && v->by && strcmp(v->by, "reason"))
		why = "--explain explains reasons, which only --by reason keeps apart.";
	else if (v->since && v->until && v->since >= v->until)
		why = "--until is not after --since: there is no time between them.";
	if (why)
		message("%s", why);
	return why ? EXITCODE_USAGE : EXITCODE_OK;
}

static int set_reason(struct drops *d, int argc, char **argv)
{
	if (optind == argc)
		return EXITCODE_OK;
	if (d->view.explain && optind + 1 == argc) {
		d->reason = argv[optind];
		return EXITCODE_OK;
	}
	message("netcapctl drops: \"%s\" is one argument too many; a reason goes with --explain, see "
		"netcapctl drops --help.",
		argv[argc - 1]);
	return EXITCODE_USAGE;
}

static int parse(struct drops *d, int argc, char **argv)
{
	int code = EXITCODE_OK, c;

	optind = 0;
	opterr = 0;
	while (code == EXITCODE_OK && !d->help && (c = getopt_long(argc, argv, ":hw:", options, NULL)) != -1)
		code = c == '?' || c == ':' ? options_complain(c, argv) : set_option(d, c, optarg);
	if (code != EXITCODE_OK || d->help)
		return code;
	code = set_reason(d, argc, argv);
	return code == EXITCODE_OK ? check(d) : code;
}

static void look_at_output(struct dropview *v)
{
	struct winsize size = {0};

	setlocale(LC_CTYPE, "");
	v->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	v->color = print_wants_color(stdout);
	if (!isatty(STDOUT_FILENO))
		return;
	v->top = DEFAULT_TOP;
	v->width = DEFAULT_WIDTH;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		v->width = size.ws_col;
}

static void add_integer(struct json_object *parameters, const char *name, int64_t value)
{
	if (value)
		json_object_object_add(parameters, name, json_object_new_int64(value));
}

/* For the table all rows are asked for, so that it can say how many it leaves out. */
static struct json_object *parameters(const struct drops *d)
{
	struct json_object *p = json_object_new_object();
	const struct dropview *v = &d->view;

	add_integer(p, "since", v->since);
	add_integer(p, "until", v->until);
	if (v->by)
		json_object_object_add(p, "by", json_object_new_string(v->by));
	if (d->top_given && (d->json || d->follow))
		add_integer(p, "top", (int64_t)v->top);
	if (!d->follow && (!d->json || v->all_layers))
		json_object_object_add(p, "layers", json_object_new_boolean(true));
	return p;
}

static void print_json(struct json_object *reply)
{
	puts(json_object_to_json_string_ext(reply,
					    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static int show_table(const struct drops *d, struct connection *c)
{
	struct json_object *reply = NULL;
	int code = connection_ask(c, "Drops", parameters(d), &reply);

	if (code == EXITCODE_OK && d->json)
		print_json(reply);
	else if (code == EXITCODE_OK)
		code = droptable_print(reply, &d->view);
	json_object_put(reply);
	return code;
}

/* One of many replies. An exit code; *more: there will be another one, and somebody reads this one. */
static int show_reply(const struct drops *d, struct json_object *reply, bool *more)
{
	struct json_object *changes = jsonget_object(reply, "parameters");
	struct dropview v = d->view;
	int code = connection_check(reply), err;

	if (code != EXITCODE_OK)
		return code;
	v.now = (int64_t)time(NULL) * TIMESPAN_SECOND;
	if (d->json)
		print_json(changes);
	else
		droptable_print_changes(changes, &v);
	err = output_flush();
	*more = jsonget_boolean(reply, "continues") && !err;
	return err && err != -EPIPE ? EXITCODE_FAILED : EXITCODE_OK;
}

/* Ctrl-C hangs up half the connection, which the daemon answers by hanging up the other half. */
static int end_of_replies(int err)
{
	if (signals_stop_requested())
		return EXITCODE_OK;
	if (err == -EPIPE) {
		message("the daemon went away.");
		return EXITCODE_GONE;
	}
	message("the daemon's replies could not be read: %s.", strerror(-err));
	return EXITCODE_FAILED;
}

/* Until the daemon says something. False: nobody reads what is printed any more. */
static bool wait_for_reply(const struct connection *c)
{
	struct pollfd p[2] = {{.fd = c->fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};
	int n;

	do {
		n = poll(p, 2, -1);
	} while (n < 0 && errno == EINTR);
	return n < 0 || !p[1].revents;
}

static int follow(const struct drops *d, struct connection *c)
{
	int code = EXITCODE_OK, err;
	bool more = true;

	signals_install(c->fd);
	err = connection_call(c, "Drops", parameters(d), true, -1);
	while (!err && more && code == EXITCODE_OK && wait_for_reply(c)) {
		struct json_object *reply = NULL;
		int n = connection_receive(c, &reply);

		more = false;
		if (n < 0)
			err = n;
		else
			code = show_reply(d, reply, &more);
		json_object_put(reply);
	}
	return err ? end_of_replies(err) : code;
}

/* A private daemon would have no history: only the service's is asked. */
static int ask(const struct drops *d)
{
	struct connection c = {.fd = -1};
	int code = connection_open(&c, d->socket_path, false);

	if (code == EXITCODE_OK)
		code = d->follow ? follow(d, &c) : show_table(d, &c);
	connection_close(&c);
	return code;
}

static int samples(const struct drops *d)
{
	struct json_object *p = json_object_new_object();

	add_integer(p, "since", d->view.since);
	add_integer(p, "until", d->view.until);
	return dropsamples_run(d->socket_path, p, d->write_path);
}

static int explain(const struct drops *d)
{
	if (droptable_explain(d->reason, d->view.width))
		return EXITCODE_OK;
	message("this netcapctl does not know the drop reason \"%s\"; include/net/dropreason-core.h of "
		"the kernel's source says something about each.",
		d->reason);
	return EXITCODE_FAILED;
}

int verb_drops(int argc, char **argv, const char *socket_path)
{
	struct drops d = {.socket_path = socket_path};
	int code;

	d.view.now = (int64_t)time(NULL) * TIMESPAN_SECOND;
	look_at_output(&d.view);
	code = parse(&d, argc, argv);
	if (code != EXITCODE_OK)
		return code;
	if (d.help) {
		help_verb("drops");
		return EXITCODE_OK;
	}
	if (d.reason)
		return explain(&d);
	return d.write_path || d.packets ? samples(&d) : ask(&d);
}
