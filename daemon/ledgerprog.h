/* SPDX-License-Identifier: BSD-2-Clause */
/* The program that counts all drops in the kernel, its counts, and its samples of what was dropped. */
#ifndef LEDGERPROG_H
#define LEDGERPROG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/ledger.h"
#include "daemon/kernel.h"

struct ledgerprog;

/* What was counted since the last reading. last: nanoseconds of CLOCK_BOOTTIME. */
struct ledgerprog_counts {
	uint64_t packets, bytes, last;
	char device[LEDGER_NAME_LEN]; /* "": none, or not known; ends with 0 */
};

struct ledgerprog_callbacks {
	/* A row that changed; its key's generation is 0. */
	void (*row)(void *arg, const struct ledger_key *key, const struct ledgerprog_counts *counts);
	/* Drops that no row has. */
	void (*overflow)(void *arg, const struct ledgerprog_counts *counts);
	/* A sample, valid during the call: as LEDGER_SAMPLE_RECORD says. */
	void (*sample)(void *arg, const struct netcap_record *record);
};

/*
 * Loads and attaches it, which blocks for some tens of milliseconds. The kernel removes it however the daemon
 * ends. NULL with errno and a sentence in why (size bytes).
 */
struct ledgerprog *ledgerprog_new(const struct kernel *k, char *why, size_t size);
/* Takes NULL. */
void ledgerprog_free(struct ledgerprog *p);

/*
 * Reads all samples and then all rows; now: nanoseconds of CLOCK_BOOTTIME. When there are many, programs begin anew
 * with other rows, and those that were are deleted later. Returns how many rows changed, or negative errno.
 */
int ledgerprog_read(struct ledgerprog *p, uint64_t now, const struct ledgerprog_callbacks *callbacks, void *arg);

/* A descriptor that becomes readable at the next drop after ledgerprog_arm(). Not the caller's. */
int ledgerprog_wake_fd(const struct ledgerprog *p);
/* The daemon sleeps, or it does not. Drops just before it are seen only by a reading a second later. */
void ledgerprog_arm(struct ledgerprog *p, bool armed);

#endif
