/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of --gather. */
#ifndef GATHEROPTIONS_H
#define GATHEROPTIONS_H

#include "options.h"

/* What getopt_long() gives for them; -G is 'G'. */
enum gatheroptions {
	OPT_GATHER_TIMEOUT = 512, /* the first */
	OPT_GATHER_SIZE,
	OPT_GATHER_BY_POINTER,
	OPT_GATHER_BY_CONTENT,
	OPT_GATHER_COLOR,
	OPT_SLOWER_THAN,
	OPT_HISTOGRAM,
	OPT_SUMMARY,
};

/* An exit code; EXITCODE_USAGE: the sentence is printed. */
int gatheroptions_set(struct options *o, int option, const char *value);
/*
 * When all options were read: what makes no sense together, and what one means for another, as how packets are told
 * apart. As above.
 */
int gatheroptions_check(struct options *o);

#endif
