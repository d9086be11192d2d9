/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The method Metrics: the daemon's counters as OpenMetrics text. They are taken in the event loop; what else is
 * needed is read, and the text made, on the worker.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/ledger.h"
#include "counters.h"
#include "daemon/conn.h"
#include "daemon/history.h"
#include "daemon/methods.h"
#include "daemon/netcounter.h"
#include "daemon/selfusage.h"

/* Drops of one series. */
struct metrics_drop {
	uint32_t number; /* of the reason */
	uint32_t netns;
	char reason[HISTORYFILE_TEXT_BYTES], subsystem[HISTORYFILE_TEXT_BYTES];
	char device[LEDGER_NAME_LEN];
	struct history_counts counts;
};

/* What was counted at one moment. */
struct metrics {
	const struct ledger *ledger; /* NULL: nobody counts drops */
	const struct kernel *kernel;
	const struct netstats_source *source; /* where layers are read; the server's */
	uint64_t uptime;          /* nanoseconds */
	size_t sessions;          /* that there are */
	struct counters captured; /* of all sessions since the daemon began */
	struct history_counts overflow;
	size_t drop_count;
	struct metrics_drop drops[];
};

/* In the event loop. The caller's to free; NULL: out of memory. */
struct metrics *metrics_take(const struct methods *m);
/* On the worker, for what it reads takes some milliseconds. The caller's to free; NULL: out of memory. */
char *metrics_render(struct metrics *m);
/* The same, of what was read; reasons have their names. Drops with the same labels are summed in m. */
char *metrics_text(struct metrics *m, const struct netcounter_list *layers, const struct selfusage *own);

/* Answers the call that runs. */
void metrics_call(const struct methods *m, struct conn *c);

#endif
