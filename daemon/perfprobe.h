/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kprobes and uprobes as perf events (Linux 4.17): perf_event_open(2) says little of them, kernel/events/core.c all.
 */
#ifndef PERFPROBE_H
#define PERFPROBE_H

#include <stdbool.h>
#include <stdint.h>

/* Perf's number for kprobes, which the kernel gives out when it starts. Negative: it has none. */
int perfprobe_pmu(void);
/*
 * An event at an address in the kernel, or, with a name, at so many bytes into that function; not enabled.
 * Its descriptor, which is the caller's, or negative errno. A negative pmu is returned.
 */
int perfprobe_open(int pmu, const char *name, uint64_t address);

/* A place in user space. */
struct perfprobe_user {
	int fd;             /* of the file that is executed */
	uint64_t offset;    /* in it, bytes */
	uint64_t semaphore; /* counts those who look at a USDT probe: where it is in the file, 0: nowhere (Linux 4.20) */
	int pid;            /* of a process, 0: all */
	bool is_return;     /* the return of the function that begins there */
};

/* An event there, not enabled. Its descriptor, which is the caller's, or negative errno. Needs CAP_PERFMON. */
int perfprobe_open_user(const struct perfprobe_user *place);

#endif
