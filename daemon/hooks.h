/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs and attachments of a session. A tracepoint has a program of its own; so has a function by
 * fentry. Functions by kprobe.multi or kprobe share one. Everything blocks, so it is the worker's.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"
#include "daemon/filter.h"
#include "daemon/kernel.h"
#include "daemon/lent.h"
#include "daemon/maps.h"
#include "daemon/probe.h"

/* More functions than this share a kprobe.multi program, unless the user says otherwise. */
#define HOOKS_FENTRY_MOST 8

/* Which way functions are attached (--backend). */
enum hooks_backend { HOOKS_AUTO, HOOKS_FENTRY, HOOKS_KPROBE_MULTI, HOOKS_KPROBE };

/* What to attach, and with what. All of it is the caller's and outlives the call. */
struct hooks_plan {
	const struct kernel *kernel;
	struct template_maps *maps;
	struct probe_list *probes;
	struct netcap_config config;         /* of the session; what is a probe's own is filled in */
	const struct filter_code *filter;    /* array by enum template_kind, or NULL */
	const struct usercode *user;         /* or NULL */
	enum hooks_backend backend;
	const struct spec *spec;
	const struct lent *lent;             /* files of trace points in user space */
	void (*progress)(void *arg, size_t done); /* trace points attached or failed, so far */
	void *arg;
};

struct hooks {
	int *programs; /* owned */
	size_t program_count;
	struct probe **owners; /* owned; whose program it is alone, or NULL */
	int *links;    /* owned */
	size_t link_count;
	uint64_t loaded; /* when the first program was, which is attached next; CLOCK_MONOTONIC, 0: none */
};

/* AUTO for NULL. -EINVAL: there is no such backend. */
int hooks_backend_parse(const char *name, enum hooks_backend *backend);
/* Sets what a probe will be attached by, as far as is known before it is tried, and why. */
void hooks_choose(const struct hooks_plan *plan, struct probe *p);
/* Can it be attached by p->hook, as far as is known? False: what is wrong stands in p. */
bool hooks_check(struct probe *p);
/*
 * Loads and attaches what can be; what cannot has its error set. 0 or -ENOMEM; what is attached then
 * is in h, to be closed.
 */
int hooks_attach(struct hooks *h, const struct hooks_plan *plan);
/*
 * Packets that passed while a program ran already on that CPU and that it never saw: in its owner's
 * missed, those of shared programs in the sum that is returned.
 */
uint64_t hooks_missed(const struct hooks *h);
/* Detaches all, which takes the kernel from a millisecond to minutes, and frees. Takes zeroes. */
void hooks_close(struct hooks *h);

#endif
