/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests do with the programs in targets/. */
#ifndef TARGET_H
#define TARGET_H

#include <stdint.h>
#include <sys/types.h>
#include "elffile.h"

#define TARGET(name) TARGETS "/" name

/* A program that runs until target_end(); it has loaded its libraries. */
struct target {
	pid_t pid;
	int in; /* its standard input */
};

void target_start(struct target *t, const char *path);
/*
 * The same with another root directory, or NULL; it runs when it has mapped a file of that name. False: it ended, as it
 * does where nobody may change a root.
 */
bool target_start_in(struct target *t, const char *root, const char *path, const char *mapped);
void target_end(struct target *t);

/* A temporary directory, with a file copied into it below a path that is made. */
struct target_dir {
	char path[64];
	int fd;
};

void target_dir_make(struct target_dir *d);
void target_dir_copy(const struct target_dir *d, const char *from, const char *to);
/* Writes len bytes over those at offset; -1: behind its end. */
void target_dir_patch(const struct target_dir *d, const char *file, int64_t offset, const void *bytes, size_t len);
void target_dir_remove(struct target_dir *d);

void target_open(struct elffile *f, const char *path);
/* An address by name, of .symtab, found another way than the code under test does. 0: not there. */
uint64_t target_address(const char *path, const char *name);

#endif
