/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kprobes as perf events (Linux 4.17): perf_event_open(2) says little of them, kernel/events/core.c all.
 */
#ifndef PERFPROBE_H
#define PERFPROBE_H

#include <stdint.h>

/* Perf's number for kprobes, which the kernel gives out when it starts. Negative: it has none. */
int perfprobe_pmu(void);
/*
 * An event at an address in the kernel, or, with a name, at so many bytes into that function; not enabled.
 * Its descriptor, which is the caller's, or negative errno. A negative pmu is returned.
 */
int perfprobe_open(int pmu, const char *name, uint64_t address);

#endif
