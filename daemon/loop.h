/* SPDX-License-Identifier: BSD-2-Clause */
/* The event loop, and who watches that it turns. */
#ifndef LOOP_H
#define LOOP_H

struct event;
struct event_base;

/* One that sees a caller's good-bye while its next calls wait unread. The caller's; NULL: out of memory. */
struct event_base *loop_new(void);
/*
 * Tells systemd from the loop that it turns, twice in WatchdogSec= (sd_watchdog_enabled(3)). *watchdog is the caller's
 * to free, before the base; NULL: nobody watches. 0 or -ENOMEM.
 */
int loop_watch(struct event_base *base, struct event **watchdog);

#endif
