/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "exitcode.h"
#include "help.h"
#include "message.h"
#include "output.h"
#include "verbs.h"
#include "version.h"

#define OUTPUT_BYTES 65536

static const struct {
	const char *name;
	verb_run *run;
} verbs[] = {
	{"skb", verb_skb},   {"xdp", verb_xdp},     {"mbuf", verb_mbuf},         {"raw", verb_raw},
	    {"points", verb_points},     {"list", verb_list},
	{"stop", verb_stop}, {"stats", verb_stats}, {"features", verb_features},
	{"reload", verb_reload},
	{"drops", verb_drops}, {"metrics", verb_metrics}, {"profile", verb_profile},
	{"compile", verb_compile},
};

/* Descriptors 0 to 2 must be taken, or a socket gets their number and a child's output with it. */
static int open_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -1;
	return close(fd);
}

static int run_verb(int argc, char **argv, const char *socket_path)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!strcmp(argv[0], verbs[i].name))
			return verbs[i].run(argc, argv, socket_path);
	}
	message("there is no verb \"%s\"; netcapctl --help lists them.", argv[0]);
	return EXITCODE_USAGE;
}

/* "help" alone, or "help VERB", which is "VERB --help". */
static int show_help(int argc, char **argv)
{
	char option[] = "--help", *words[] = {argv[1], option, NULL};

	if (argc == 1) {
		help_overview(stdout);
		return EXITCODE_OK;
	}
	if (argc > 2) {
		message("netcapctl %s: \"%s\" is one argument too many; see netcapctl --help.", argv[0],
			argv[2]);
		return EXITCODE_USAGE;
	}
	return run_verb(2, words, NULL);
}

int main(int argc, char **argv)
{
	const char *socket_path = NULL;
	int i = 1, code = EXITCODE_OK, err;

	if (open_standard_streams())
		return EXITCODE_FAILED;
	/* On a terminal too: sinks flush when there is nothing more to print for now. */
	setvbuf(stdout, NULL, _IOFBF, OUTPUT_BYTES);
	if (i < argc && !strncmp(argv[i], "--socket=", 9)) {
		socket_path = argv[i++] + 9;
	} else if (i + 1 < argc && !strcmp(argv[i], "--socket")) {
		socket_path = argv[i + 1];
		i += 2;
	}
	if (i == argc) {
		help_overview(stderr);
		return EXITCODE_USAGE;
	}
	if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h") || !strcmp(argv[i], "help"))
		code = show_help(argc - i, argv + i);
	else if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "version"))
		puts("netcapctl " NETCAPD_VERSION);
	else
		code = run_verb(argc - i, argv + i, socket_path);
	err = output_flush();
	/* a reader that went away, such as head, has had what it wanted */
	if (err && err != -EPIPE && code == EXITCODE_OK)
		code = EXITCODE_FAILED;
	return code;
}
