/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was dropped, by kind and time, in bounded memory: 1024 kinds. When there are more, the one that was idle
 * longest gives way, and what it has counts with the overflow from then on, so that sums stay exact.
 *
 * Times are nanoseconds of CLOCK_BOOTTIME, which no one sets. What is older than 48 hours is only in the
 * totals.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/historyfile.h"

#define HISTORY_OVERFLOW     HISTORYFILE_ROWS /* the number of the overflow's row */
#define HISTORY_ROWS_AND_ONE (HISTORYFILE_ROWS + 1)

struct history;

struct history_counts {
	uint64_t packets, bytes;
};

/* file is moved, also when there is no memory. NULL: out of memory. */
struct history *history_new(struct historyfile *file);
/* Takes NULL. */
void history_free(struct history *h);

/*
 * Counts packets of a kind, the last of which was dropped at that time. Time that goes back counts as the time that
 * was. Returns the number of the row, and in *is_new whether it was made just now, without names.
 */
unsigned history_add(struct history *h, const struct ledger_key *key, const struct history_counts *counts,
		     uint64_t at, bool *is_new);
/* The same for packets of kinds that are not known. */
void history_add_overflow(struct history *h, const struct history_counts *counts, uint64_t at);

/* Rows in use: those from 0 on. */
unsigned history_count(const struct history *h);
/* A row, or HISTORY_OVERFLOW. Its texts may be written. */
struct historyfile_row *history_row(struct history *h, unsigned number);
uint64_t history_began(const struct history *h);

/* What was counted in a row since history_forget_changes(). */
const struct history_counts *history_change(const struct history *h, unsigned number);
bool history_has_changes(const struct history *h);
void history_forget_changes(struct history *h);

/*
 * What a row has of the time from since to until, in whole bins: seconds for a limit in the last two minutes, minutes in
 * the last three hours, hours before. 0 for since: from the beginning.
 */
struct history_counts history_between(const struct historyfile_row *r, uint64_t since, uint64_t until,
				      uint64_t now);
/* How long those bins are, in seconds, at the time since. */
unsigned history_resolution(uint64_t since, uint64_t now);
/* Packets of each of the last count minutes, the present one included, the oldest first. */
void history_minutes(const struct historyfile_row *r, uint64_t now, uint32_t *packets, unsigned count);

#endif
