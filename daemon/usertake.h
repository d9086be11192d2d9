/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes an answer (struct usercode_answer) of an object with user code: libbpf relocates it for the running kernel, its
 * loads are made calls, its output is laid out, and the verifier is asked. For a process that has nothing to lose
 * (userchild.h).
 */
#ifndef USERTAKE_H
#define USERTAKE_H

#include <stddef.h>

#include "daemon/userchild.h"

#define USERTAKE_KERNEL "/sys/kernel/btf/vmlinux"

/*
 * types: a file with the kernel's types. Returns the answer, the caller's to free, which may be a refusal with its
 * sentence; NULL: no memory even for that. The object is only read. One call at a time in a process.
 */
char *usertake_answer(const struct userchild_request *request, const void *object, size_t size, const char *types,
		      size_t *answer_size);

#endif
