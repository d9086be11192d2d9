/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread for what blocks: loading, attaching and detaching BPF programs, reading kallsyms. It owns
 * nothing but its queue; jobs are done in order, and each comes back to the event loop.
 */
#ifndef WORKER_H
#define WORKER_H

struct event_base;
struct worker;

/* NULL with errno. base must outlive the worker. */
struct worker *worker_new(struct event_base *base);
/*
 * Runs what is queued, calls done for it, and ends the thread. What done submits meanwhile is forgotten.
 * Takes NULL.
 */
void worker_free(struct worker *w);
/*
 * run(arg) is called on the thread, then done(arg) in the event loop. arg must stay until done. 0 or
 * -ENOMEM.
 */
int worker_submit(struct worker *w, void (*run)(void *arg), void (*done)(void *arg), void *arg);

#endif
