/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors from strangers: what the daemon writes packets to. */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <stddef.h>

/*
 * A writable pipe or a connected stream socket? 0, or -EINVAL with a sentence in why (size bytes)
 * that names what it is instead.
 */
int descriptor_check(int fd, char *why, size_t size);

#endif
