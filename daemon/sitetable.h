/* SPDX-License-Identifier: BSD-2-Clause */
/* The table by which a program that many functions share knows which one it was called for. */
#ifndef SITETABLE_H
#define SITETABLE_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"

/*
 * Makes 2^*bits buckets that hold all addresses with their words, as few as are enough. Of an address that is
 * there twice, the first word counts. The caller frees. NULL: out of memory, or more addresses than
 * 2^NETCAP_SITE_BITS_MAX buckets hold.
 */
struct netcap_site_bucket *sitetable_make(const uint64_t *addresses, const __u64 *words, size_t count,
					  uint8_t *bits);

#endif
