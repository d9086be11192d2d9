/* SPDX-License-Identifier: BSD-2-Clause */
/* A netcapd of one's own, over a socket pair, for when no service runs. */
#ifndef PRIVATEDAEMON_H
#define PRIVATEDAEMON_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether this process could load BPF programs: root or CAP_BPF. */
bool privatedaemon_allowed(void);
/* Starts one. The socket to it and its pid; or -1, with the sentence printed. */
int privatedaemon_start(pid_t *pid);
/*
 * Waits for it, after the socket was closed. One that has not ended in 2 seconds is killed and not waited
 * for: the kernel, which closes what it held, may take minutes.
 */
void privatedaemon_wait(pid_t pid);

#endif
