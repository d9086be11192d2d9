/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes user code of an object, in a child process of its own for each (userchild.h). Blocks: the worker's. */
#ifndef USERPROC_H
#define USERPROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/usercode.h"

/* main(argc, argv) calls userchild_main() first thing if argv[1] is this. */
#define USERPROC_ARGUMENT    "--user-code"
#define USERPROC_DEADLINE_MS 10000

/* What is asked. */
struct userproc_request {
	const char *executable; /* what is started with USERPROC_ARGUMENT; NULL: /proc/self/exe */
	const void *object;
	size_t size;
	bool filter, action;    /* which of them are wanted */
	bool log;               /* what the verifier says is wanted, if it refuses */
};

/*
 * 0; or negative errno with a sentence in why (size bytes): -EINVAL: there is something wrong with the object, and *log is
 * what the verifier said, the caller's to free, or NULL.
 */
int userproc_make(const struct userproc_request *request, struct usercode *code, char *why, size_t size, char **log);

#endif
