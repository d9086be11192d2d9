/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel addresses as "symbol+0xoffset", from /proc/kallsyms. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct symbols;

/*
 * Reads all functions, modules' included. Takes some 50 ms and about 4 MiB. NULL with errno: EACCES
 * when the kernel hides addresses (kptr_restrict, no CAP_SYSLOG), ENOMEM, or what reading gave.
 */
struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);
/*
 * The symbol that addr is in, as text, or the address itself ("0xffffffff81234567") when there is none or
 * s is NULL. Returns text.
 */
const char *symbols_name(const struct symbols *s, uint64_t addr, char *text, size_t size);

#endif
