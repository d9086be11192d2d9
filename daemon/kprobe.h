/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions by kprobe.multi (Linux 5.18, with CONFIG_FPROBE), which attaches thousands in a fraction of a
 * second, or by one kprobe each where that is missing. Part of hooks.c, whose functions these are:
 */
#ifndef KPROBE_H
#define KPROBE_H

#include "daemon/hooks.h"

/*
 * Attaches the probes that are marked; those that cannot be have their error set. done: how many others
 * are done. 0 or -ENOMEM.
 */
int kprobe_attach(struct hooks *h, const struct hooks_plan *plan, const bool *marked, size_t done);

/* Of hooks.c: loads a program for p; returns its descriptor, which h owns, or negative errno. */
int hooks_load(struct hooks *h, const struct hooks_plan *plan, struct probe *p, uint32_t point,
	       bool shared, char *why, size_t size);
/* Takes over a program, that of owner alone or (NULL) a shared one. 0 or -ENOMEM. */
int hooks_keep_program(struct hooks *h, int fd, struct probe *owner);
/* Takes over a link. 0 or -ENOMEM. */
int hooks_keep_link(struct hooks *h, int fd);

/*
 * Attaches a program to a perf event, which is taken over (negative: it is the error). h owns what keeps it attached. 0 or
 * negative errno.
 */
int hooks_attach_event(struct hooks *h, int event, int program);

/* A single kprobe at an address, which h owns. pmu: perfprobe_pmu(). 0 or negative errno. */
int kprobe_attach_at(struct hooks *h, int pmu, uint64_t address, int program);

#endif
