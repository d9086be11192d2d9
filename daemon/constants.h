/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The constants of a copy of a program. In the object each is read from a map, by the three instructions that
 * bpf/config.bpf.h makes; in a copy the value itself stands there. A copy then needs no map for them, and what a
 * value rules out the verifier takes out as before.
 */
#ifndef CONSTANTS_H
#define CONSTANTS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>

#include "bpf/record.h"

#define CONSTANTS_INSNS 3 /* instructions of one read: an address in two, and the load */

/* Do the instructions, the first of which has the address of the map, read one member and nothing else? */
bool constants_is_read(const struct bpf_insn *insns, size_t count);
/* Puts the value in place of such a read. */
void constants_put(struct bpf_insn *insns, const struct netcap_config *config);

#endif
