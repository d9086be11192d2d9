/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints the eBPF code of a filter, for --dry-run. */
#ifndef FILTERDUMP_H
#define FILTERDUMP_H

#include <stddef.h>
#include <stdio.h>

#include "daemon/filter.h"

/*
 * The code as text, one instruction a line, in the kernel verifier's notation; knows what
 * filter_translate() emits. base is the index of the first instruction in the whole program: lines
 * and targets of jumps are numbered from it. NULL: out of memory. The caller frees the text.
 */
char *filterdump_code(const struct filter_code *code, size_t base);
/* One instruction and a newline; index: its number. */
void filterdump_insn(FILE *f, const struct bpf_insn *insn, size_t index);

#endif
