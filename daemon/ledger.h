/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The drop ledger: all drops of the kernel, counted by kind since the daemon began, and before it as far as this
 * boot's history goes. It reads the kernel's counts once a second while something is dropped; when nothing was for
 * some seconds it sleeps, until the next drop wakes it.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/history.h"
#include "daemon/kernel.h"
#include "daemon/recorder.h"
#include "daemon/symbolcache.h"
#include "daemon/worker.h"

struct event_base;
struct ledger;

/* What the ledger works with; all of it must outlive the ledger, but for the worker: see ledger_stop(). */
struct ledger_host {
	struct event_base *base;
	const struct kernel *kernel;
	struct worker *worker;
	struct symbolcache *symbols;
};

struct ledger_options {
	const char *directory; /* for the files with the history and with samples */
};

/* Somebody who wants to see drops as they happen. */
struct ledger_follower {
	TAILQ_ENTRY(ledger_follower) link;
	bool waits; /* the ledger's */
	/*
	 * At most once a second, when the history has changes (history_change()); last: the ledger ends, as it is stopped or
	 * cannot read any more (ledger_why()). It may take itself away.
	 */
	void (*changed)(struct ledger_follower *f, bool last);
};

/*
 * Loads and attaches the program, which blocks for some tens of milliseconds. A file that cannot be had is logged,
 * and what would be in it is then in memory only. NULL with a sentence in why (size bytes).
 */
struct ledger *ledger_new(const struct ledger_host *host, const struct ledger_options *options, char *why,
			  size_t size);
/* Followers get what there is and are to go; to be called before the worker ends. Takes NULL. */
void ledger_stop(struct ledger *l);
/* Takes NULL. */
void ledger_free(struct ledger *l);

/* Nanoseconds of CLOCK_BOOTTIME. */
uint64_t ledger_now(void);
/* Reads what the kernel has counted until now. */
void ledger_read(struct ledger *l);
struct history *ledger_history(const struct ledger *l);
const struct recorder *ledger_recorder(const struct ledger *l);
/* Those that are there now, as while followers are told of drops at places that are new; or NULL. */
const struct symbols *ledger_symbols(const struct ledger *l);
/* Drops since the ledger began that there is no sample of. */
uint64_t ledger_unsampled(const struct ledger *l);
/* Why the counts are no longer read, a sentence, or NULL. */
const char *ledger_why(const struct ledger *l);

/*
 * A drop reason without prefix, which is name if that is not ""; "" where the kernel gives none. Returns name, text, or
 * one that lives longer. This and the next one may be called on any thread.
 */
const char *ledger_reason(const struct ledger *l, uint32_t reason, const char *name, char *text, size_t size);
/* The kernel's subsystem that a reason belongs to, or "". Returns text. */
const char *ledger_subsystem(const struct ledger *l, uint32_t reason, char *text, size_t size);

/* f is told of changes from now on; it is the caller's, until ledger_unfollow(). */
void ledger_follow(struct ledger *l, struct ledger_follower *f);
void ledger_unfollow(struct ledger *l, struct ledger_follower *f);

#endif
