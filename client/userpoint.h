/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trace point in user space, from its name to the places in files where the kernel can set it. The client does so
 * with the rights of its own user: whoever may not read a program gets no descriptor of it.
 */
#ifndef USERPOINT_H
#define USERPOINT_H

#include "sdtarg.h"
#include "usertarget.h"

#define USERPOINT_ARGS 2

enum userpoint_kind {
	USERPOINT_FUNCTION, /* its entry; name as elfsymbol.h has it */
	USERPOINT_RETURN,   /* its return; arguments are those of the entry */
	USERPOINT_USDT,
};

struct userpoint {
	enum userpoint_kind kind;
	const char *object;   /* the file that has it: its path, or the beginning of its name, as libc.so; NULL: any */
	const char *provider; /* of a USDT probe; NULL: any */
	const char *name;
	unsigned args[USERPOINT_ARGS]; /* positions from 1; 0: not asked for, nor those behind it */
};

/* One place of it. */
struct userpoint_place {
	int fd;             /* owned; O_RDONLY, O_CLOEXEC */
	char *path;         /* owned; as the target sees it */
	uint64_t offset;    /* in the file */
	uint64_t semaphore; /* in the file; 0: none */
	bool is_return;
	char args[USERPOINT_ARGS][SDTARG_TEXT_BYTES];
	unsigned arg_count;
};

struct userpoint_places {
	struct userpoint_place *items; /* owned */
	size_t count;
};

/*
 * Without an object, the program is looked at first, and only if it does not have the point, all other files. Several
 * places are those of one USDT probe. 0, or a sentence in why (size bytes: USERTARGET_WHY) with -ENOENT: nothing has
 * it, -ENOTUNIQ: several do, which the sentence lists, or other negative errno.
 */
int userpoint_find(struct usertarget *t, const struct userpoint *point, struct userpoint_places *places, char *why,
		   size_t size);
void userpoint_clear(struct userpoint_places *places);

#endif
