/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text that goes with each packet of a session. Most packets are like an earlier one but for their
 * skb: the last texts are kept, and a packet that is like one of them gets it with its own skb in it.
 */
#ifndef COMMENTS_H
#define COMMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/record.h"
#include "meta.h"

struct comments;

/* Valid until the struct comments that it came from is next used. */
struct comment {
	const char *text;
	size_t len;
};

struct comments *comments_new(void); /* NULL: out of memory */
void comments_free(struct comments *c);
/* What comments_make() would write for this record, if one like it is kept; else NULL. */
const struct comment *comments_find(struct comments *c, const struct netcap_record *r);
/* Writes m, which describes r, and keeps the text if it can serve again. Empty if m has no text. */
const struct comment *comments_make(struct comments *c, const struct netcap_record *r,
				    const struct meta *m);

/* meta_format(), with as much of the stack as fits. Length, or negative errno. */
int comments_format(const struct meta *m, char *text, size_t size);

#endif
