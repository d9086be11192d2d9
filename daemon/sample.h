/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample of the drop ledger in words. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "bpf/ledger.h"
#include "daemon/describe.h"
#include "daemon/droplog.h"
#include "daemon/flowtext.h"

#define SAMPLE_POINT  "tracepoint:skb:kfree_skb" /* where all of them are taken */
#define SAMPLE_FRAMES 5                          /* of the stack, in a text */

/* What an entry of the journal says of one packet. */
struct sample_text {
	char flow[FLOWTEXT_BYTES];
	char stack[SAMPLE_FRAMES * (DESCRIBE_NAME_BYTES + 1)]; /* one frame a line; "": none */
};

/* As describe_record(). The reasons of subsystems (dropreason_is_foreign()) are left as numbers. */
void sample_describe(const struct netcap_record *r, const struct kernel *k, const struct symbols *s,
		     struct describe_store *store, struct meta *m);
/* Fills text. Without symbols (NULL) there is no stack. What it returns points into text. */
struct droplog_sample sample_text(const struct netcap_record *r, const struct symbols *s, struct sample_text *text);

#endif
