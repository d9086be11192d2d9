/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF programs as trace points: as they are entered (prog:), and as they return (progexit:). */
#ifndef PROGRAMPOINT_H
#define PROGRAMPOINT_H

#include "daemon/resolution.h"

/* Adds the programs of this name, or those that match the pattern, or what is wrong with it. */
void programpoint_resolve(struct resolution *r, const struct pointname *name);
/* "prog:NAME"; with the id before the name where several programs have that name. */
void programpoint_format(enum pointname_kind kind, const struct program *program, char *text, size_t size);

#endif
