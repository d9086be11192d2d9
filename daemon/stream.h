/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the ring as a pcapng stream: one interface per (trace point, device, link type). */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>

#include "bpf/record.h"
#include "buf.h"
#include "counters.h"
#include "daemon/comments.h"

#define STREAM_TAG_BYTES 8 /* VLAN tags that go back into the packet, two at most */

struct stream;

/* filter may be NULL; it is copied. NULL: out of memory. */
struct stream *stream_new(uint32_t snaplen, const char *filter);
void stream_free(struct stream *s);
/* The section's header: the first thing in out. 0 or negative errno. */
int stream_begin(struct stream *s, struct buf *out);
/*
 * Appends one packet, and its interface if that is new. point is the trace point, time_ns wall-clock
 * time, journey its way as text, or NULL. 0; -ENOBUFS: out is full, nothing was added; or -ENOMEM.
 */
int stream_packet(struct stream *s, struct buf *out, const struct netcap_record *r,
		  const char *point, const struct comment *comment, const struct comment *journey,
		  uint64_t time_ns);
/*
 * Appends the final counts of one trace point: its hits and losses on its first interface, what was
 * delivered on each. name is the trace point.
 */
int stream_end_point(struct stream *s, struct buf *out, uint32_t point, const char *name,
		     const struct counters *c, uint64_t time_ns);

/* What the packet begins with, PCAPNG_LINK_*. */
uint16_t stream_link(const struct netcap_record *r);
/*
 * The packet's bytes with its VLAN tags back in their place, and its lengths; at most snaplen. scratch
 * (snaplen + STREAM_TAG_BYTES) is used when there are any.
 */
const uint8_t *stream_bytes(const struct netcap_record *r, uint32_t snaplen, uint8_t *scratch,
			    uint32_t *cap_len, uint32_t *wire_len);

#endif
