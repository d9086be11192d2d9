/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stdlib.h>

#include "daemon/sitetable.h"

static bool put(struct netcap_site_bucket *bucket, uint64_t address, uint64_t word)
{
	for (int i = 0; i < NETCAP_SITE_SLOTS; i++) {
		if (bucket->addresses[i] == address)
			return true;
		if (bucket->addresses[i])
			continue;
		bucket->addresses[i] = address;
		bucket->words[i] = word;
		return true;
	}
	return false;
}

static bool fill(struct netcap_site_bucket *buckets, uint8_t bits, const uint64_t *addresses, const __u64 *words,
		 size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!put(&buckets[netcap_site_bucket(addresses[i], bits)], addresses[i], words[i]))
			return false;
	return true;
}

struct netcap_site_bucket *sitetable_make(const uint64_t *addresses, const __u64 *words, size_t count,
					  uint8_t *bits)
{
	for (*bits = 1; *bits <= NETCAP_SITE_BITS_MAX; ++*bits) {
		struct netcap_site_bucket *buckets;

		if (count > (size_t)NETCAP_SITE_SLOTS << *bits)
			continue;
		buckets = calloc((size_t)1 << *bits, sizeof(*buckets));
		if (!buckets || fill(buckets, *bits, addresses, words, count))
			return buckets;
		free(buckets);
	}
	return NULL;
}
