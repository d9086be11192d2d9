/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One trace point of a session: from its name to an attached program and back. Explicit phases:
 * probe_resolve(), probe_load(), probe_attach(), probe_detach(), probe_close(). All but the first
 * block, so they are the worker's.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/kernel.h"
#include "daemon/maps.h"
#include "daemon/tracepoint.h"
#include "pointname.h"

#define PROBE_WHY_BYTES 512
#define PROBE_NEAREST   5
#define PROBE_TEXT_BYTES 224

enum probe_error {
	PROBE_OK,
	PROBE_UNKNOWN, /* no such trace point */
	PROBE_REFUSED, /* it exists but cannot be traced so */
	PROBE_FAILED,  /* the kernel did not take it */
};

struct probe {
	char text[PROBE_TEXT_BYTES];  /* "tracepoint:skb:kfree_skb" */
	struct tracepoint tp;
	enum template_kind kind;
	uint8_t skb;                    /* index of the skb argument, from 0 */
	int program;                    /* descriptor, or -1 */
	int link;                       /* descriptor, or -1: not attached */
	enum probe_error error;
	char why[PROBE_WHY_BYTES];      /* a sentence, when error is set */
	char nearest[PROBE_NEAREST][PROBE_TEXT_BYTES]; /* with PROBE_UNKNOWN */
	unsigned nearest_count;
};

/* Finds the trace point that text names. Sets error, why and nearest, or the fields above. */
void probe_resolve(struct probe *p, const struct kernel *k, const char *text);
/*
 * Loads the program with these constants (the probe fills in the arguments) and filter (NULL: none).
 * Sets error on failure.
 */
void probe_load(struct probe *p, const struct kernel *k, struct template_maps *maps,
		struct netcap_config *config, const struct filter_code *filter);
void probe_attach(struct probe *p);
/* No more runs begin. */
void probe_detach(struct probe *p);
/* Packets that passed while the program ran already on that CPU and that it never saw. */
uint64_t probe_missed(const struct probe *p);
/* Frees all; takes any phase. */
void probe_close(struct probe *p);
/* "tp_btf" or "raw_tp". */
const char *probe_hook(const struct probe *p);
/* Does the trace point say why a packet was dropped? */
bool probe_is_drop(const struct probe *p);

#endif
