/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of struct rte_mbuf by the debugging information (DWARF) of a file. */
#ifndef MBUFDWARF_H
#define MBUFDWARF_H

#include <stdbool.h>
#include "elffile.h"
#include "mbuflayout.h"

/*
 * f: a program, a shared object, or a debug file. What dwz(1) has moved to a common file is looked for below root, as
 * elffile_open_path() does. False: it has none, or not all members.
 */
bool mbufdwarf_find(const struct elffile *f, int root, struct mbuf_layout *l);

#endif
