/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets as the sinks get them: encoded as by the daemon, read back by the client's reader. */
#ifndef CLIENT_PACKET_H
#define CLIENT_PACKET_H

#include <string.h>
#include "buf.h"
#include "interfaces.h"
#include "pcapng.h"
#include "sink.h"

#define CLIENT_COMMENT                                                                             \
	"point=tracepoint:skb:kfree_skb reason=NETFILTER_DROP dev=eth0 ifindex=2 "                 \
	"netns=4026531840 "                                                                        \
	"cpu=1 pid=7 tid=7 comm=nc protocol=0x0800 link=ethernet"

/* A section and three interfaces: 0 is Ethernet, 1 is IP, 2 is neither. */
static inline void client_put_head(struct buf *b)
{
	static const uint16_t links[] = {PCAPNG_LINK_ETHERNET, PCAPNG_LINK_RAW, PCAPNG_LINK_USER0};

	pcapng_put_section(b, "test");
	for (size_t i = 0; i < 3; i++) {
		struct pcapng_interface interface = {.link = links[i],
						     .name = "eth0",
						     .description = "tracepoint:skb:kfree_skb"};

		pcapng_put_interface(b, &interface);
	}
}

/* The same with a comment of one's own, and the packet's way (journey.h; NULL: none). */
static inline void client_put_journey(struct buf *b, uint32_t interface, uint32_t n, uint32_t len,
				      const char *comment, const char *journey)
{
	uint8_t data[4096] = {0};
	struct pcapng_packet p = {
		.interface = interface,
		.time_ns = 1700000000000000000ULL + n,
		.wire_len = len,
		.cap_len = len,
		.data = data,
		.comment = comment,
		.comment_len = strlen(comment),
		.journey = journey,
		.journey_len = journey ? strlen(journey) : 0,
	};

	data[0] = interface == 1 ? 0x45 : 0;
	if (interface == 0)
		data[12] = 8;
	memcpy(data + 16, &n, sizeof(n));
	pcapng_put_packet(b, &p);
}

static inline void client_put_commented(struct buf *b, uint32_t interface, uint32_t n, uint32_t len,
					const char *comment)
{
	client_put_journey(b, interface, n, len, comment, NULL);
}

/* Packet number n: its number is in its time and in its first bytes after the addresses. */
static inline void client_put_packet(struct buf *b, uint32_t interface, uint32_t n, uint32_t len)
{
	client_put_commented(b, interface, n, len, CLIENT_COMMENT);
}

/* Gives everything in b to the sink, as capture.c does. The first result that is not 0, or 0. */
static inline int client_feed(struct sink *sink, const struct buf *b)
{
	struct pcapng_reader *reader = pcapng_reader_new();
	struct interfaces all = {0};
	struct pcapng_event e;
	char store[META_TEXT_MAX];
	int err = pcapng_reader_feed(reader, buf_head(b), buf_len(b));

	while (!err && pcapng_reader_next(reader, &e) == 1) {
		struct packet p = {.block = &e.packet};

		if (e.type == PCAPNG_INTERFACE)
			interfaces_add(&all, &e.interface);
		if (e.type == PCAPNG_PACKET) {
			p.link = interfaces_link(&all, e.packet.interface);
			meta_parse(&p.meta, e.packet.comment, e.packet.comment_len, store,
				   sizeof(store));
		}
		err = sink->take(sink, &e, e.type == PCAPNG_PACKET ? &p : NULL);
	}
	interfaces_clear(&all);
	pcapng_reader_free(reader);
	return err;
}

#endif
