/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layout of DPDK's struct rte_mbuf in a program: by DWARF (mbufdwarf.h), by BTF, or by the version of DPDK. That is
 * the number of its ABI, which is in the names of its libraries (librte_mbuf.so.23), and, where it is linked
 * statically, in the path that it loads drivers from (dpdk/pmds-23.0).
 */
#ifndef MBUFFIND_H
#define MBUFFIND_H

#include <stdbool.h>
#include <stddef.h>
#include "elffile.h"
#include "mbuflayout.h"

/* By the section .BTF. False: it has none, or not all members. */
bool mbuffind_by_btf(const struct elffile *f, struct mbuf_layout *l);
/* The number in the file name of a library of DPDK, with or without a folder: 23. 0: it is none. */
unsigned mbuffind_abi_of_name(const char *path);
/* The same of a file: by the libraries that it needs, or by what is linked into it. 0: neither. */
unsigned mbuffind_abi_of_file(const struct elffile *f);
/*
 * The layout of a number, and in versions which DPDK has it: "19.11 to 20.08". It is that of a build as DPDK configures
 * it. One without room for IOVAs (RTE_IOVA_IN_MBUF is 0, not a default on x86-64) has next elsewhere since 23.03, which
 * only DWARF and BTF tell. False: a number that is not known here.
 */
bool mbuffind_by_abi(unsigned abi, struct mbuf_layout *l, const char **versions);

#endif
