/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets that are followed (bpf/track.bpf.h): the programs beside a session's trace points that see sk_buffs copied
 * and freed. Everything blocks, so it is the worker's.
 */
#ifndef TRACK_H
#define TRACK_H

#include "daemon/hooks.h"

#define TRACK_NOTE_BYTES 512

struct track {
	struct hooks hooks;          /* owned */
	bool frees;                  /* programs see every sk_buff that is freed */
	uint64_t left;               /* sk_buffs that are still followed at the end */
	uint64_t missed;             /* runs of its programs that the kernel left out, at the end */
	char note[TRACK_NOTE_BYTES]; /* a sentence: what is not followed here; empty: nothing */
};

/*
 * Attaches at functions, before the session's trace points: where fentry puts two programs at one function, the later
 * one runs first, and what is freed must be captured before it is forgotten. 0 or -ENOMEM.
 */
int track_attach_functions(struct track *t, const struct hooks_plan *plan);
/*
 * Where functions cannot be traced, attaches at tracepoints, behind the session's own, which run first then. 0 or
 * -ENOMEM.
 */
int track_attach_tracepoints(struct track *t, const struct hooks_plan *plan);
/* Detaches all. Takes zeroes. */
void track_close(struct track *t);

#endif
