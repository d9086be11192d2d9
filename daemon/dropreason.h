/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of drop reasons: the kernel's own, and those of its subsystems (Linux 6.4), whose number is in the upper
 * half of a reason. Their names are in the kernel's type information, or in that of the subsystem's module.
 */
#ifndef DROPREASON_H
#define DROPREASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/kernel.h"

struct btf_type;

/* The enum of all subsystems, or NULL (before Linux 6.4). It takes a millisecond to find. */
const struct btf_type *dropreason_subsystems(const struct kernel *k);
/* "core", "openvswitch" and so on, or "subsystem_7" where that enum has no name. Returns text. */
const char *dropreason_subsystem(const struct kernel *k, const struct btf_type *subsystems, uint32_t reason,
				 char *text, size_t size);
/* Is it a subsystem's, whose names take a search? */
bool dropreason_is_foreign(uint32_t reason);
/*
 * The name of a subsystem's reason, as the kernel writes it, or "REASON_0x20001" in text. It looks through the types
 * of the kernel and of modules, which takes some milliseconds for each: the worker's.
 */
void dropreason_search(const struct kernel *k, uint32_t reason, char *text, size_t size);

#endif
