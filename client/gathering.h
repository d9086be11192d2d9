/* SPDX-License-Identifier: BSD-2-Clause */
/* How long packets took from one trace point to another, for people: a Gathering object as text. */
#ifndef GATHERING_H
#define GATHERING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <json-c/json.h>

/* How it is shown, and what was asked. */
struct gathering_view {
	unsigned width;      /* characters of a line, at least 60 */
	unsigned lines;      /* that there is room for, 0: as many as it takes */
	bool utf8;           /* what the output can show */
	int64_t gather_size; /* of the session, for advice */
	int64_t ring_bytes;
};

/*
 * Prints how many packets came where, and per edge the percentiles, with a histogram for those with the most packets:
 * fewer of them where there are not enough lines. The number of lines.
 */
unsigned gathering_print(FILE *out, struct json_object *gathering, const struct gathering_view *v);

#endif
