/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ctrl-C. The first SIGINT, SIGTERM or SIGHUP ends the session in an orderly way: the handler
 * itself half-closes the control connection, which asks the daemon to send what is left; so it
 * works even while the client is stuck in a write to a stopped terminal. The second one (that is no
 * echo of the first) exits at once. SIGPIPE is ignored: a reader that went away is an error of
 * write().
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>

/* control_fd: connected socket to half-close, or -1 (later calls replace it). */
void signals_install(int control_fd);
bool signals_stop_requested(void);
/*
 * In a child, before exec: back to defaults. With block, SIGINT, SIGTERM, SIGHUP and SIGQUIT stay
 * blocked across the exec: Ctrl-C reaches the whole foreground process group, and a child that
 * still has packets to print must not die of it.
 */
void signals_reset_in_child(bool block);

#endif
