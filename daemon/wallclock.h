/* SPDX-License-Identifier: BSD-2-Clause */
/* From CLOCK_MONOTONIC, which BPF programs read, to wall-clock time. */
#ifndef WALLCLOCK_H
#define WALLCLOCK_H

#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t wallclock_monotonic(void);

struct wallclock {
	int64_t offset;   /* CLOCK_REALTIME - CLOCK_MONOTONIC, nanoseconds */
	uint64_t measured; /* CLOCK_MONOTONIC when it was, 0: never */
};

/*
 * Nanoseconds since 1970 at the monotonic time given. The offset is measured anew when the last
 * measurement is older than a second, so that steps and slewing of the wall clock are followed.
 */
uint64_t wallclock_at(struct wallclock *w, uint64_t monotonic);

#endif
