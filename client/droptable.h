/* SPDX-License-Identifier: BSD-2-Clause */
/* What the drop ledger answered, for people. */
#ifndef DROPTABLE_H
#define DROPTABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

/* How it is shown, and what was asked. Times are microseconds since 1970. */
struct dropview {
	int64_t now;
	int64_t since, until; /* 0: not given */
	const char *by;       /* what the rows are summed by, NULL: not */
	uint64_t top;         /* rows that are shown, 0: all */
	bool all_layers;      /* counters of layers that nothing was counted in, too */
	bool explain;         /* the reasons */
	unsigned width;       /* characters of a line, 0: without limit */
	bool utf8, color;     /* what the output can show */
};

/* Prints the reply to Drops on standard output. An exit code. */
int droptable_print(struct json_object *reply, const struct dropview *v);
/* A line on standard output for each row of one of the replies that follow a change. */
void droptable_print_changes(struct json_object *reply, const struct dropview *v);
/*
 * Says on standard output what a reason of any subsystem means, with or without the kernel's
 * SKB_DROP_REASON_ in its name. width as above. False: it is not known, and nothing was printed.
 */
bool droptable_explain(const char *name, unsigned width);

#endif
