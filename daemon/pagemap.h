/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the bytes of a struct page are. Page fragments of an skb are known by their struct page; the
 * kernel maps all memory linearly, so bytes = page / sizeof(struct page) * page size + a constant that
 * is drawn at boot (KASLR) and in no file that every kernel has. It is found by experiment.
 */
#ifndef PAGEMAP_H
#define PAGEMAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * The constant, or 0 with a sentence in why (size bytes) if it cannot be found: then page fragments
 * are not readable. Takes some milliseconds.
 */
uint64_t pagemap_find(char *why, size_t size);

#endif
