/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers for generated programs, expressions and packets: from a seed, which repeats a run, or
 * from a fuzzer's bytes, which let it steer.
 */
#ifndef FILTERRAND_H
#define FILTERRAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filterrand {
	uint64_t state;      /* not 0, unless data is set */
	const uint8_t *data; /* NULL: a generator */
	size_t left;
};

static inline uint32_t filterrand_u32(struct filterrand *r)
{
	uint32_t value = 0;

	if (r->data) {
		for (int i = 0; i < 4 && r->left; i++, r->left--)
			value = value << 8 | *r->data++;
		return value;
	}
	/* xorshift64* */
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (uint32_t)(r->state * 0x2545f4914f6cdd1dULL >> 32);
}

/* 0 to below - 1. Takes one byte of a fuzzer's input where that is enough. */
static inline uint32_t filterrand_below(struct filterrand *r, uint32_t below)
{
	if (r->data && below <= 256) {
		if (!r->left)
			return 0;
		r->left--;
		return *r->data++ % below;
	}
	return filterrand_u32(r) % below;
}

static inline bool filterrand_one_in(struct filterrand *r, uint32_t n)
{
	return filterrand_below(r, n) == n - 1;
}

#define FILTERRAND_PICK(r, array) ((array)[filterrand_below(r, sizeof(array) / sizeof((array)[0]))])

#endif
