/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of user code becomes an object (bpf/user_abi.h), by clang, with the user's own identity and under limits. */
#ifndef COMPILE_H
#define COMPILE_H

#include <stdbool.h>
#include <stdio.h>
#include "btfheader.h"
#include "usersource.h"

/* What is wanted of a file. */
struct compile_wish {
	bool filter, action; /* both false: whatever it has */
};

struct compile {
	const char *path;        /* of the source; not owned */
	struct usersource source;
	struct compile_wish wish;
	const struct usersource_name *filter, *action; /* the functions that are used, or NULL */
	char *unit;              /* owned; what the compiler gets */
};

/* Reads the source and chooses its functions. An exit code; the sentence is printed. In any case compile_clear() is due. */
int compile_open(struct compile *c, const char *path, const struct compile_wish *wish);
/* Compiles into the file object. An exit code; the compiler's words, or a sentence, are printed. */
int compile_run(struct compile *c, const struct btfheader *h, const char *object);
/* Shows what the compiler gets, but for what is the same in all units. */
void compile_show(const struct compile *c, FILE *out);
void compile_clear(struct compile *c);

#endif
