/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel types as C text, and questions about them. */
#ifndef BTFTYPE_H
#define BTFTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;
struct btf_param;

/* Follows typedefs, const, volatile and restrict. */
uint32_t btftype_strip(const struct btf *btf, uint32_t id);
/* Is it a pointer to (const) struct name? */
bool btftype_is_pointer_to(const struct btf *btf, uint32_t id, const char *name);
/*
 * The index of the first of count parameters that points to a structure of one of these names (NULL ends them), or
 * count.
 */
unsigned btftype_find_pointer(const struct btf *btf, const struct btf_param *params, unsigned count,
			 const char *const *names);
/* Does it describe a function of this name? Of functions that BPF programs may call, the kernel describes all. */
bool btftype_has_function(const struct btf *btf, const char *name);
/* The type as C text ("const struct sk_buff *"), cut to size bytes. Returns text. */
const char *btftype_text(const struct btf *btf, uint32_t id, char *text, size_t size);

#endif
