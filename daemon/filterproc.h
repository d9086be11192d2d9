/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiles tcpdump expressions in a child process, so that neither a slow nor a hostile expression
 * stops the daemon's loop or reaches its privileges. The child is this executable itself, started
 * with FILTERPROC_ARGUMENT; it runs without capabilities, as nobody where the daemon is root, with
 * little memory, and dies with the daemon. It is started by the first request and kept.
 *
 * Requests are served in order, one at a time. One that takes longer than FILTERPROC_CPU_MS or
 * FILTERPROC_DEADLINE_MS costs the child its life; the next request starts another. No timer runs while nothing is asked.
 */
#ifndef FILTERPROC_H
#define FILTERPROC_H

#include "daemon/filter.h"

struct event_base;
struct filterproc;
struct filterproc_request;

/* main(argc, argv) calls filterproc_child_main() first thing if argv[1] is this. */
#define FILTERPROC_ARGUMENT    "--filter-compiler"
#define FILTERPROC_CPU_MS      1000 /* CPU time of the child, from when it is given the text */
#define FILTERPROC_DEADLINE_MS 5000 /* for what waits: for a name server, or for a busy machine's CPU */

/*
 * The answer. error is 0 and programs are the filter (the callee may take what is inside by zeroing
 * it; the rest is cleared after the call), or error is negative, programs is NULL and why is a
 * sentence: -EINVAL: the expression is wrong; -ETIMEDOUT: it took too long; -EIO: the child died;
 * -ENOMEM. The callee may make and cancel other requests, and free the whole object.
 */
typedef void (*filterproc_done)(void *arg, int error, struct filter_programs *programs,
				const char *why);

/*
 * executable: the path that is started with FILTERPROC_ARGUMENT; NULL means /proc/self/exe. The
 * string and base must outlive the object. NULL: out of memory.
 */
struct filterproc *filterproc_new(struct event_base *base, const char *executable);
/* Kills and reaps the child. Requests that are left are dropped without a call. Takes NULL. */
void filterproc_free(struct filterproc *fp);

/*
 * Asks for a compilation; text is copied. done is called once, later, from the event loop (never
 * from inside this call). The handle is valid until done is called or the request is cancelled.
 * NULL: out of memory, or text is longer than LIMIT_FILTER_BYTES (errno ENOMEM, E2BIG).
 */
struct filterproc_request *filterproc_compile(struct filterproc *fp, const char *text,
					      filterproc_done done, void *arg);
/*
 * done will not be called. A compilation that runs already runs on, up to its deadline. Takes NULL.
 */
void filterproc_cancel(struct filterproc_request *request);

/* The child: serves requests on standard input until its end. Returns the exit status. */
int filterproc_child_main(void);

#endif
