/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uprobes by uprobe.multi (Linux 6.6), which needs neither perf events nor what Debian asks of those who use them. libbpf 1.1 and
 * Debian 12's headers do not know it: kernel/trace/bpf_trace.c and include/uapi/linux/bpf.h of Linux do.
 */
#ifndef UPROBEMULTI_H
#define UPROBEMULTI_H

#include <stdbool.h>

#include "daemon/perfprobe.h"

/* The expected attach type of programs that are attached so (BPF_TRACE_UPROBE_MULTI). */
#define UPROBEMULTI_ATTACH 48

/* Attaches a program. The link, which is the caller's, or negative errno. */
int uprobemulti_link(const struct perfprobe_user *place, int program);
/*
 * Does it work here, for all threads of one process? Before Linux 6.10 only the thread is traced whose number is the
 * process's (46ba0e49b642). Tries it with a function of this process, so it must not be called on its first thread. 0, or
 * negative errno; -EXDEV: other threads are not traced. Some milliseconds.
 */
int uprobemulti_try(void);

#endif
