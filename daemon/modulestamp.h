/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells whether kernel modules came, went, or were loaded anew. */
#ifndef MODULESTAMP_H
#define MODULESTAMP_H

#include <stdint.h>

#define MODULESTAMP_LIST      "/proc/modules"
#define MODULESTAMP_DIRECTORY "/sys/module"

/*
 * A number that is another one after each load or removal of a module. What the kernel says of modules is
 * known to be unchanged if it is read after a stamp, and a later stamp is the same. The paths are those above.
 */
uint64_t modulestamp(const char *list, const char *directory);

#endif
