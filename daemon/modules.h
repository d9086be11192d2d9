/* SPDX-License-Identifier: BSD-2-Clause */
/* The type information of loaded kernel modules (Linux 5.11; there is none before). */
#ifndef MODULES_H
#define MODULES_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/function.h"

struct btf;

struct module {
	char name[64];
	struct btf *btf;             /* owned; split, on top of the kernel's */
	int fd;                      /* owned; for attaching, or -1 without CAP_SYS_ADMIN */
	struct function_list list;   /* functions that take a packet */
};

struct module_set {
	struct module *items; /* owned */
	size_t count;
	uint64_t stamp;       /* modulestamp() from before they were read */
};

/*
 * Reads all modules' types; kernel is the kernel's BTF and must outlive the set. Modules that cannot be
 * read are left out. Some milliseconds for each module: the worker's. 0 or -ENOMEM.
 */
int module_set_open(struct module_set *set, struct btf *kernel);
void module_set_close(struct module_set *set);
/* NULL: it is not loaded, or has no type information. */
const struct module *module_set_find(const struct module_set *set, const char *name);

#endif
