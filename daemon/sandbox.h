/* SPDX-License-Identifier: BSD-2-Clause */
/* What the filter compiler may no longer ask the kernel for. */
#ifndef SANDBOX_H
#define SANDBOX_H

/*
 * From now on this process may neither touch other processes of its user (signals, tracing, scheduling, limits), nor
 * write, make, change or remove files, nor run a program: such calls fail with EPERM (seccomp(2)). It may read files
 * and use sockets, which looking up host names needs. Calls of another architecture are netcapd.service's to refuse.
 * no_new_privs must be set. 0 or negative errno.
 */
int sandbox_enter(void);

#endif
