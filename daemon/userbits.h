/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds plain reads of bit fields that libbpf would relocate. What clang makes of them is a read of a larger unit, and what
 * libbpf makes of that is the place of the field: where the two are not the same, other bits are read, and nobody
 * says so. BPF_CORE_READ_BITFIELD() of client/include/kernel.h asks for all that it needs to know, and is right.
 */
#ifndef USERBITS_H
#define USERBITS_H

#include <stddef.h>

#include <bpf/btf.h>

/*
 * ext: the section .BTF.ext of the object whose types btf are, NULL: it has none. 0, or -EINVAL with a sentence in
 * why: such a read, with its place in the source, or a section that makes no sense.
 */
int userbits_check(const struct btf *btf, const void *ext, size_t bytes, char *why, size_t size);

#endif
