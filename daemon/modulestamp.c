/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/linefile.h"
#include "daemon/modulestamp.h"

#define WORDS_BEFORE_STATE 4

struct reading {
	const char *directory;
	uint64_t hash;
};

/* FNV-1a */
static void mix(uint64_t *hash, const void *bytes, size_t length)
{
	for (const unsigned char *c = bytes; length--; c++)
		*hash = (*hash ^ *c) * 1099511628211;
}

/* A new directory is made for each load. 0: there is none */
static uint64_t inode(const char *directory, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return stat(path, &st) ? 0 : st.st_ino;
}

/*
 * "veth 45056 1 bridge, Live 0xffffffffc0a00000 (OE)": how many use it, and which, changes without a load. The
 * state counts, as a module's functions appear before its load has ended. The address is 0 where it is
 * hidden, and may be the same after the next load.
 */
static int take_module(void *arg, char *line, size_t length)
{
	struct reading *r = arg;
	const char *state = line;
	uint64_t number;

	for (int i = 0; i < WORDS_BEFORE_STATE; i++) {
		state += strcspn(state, " ");
		state += strspn(state, " ");
	}
	mix(&r->hash, state, line + length - state);
	line[strcspn(line, " ")] = 0;
	mix(&r->hash, line, strlen(line) + 1);
	number = inode(r->directory, line);
	mix(&r->hash, &number, sizeof(number));
	return 0;
}

uint64_t modulestamp(const char *list, const char *directory)
{
	struct reading r = { directory, 14695981039346656037u };

	linefile_each(list, take_module, &r); /* there is none in a kernel without modules */
	return r.hash;
}
