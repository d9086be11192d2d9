/* SPDX-License-Identifier: BSD-2-Clause */
/* What filter_translate() takes: valid classic BPF without Linux's extensions. */
#ifndef FILTERCHECK_H
#define FILTERCHECK_H

#include "daemon/filter.h"

/*
 * Checks every instruction: known, jumps forwards and inside, no division by a constant 0, no shift
 * by a constant of 32 or more, a return at the end. 0, -EINVAL, or -EOPNOTSUPP for loops and for
 * loads of what only packet sockets know; on error why (size bytes) has a sentence.
 */
int filtercheck_program(const struct filter_classic *program, char *why, size_t size);

/* The instruction reads or writes M[k]. */
bool filtercheck_uses_memory(uint16_t code);

#endif
