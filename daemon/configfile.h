/* SPDX-License-Identifier: BSD-2-Clause */
/* One file of the configuration as JSON, which knows where its values stand. */
#ifndef CONFIGFILE_H
#define CONFIGFILE_H

#include <stddef.h>
#include <json-c/json.h>

#include "daemon/config.h"

#define CONFIGFILE_BYTES 65536 /* longer ones are refused */

struct configfile_place;

struct configfile {
	const char *path; /* the caller's */
	char *text;
	size_t length;
	struct json_object *root; /* an object */
	struct configfile_place *places;
	size_t place_count, place_room;
};

/* 0, or negative errno (-ENOENT: there is no such file) with *e filled; *f is then closed. */
int configfile_open(struct configfile *f, const char *path, struct config_error *e);
/* Takes what is all zero. */
void configfile_close(struct configfile *f);

/*
 * Fills *e for the member name of the section parent (NULL: of the root), which need not be there;
 * entry: of its array, from 1, or 0. The sentence says the file, the line, the field, its value,
 * what is wrong, and in which unit it is given (or NULL). Returns -EINVAL.
 */
int configfile_refuse(const struct configfile *f, const char *section, const char *name,
		      size_t entry, const char *wrong, const char *unit, struct config_error *e);

#endif
