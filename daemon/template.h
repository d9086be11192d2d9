/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF programs as templates. Opening an object costs about 15 ms, nearly all of it parsing the
 * kernel's BTF, so it is done once: the relocated instructions are kept, and each trace point of each
 * session gets a copy with its own maps and filter, loaded directly.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/filter.h"

enum template_kind {
	TEMPLATE_TP_BTF, /* needs the tracepoint's prototype in BTF */
	TEMPLATE_RAW_TP, /* takes any tracepoint, with addresses for arguments */
	TEMPLATE_KINDS,
};

/* The maps that a copy works on. Descriptors are the caller's. */
struct template_maps {
	int config;   /* array, frozen, one struct netcap_config */
	int control;  /* array, mmapable, one struct netcap_control */
	int counters; /* per-CPU array of struct netcap_counters */
	int ring;
};

struct template_set;

/*
 * Opens, relocates and verifies the programs. Blocks for some tens of milliseconds. NULL with errno
 * and a sentence in why (size bytes).
 */
struct template_set *template_set_new(char *why, size_t size);
void template_set_free(struct template_set *set);

/* Where a filter for this template goes: fills body and load of t, leaves the rest. */
void template_target(const struct template_set *set, enum template_kind kind,
		     struct filter_target *t);
/*
 * Loads a copy. filter: the translated body of netcap_filter(), NULL for none. attach_btf_id: the
 * type of the tracepoint's prototype (btf_trace_...), for TEMPLATE_TP_BTF. Returns the program's
 * descriptor, or negative errno with what the verifier said last in why. Any thread.
 */
int template_load(const struct template_set *set, enum template_kind kind,
		  const struct template_maps *maps, const struct filter_code *filter,
		  uint32_t attach_btf_id, char *why, size_t size);
/* Is it the variant for kernels without bpf_loop() (before 5.17)? */
bool template_set_is_old(const struct template_set *set);

#endif
