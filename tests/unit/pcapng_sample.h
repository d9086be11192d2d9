/* SPDX-License-Identifier: BSD-2-Clause */
/* A short stream with one block of each kind, for the tests of pcapng. Include after cmocka.h. */
#ifndef PCAPNG_SAMPLE_H
#define PCAPNG_SAMPLE_H

#include "pcapng.h"

#define TIME_NS 1700000000123456789u

static const uint8_t payload[] = {1, 2, 3, 4, 5, 6, 7};

static const struct pcapng_interface eth = {
	.link = PCAPNG_LINK_ETHERNET,
	.snaplen = 256,
	.name = "eth0",
	.description = "tracepoint:skb:kfree_skb",
	.filter = "tcp port 9000",
};

static const struct pcapng_packet packet = {
	.time_ns = TIME_NS,
	.wire_len = 1500,
	.cap_len = sizeof(payload),
	.data = payload,
	.comment = "point=x",
	.comment_len = 7,
};

static const struct pcapng_statistics statistics = {
	.time_ns = TIME_NS + 1,
	.received = 11,
	.dropped = 5,
	.accepted = UINT64_MAX,
	.delivered = 3,
};

static inline struct pcapng_reader *reader_of(const void *bytes, size_t len)
{
	struct pcapng_reader *r = pcapng_reader_new();

	assert_non_null(r);
	assert_int_equal(pcapng_reader_feed(r, bytes, len), 0);
	return r;
}

/* Section, interface, packet, statistics. */
static inline void put_stream(struct buf *b)
{
	buf_init(b, 0);
	assert_int_equal(pcapng_put_section(b, "netcapd"), 0);
	assert_int_equal(pcapng_put_interface(b, &eth), 0);
	assert_int_equal(pcapng_put_packet(b, &packet), 0);
	assert_int_equal(pcapng_put_statistics(b, &statistics), 0);
}

#endif
