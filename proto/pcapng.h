/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data stream: pcapng as in draft-ietf-opsawg-pcapng, host byte order, one section, one
 * interface per (trace point, device, link type), timestamps in nanoseconds (if_tsresol 9), one
 * comment per packet (meta.h) and perhaps a second one (journey.h), interface statistics blocks at the end.
 * The encoder appends whole blocks to a buf or nothing at all. The decoder takes bytes as they come.
 */
#ifndef PCAPNG_H
#define PCAPNG_H

#include <stddef.h>
#include <stdint.h>
#include "buf.h"

/* Link types, from the registry of tcpdump.org. */
#define PCAPNG_LINK_ETHERNET 1
#define PCAPNG_LINK_RAW      101 /* IPv4 or IPv6 */
#define PCAPNG_LINK_USER0    147 /* no packet headers: skbs that are not network packets */

/* "ethernet" or "raw", and "none" for all other link types. */
const char *pcapng_link_name(uint16_t link);

struct pcapng_interface {
	uint16_t link;           /* PCAPNG_LINK_* */
	uint32_t snaplen;        /* bytes, 0: no limit */
	const char *name;        /* device, or NULL */
	const char *description; /* trace point, or NULL */
	const char *filter;      /* tcpdump expression, or NULL */
};

struct pcapng_packet {
	uint32_t interface;      /* index in the order of the interface blocks */
	uint64_t time_ns;        /* nanoseconds since 1970-01-01 UTC */
	uint32_t wire_len;       /* bytes */
	uint32_t cap_len;        /* bytes in data */
	const uint8_t *data;
	const char *comment;     /* UTF-8, not NUL-terminated; NULL: none */
	size_t comment_len;      /* at most 65535 */
	const char *journey;     /* a second comment (journey.h), as the first; NULL: none */
	size_t journey_len;
};

struct pcapng_statistics {
	uint32_t interface;
	uint64_t time_ns;        /* when they were taken */
	uint64_t received;       /* isb_ifrecv: hits */
	uint64_t dropped;        /* isb_ifdrop: lost, in the ring and at the client */
	uint64_t accepted;       /* isb_filteraccept: hits that the filter let through */
	uint64_t delivered;      /* isb_usrdeliv */
};

/* Not of the standard: a block of a type that is free for local use, which readers skip. */
struct pcapng_end {
	uint64_t track;          /* number of a packet (meta.h), all of which is freed */
	uint64_t time_ns;
};

/*
 * Each returns 0, -ENOBUFS (over the buffer's limit; nothing written), -ENOMEM or -EINVAL: a string
 * of more than 65535 bytes, or cap_len over wire_len or LIMIT_SNAPLEN (other readers refuse that).
 */
int pcapng_put_section(struct buf *out, const char *application);
int pcapng_put_interface(struct buf *out, const struct pcapng_interface *i);
int pcapng_put_packet(struct buf *out, const struct pcapng_packet *p);
int pcapng_put_statistics(struct buf *out, const struct pcapng_statistics *s);
int pcapng_put_end(struct buf *out, const struct pcapng_end *e);

enum pcapng_block {
	PCAPNG_SECTION,
	PCAPNG_INTERFACE,
	PCAPNG_PACKET,
	PCAPNG_STATISTICS,
	PCAPNG_END,
	PCAPNG_OTHER, /* a block type that is not read, skipped whole */
};

/* One decoded block. Pointers are valid until the reader is next used. */
struct pcapng_event {
	enum pcapng_block type;
	const uint8_t *raw; /* the block as it came, for writers that pass it on */
	size_t raw_len;
	union {
		struct pcapng_interface interface;   /* strings NUL-terminated, owned by the reader */
		struct pcapng_packet packet;
		struct pcapng_statistics statistics;
		struct pcapng_end end;
	};
};

struct pcapng_reader;

struct pcapng_reader *pcapng_reader_new(void); /* NULL: out of memory */
void pcapng_reader_free(struct pcapng_reader *r);
/* Takes len more bytes. 0 or -ENOMEM. */
int pcapng_reader_feed(struct pcapng_reader *r, const void *bytes, size_t len);
/*
 * The same without a copy: where len bytes may be put (NULL: out of memory), and how many of them were
 * put there.
 */
uint8_t *pcapng_reader_room(struct pcapng_reader *r, size_t len);
void pcapng_reader_took(struct pcapng_reader *r, size_t len);
/*
 * The next whole block: 1 and *e filled; 0: more bytes are needed; -EBADMSG: not pcapng of the kind
 * that pcapng_put_*() write (bad length, other byte order, packet before its interface, ...), after
 * which the reader gives nothing more; the same after -ENOMEM.
 */
int pcapng_reader_next(struct pcapng_reader *r, struct pcapng_event *e);
/* Bytes of an unfinished block: not 0 at the end of the stream means that it was cut off. */
size_t pcapng_reader_pending(const struct pcapng_reader *r);

/*
 * Classic pcap, nanosecond magic (pcap-savefile(5)), for files and for tcpdump's standard input.
 * Errors as above; -EINVAL also for times after 2106, which it cannot hold.
 */
int pcap_put_header(struct buf *out, uint32_t link, uint32_t snaplen);
int pcap_put_packet(struct buf *out, uint64_t time_ns, uint32_t wire_len, uint32_t cap_len,
		    const uint8_t *data);

#endif
