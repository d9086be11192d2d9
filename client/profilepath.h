/* SPDX-License-Identifier: BSD-2-Clause */
/* Where profiles are looked for, and which there are. */
#ifndef PROFILEPATH_H
#define PROFILEPATH_H

#include <stdbool.h>
#include <stddef.h>
#include "profile.h"

#define PROFILEPATH_MOST       8  /* directories */
#define PROFILEPATH_NAME_BYTES 64 /* of a profile's name */
#define PROFILEPATH_SUFFIX     ".profile"

struct profilepath_place {
	char *directory; /* owned */
	const char *origin; /* "system", "user", "shipped" or "environment" */
};

struct profilepath {
	struct profilepath_place places[PROFILEPATH_MOST]; /* the first that has a profile wins */
	size_t count;
};

/* A file whose name is that of a profile. */
struct profilepath_file {
	char *name; /* owned */
	size_t place;
};

struct profilepath_files {
	struct profilepath_file *items; /* owned; by name, then by place */
	size_t count;
};

/* 0 or -ENOMEM; profilepath_clear() is needed in either case. */
int profilepath_init(struct profilepath *path);
void profilepath_clear(struct profilepath *path);
/* Letters, digits, ".", "_", "+" and "-", the first of them a letter or digit: never a path. */
bool profilepath_is_name(const char *name);
/* 0 or -ENOMEM. Directories that are not there or not readable have no files. profilepath_forget() frees. */
int profilepath_list(const struct profilepath *path, struct profilepath_files *files);
void profilepath_forget(struct profilepath_files *files);
/* The path of a profile's file, the caller's to free; NULL: out of memory. */
char *profilepath_file(const struct profilepath *path, size_t place, const char *name);
/*
 * Finds and reads a profile; the place is stored in *place. An exit code; what is wrong with the name or the file is
 * printed. profile_clear() is needed in either case.
 */
int profilepath_load(const struct profilepath *path, const char *name, struct profile *p, size_t *place);

#endif
