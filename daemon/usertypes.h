/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks that types of an object lead to types: libbpf before 1.5 takes it for granted, and reads where there is none. */
#ifndef USERTYPES_H
#define USERTYPES_H

#include <stddef.h>

#include <bpf/btf.h>

/* 0, or -EINVAL with a sentence in why. */
int usertypes_check(const struct btf *btf, char *why, size_t size);

#endif
