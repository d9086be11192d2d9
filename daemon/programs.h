/* SPDX-License-Identifier: BSD-2-Clause */
/* The BPF programs for packets that the kernel has loaded: those of XDP, and those of tc. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/function.h"

struct btf;

#define PROGRAMS_NAME_BYTES 128

struct program {
	uint32_t id;
	char name[PROGRAMS_NAME_BYTES]; /* of its function; without types the 15 characters that the kernel keeps */
	bool xdp;                 /* else of tc */
	bool several;             /* others have the same name */
	bool used;                /* see program_set_keep_used() */
	int fd;                   /* owned; keeps the program loaded */
	struct btf *btf;          /* owned; NULL: it has no types */
	struct function function; /* with btf: the program's own */
};

struct program_set {
	struct program *items; /* owned; sorted by name, then id */
	size_t count;
};

/*
 * Opens all. 0; -EPERM: that takes CAP_SYS_ADMIN; or other negative errno. Blocks for about a millisecond for each
 * program: the worker's.
 */
int program_set_open(struct program_set *set);
/* Closes those that are not marked as used. */
void program_set_keep_used(struct program_set *set);
void program_set_close(struct program_set *set);

#endif
