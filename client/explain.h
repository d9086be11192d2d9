/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel's drop reasons mean. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

/*
 * Sentences about a reason without its SKB_DROP_REASON_: what it means, and what to look at next.
 * subsystem: core, or the kernel subsystem that the reason belongs to. NULL: not known. Not owned.
 */
const char *explain_meaning(const char *subsystem, const char *reason);
const char *explain_next(const char *subsystem, const char *reason);

#endif
