/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaches in user space: uprobes, uretprobes and USDT probes, by uprobe.multi where that works, else by perf events, which all
 * kernels have, but do not let everybody use. The worker's.
 */
#ifndef UPROBE_H
#define UPROBE_H

#include "daemon/hooks.h"

/* What was found out of the kernel, once it was needed; freed by free(). NULL: out of memory. */
struct uprobe_ways *uprobe_ways_new(void);
/* All places of the trace point. 0, or negative errno with an error that stands in the probe. */
int uprobe_attach(struct hooks *h, const struct hooks_plan *plan, struct probe *p);

#endif
