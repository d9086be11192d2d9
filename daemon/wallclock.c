/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "daemon/wallclock.h"

#define NS_PER_S 1000000000ULL
#define TRIES    5

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

uint64_t wallclock_monotonic(void)
{
	return now(CLOCK_MONOTONIC);
}

/* Between two readings of one clock, one of the other; the tightest of some tries counts. */
static void measure(struct wallclock *w)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = now(CLOCK_MONOTONIC);
		uint64_t wall = now(CLOCK_REALTIME);
		uint64_t after = now(CLOCK_MONOTONIC);

		if (after - before >= best)
			continue;
		best = after - before;
		w->offset = wall - (before + best / 2);
		w->measured = after;
	}
}

uint64_t wallclock_at(struct wallclock *w, uint64_t monotonic)
{
	if (!w->measured || monotonic > w->measured + NS_PER_S)
		measure(w);
	return monotonic + w->offset;
}
