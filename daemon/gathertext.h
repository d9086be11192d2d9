/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of a packet in words: the second comment that goes with it. */
#ifndef GATHERTEXT_H
#define GATHERTEXT_H

#include "daemon/comments.h"
#include "daemon/gather.h"
#include "daemon/kernel.h"
#include "daemon/probe.h"
#include "daemon/symbols.h"

struct gathertext;

struct gathertext *gathertext_new(void); /* NULL: out of memory */
void gathertext_free(struct gathertext *t);
/* What steps are described by. symbols: for the functions in them, NULL: there are none yet. */
struct gathertext_context {
	const struct probe_list *probes;
	const struct kernel *kernel;
	const struct symbols *symbols;
};

/* Writes a way that is over. Valid until the struct gathertext is next used. */
const struct comment *gathertext_make(struct gathertext *t, const struct gather_packet *p,
				      const struct gathertext_context *context);

#endif
