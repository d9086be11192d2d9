/* SPDX-License-Identifier: BSD-2-Clause */
/* netcapctl metrics: the daemon's counters as OpenMetrics text, to be read by Prometheus. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "connection.h"
#include "exitcode.h"
#include "help.h"
#include "jsonget.h"
#include "message.h"
#include "options.h"
#include "text.h"
#include "verbs.h"

struct metrics {
	const char *socket_path, *output; /* NULL: the default; standard output */
	bool help;
};

static int parse(struct metrics *m, int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"socket", required_argument, NULL, 'S'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	optind = 0;
	opterr = 0;
	while (!m->help && (c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (c == '?' || c == ':')
			return options_complain(c, argv);
		if (c == 'o')
			m->output = optarg;
		else if (c == 'S')
			m->socket_path = optarg;
		else
			m->help = true;
	}
	if (m->help || optind == argc)
		return EXITCODE_OK;
	message("netcapctl metrics: \"%s\" is one argument too many; a file goes with --output.",
		argv[optind]);
	return EXITCODE_USAGE;
}

/* 0 or negative errno. The descriptor is closed in either case. */
static int fill(int fd, const char *text)
{
	FILE *file = fdopen(fd, "w");
	int err;

	if (!file) {
		err = -errno;
		close(fd);
		return err;
	}
	err = fputs(text, file) < 0 || fflush(file) || fchmod(fd, 0644) ? -errno : 0;
	if (fclose(file) && !err)
		err = -errno;
	return err;
}

/* A reader finds the old file or the new one, never a part. 0 or negative errno. */
static int replace(const char *path, const char *text)
{
	struct stat st;
	char *temporary;
	int fd, err;

	/* a device or a pipe would be lost */
	if (!lstat(path, &st) && !S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EEXIST;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	err = fd < 0 ? -errno : fill(fd, text);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err && fd >= 0)
		unlink(temporary);
	free(temporary);
	return err;
}

static int write_file(const char *path, const char *text)
{
	int err = replace(path, text);

	if (!err)
		return EXITCODE_OK;
	if (err == -EEXIST)
		message("%s is no regular file: --output replaces files only.", path);
	else
		message("%s cannot be written: %s.", path, strerror(-err));
	return EXITCODE_FAILED;
}

static int show(const struct metrics *m, struct json_object *reply)
{
	const char *text = jsonget_string(reply, "text");

	if (!text) {
		message("the daemon's reply holds no text; is it of the same version as this netcapctl?");
		return EXITCODE_FAILED;
	}
	if (m->output)
		return write_file(m->output, text);
	if (isatty(STDOUT_FILENO))
		text_print_lines(stdout, text);
	else
		fputs(text, stdout);
	return EXITCODE_OK;
}

/* A private daemon would have counted nothing: only the service is asked. */
static int ask(const struct metrics *m)
{
	struct json_object *reply = NULL;
	struct connection c = {.fd = -1};
	int code = connection_open(&c, m->socket_path, false);

	if (code == EXITCODE_OK)
		code = connection_ask(&c, "Metrics", NULL, &reply);
	if (code == EXITCODE_OK)
		code = show(m, reply);
	json_object_put(reply);
	connection_close(&c);
	return code;
}

int verb_metrics(int argc, char **argv, const char *socket_path)
{
	struct metrics m = {.socket_path = socket_path};
	int code = parse(&m, argc, argv);

	if (code == EXITCODE_OK && m.help)
		help_verb("metrics");
	else if (code == EXITCODE_OK)
		code = ask(&m);
	return code;
}
