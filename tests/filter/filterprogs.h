/* SPDX-License-Identifier: BSD-2-Clause */
/* Random valid classic BPF programs, beyond what libpcap's compiler makes. */
#ifndef FILTERPROGS_H
#define FILTERPROGS_H

#include "daemon/filter.h"
#include "tests/filter/filterrand.h"

#define FILTERPROGS_MAX 64 /* instructions */

/*
 * Fills insns (FILTERPROGS_MAX) and returns how many there are. Scratch memory that is read was
 * written before: bpf_filter() does not clear it.
 */
size_t filterprogs_make(struct filterrand *r, struct filter_insn *insns);

#endif
