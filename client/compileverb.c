/* SPDX-License-Identifier: BSD-2-Clause */
/* The verb compile: an object of user code, to be used on hosts without a compiler, and on other kernels. */
#include <getopt.h>
#include <string.h>
#include "exitcode.h"
#include "help.h"
#include "message.h"
#include "options.h"
#include "userobject.h"
#include "verbs.h"

struct arguments {
	const char *source, *out, *btf;
	bool help;
};

static int check(const struct arguments *a, int argc, char **argv)
{
	if (optind + 1 < argc) {
		message("netcapctl compile: \"%s\" is one argument too many; see netcapctl compile --help.",
			argv[optind + 1]);
		return EXITCODE_USAGE;
	}
	if (!a->source || !a->out) {
		message("netcapctl compile takes a file of C and the name of the object: netcapctl compile FILE.c -o "
			"FILE.o.");
		return EXITCODE_USAGE;
	}
	return EXITCODE_OK;
}

static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"btf", required_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":o:h", options, NULL)) != -1) {
		if (c == 'o')
			a->out = optarg;
		else if (c == 'b')
			a->btf = optarg;
		else if (c == 'h')
			a->help = true;
		else
			return options_complain(c, argv);
	}
	if (a->help)
		return EXITCODE_OK;
	a->source = optind < argc ? argv[optind] : NULL;
	return check(a, argc, argv);
}

int verb_compile(int argc, char **argv, const char *socket_path)
{
	struct arguments a = {NULL, NULL, NULL, false};
	int code = parse(&a, argc, argv);

	if (code != EXITCODE_OK)
		return code;
	if (a.help) {
		help_verb(argv[0]);
		return EXITCODE_OK;
	}
	return userobject_compile(a.source, a.out, a.btf);
}
