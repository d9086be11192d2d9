/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of "netcapctl skb", "xdp", "mbuf" and "raw", and what the other verbs share with it. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "spec.h"

enum file_format {
	FORMAT_BY_NAME, /* pcap if the file's name ends in .pcap, else pcapng */
	FORMAT_PCAPNG,
	FORMAT_PCAP,
};

struct gather_given {
	bool wanted;        /* --gather, or an option that means it, too */
	bool timeout;       /* --gather-timeout was given */
	const char *detail; /* an option that is nothing without it, NULL: none */
};

struct options {
	const char *socket_path;    /* NULL: the default */
	struct spec spec;           /* what is asked of the daemon; strings owned */
	const char *netns;          /* --netns as typed, NULL: not given */
	const char *prefix;         /* what the verb puts in front of trace points: "mbuf:", "raw:", "" */
	const char *binary;         /* whose functions are meant, NULL: those of the process --pid */
	const char *mbuf_layout;    /* as mbuflayout.h has it, NULL: it is looked for */
	const char *tcpdump_flags;  /* text of -t */
	const char *write_path;     /* NULL: print */
	enum file_format format;
	uint64_t rotate;            /* packets to keep, 0: all */
	const char *user_filter;    /* a file of C or an object, NULL: none */
	const char *user_action;    /* the same */
	const char *user_color;     /* one of print.h's names, NULL: none */
	const char *stack_color;    /* one of print.h's names, NULL: none */
	const char *gather_color;   /* the same, for ways of packets */
	struct gather_given gather;
	bool json;
	bool group;                 /* events of one packet together */
	bool help;                  /* --help was given; nothing else counts */
};

/*
 * Reads the arguments after the verb (argv[0] is the verb). An exit code; EXITCODE_USAGE: the
 * sentence is printed. Pointers other than the spec's point into argv.
 */
int options_parse_skb(struct options *o, int argc, char **argv);
/*
 * The same for a verb that takes --socket, --json and --help (points: --xdp too), and at most one argument, which is
 * stored in *argument (NULL: none given) if max_arguments is 1.
 */
int options_parse_plain(struct options *o, int argc, char **argv, int max_arguments,
			const char **argument);
/*
 * Says what is wrong with the option that getopt_long() stopped at; result: what it returned, "?" or
 * ":". EXITCODE_USAGE.
 */
int options_complain(int result, char **argv);
void options_clear(struct options *o);

#endif
