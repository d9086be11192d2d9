/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trace points of which kernels have one or another, or none. In a list of trace points they are one text,
 *
 *     NAME|NAME...    the first that can be traced
 *     NAME|...|       the same, or none of them
 *
 * which is no name that -f takes, so that both can stand in one list until it is known which are there.
 */
#ifndef POINTCHOICE_H
#define POINTCHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include "connection.h"
#include "spec.h"

#define POINTCHOICE_MOST 8 /* names in one text */

struct pointchoice {
	char *copy;  /* owned; the names are parts of it */
	char *names[POINTCHOICE_MOST];
	size_t count;
	bool optional;
};

/* What the running kernel has of a name. */
struct pointchoice_answer {
	bool exists;
	char *reason; /* owned; why it cannot be traced, NULL: it can */
};

/* 0, -ENOMEM, -E2BIG: more than POINTCHOICE_MOST names, or -EINVAL: no name. Names are not looked into. */
int pointchoice_split(struct pointchoice *c, const char *text);
void pointchoice_clear(struct pointchoice *c);
/*
 * Asks the daemon which of the names can be traced, by the ways and for the packets that the spec says: answers,
 * count of them, which pointchoice_forget() frees in any case. An exit code; the sentence is printed.
 */
int pointchoice_ask(struct connection *c, const struct spec *spec, char *const *names, size_t count,
		    struct pointchoice_answer *answers);
void pointchoice_forget(struct pointchoice_answer *answers, size_t count);
/*
 * Which name to use, of count with an answer each: the first that can be traced, else the first that is there, of
 * which the daemon will say why it cannot be, else the first. -1: optional, and none can be traced.
 */
int pointchoice_pick(const struct pointchoice_answer *answers, size_t count, bool optional);
/*
 * Puts a name in the place of each text of the spec that has several or is optional, or takes it out. Asks the daemon
 * only if there is one. An exit code; the sentence is printed.
 */
int pointchoice_settle(struct connection *c, struct spec *spec);

#endif
