/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets whose function has not returned yet. The record of a packet that is captured at the return of a
 * function (fexit) comes when the function is entered, and waits here for the record of its return.
 *
 * Some returns never come: the ring was full, or the kernel passed the program by. Such packets are handed on
 * without one: when another call shows that theirs is over, when too many wait, and in the end, which is when
 * a session with a limit on packets has waited long enough (delivery.h).
 */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/record.h"

#define CALLS_BYTES_MOST  (2 << 20) /* of records that wait; then the oldest goes on without its return */
#define CALLS_DRAIN_MOST  64        /* records of one portion, or */
#define CALLS_DRAIN_BYTES (1 << 20) /* bytes, and what the last record has beyond */

struct calls;

/* A record that need not wait any longer; back is NULL where its return was not seen. */
typedef void calls_deliver(void *arg, const struct netcap_record *r, const struct netcap_return *back);

/* NULL: out of memory. */
struct calls *calls_new(calls_deliver *deliver, void *arg);
/* What still waits is gone: calls_drain() first. */
void calls_free(struct calls *c);
/* Keeps a copy of a record with NETCAP_F_CALL, len bytes long, until its return; without memory for it, delivers. */
void calls_enter(struct calls *c, const struct netcap_record *r, size_t len);
/* Delivers the record of that call, if it is here. */
void calls_return(struct calls *c, const struct netcap_return *back);
/* Does any wait? */
bool calls_any(const struct calls *c);
/* No more returns come: delivers a portion of what waits, oldest first. Is there more? */
bool calls_drain(struct calls *c);

#endif
