/* SPDX-License-Identifier: BSD-2-Clause */
#include "pcapng.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "limit.h"
#include "pcapng_format.h"

#define PCAP_MAGIC_NS      0xa1b23c4du
#define PCAP_MAJOR         2
#define PCAP_MINOR         4
#define PCAP_FILE_HEADER   24
#define PCAP_PACKET_HEADER 16
#define NS_PER_S           1000000000u

#define STATISTICS_OPTIONS 4

_Static_assert(BLOCK_FRAME + PACKET_FIXED + LIMIT_SNAPLEN + 2 * OPTION_VALUE_MAX + 32 <= BLOCK_MAX,
	       "the largest packet must pass the reader");
_Static_assert(BLOCK_FRAME + INTERFACE_FIXED + 3 * OPTION_VALUE_MAX + 32 <= BLOCK_MAX,
	       "the largest interface must pass the reader");

/* Writers put a value and return the address behind it; the caller has reserved the room. */
static uint8_t *put16(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static uint8_t *put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static uint8_t *put_time(uint8_t *at, uint64_t time_ns)
{
	at = put32(at, (uint32_t)(time_ns >> 32));
	return put32(at, (uint32_t)time_ns);
}

static uint8_t *put_padded(uint8_t *at, const void *bytes, size_t len)
{
	if (len)
		memcpy(at, bytes, len);
	memset(at + len, 0, pcapng_padded(len) - len);
	return at + pcapng_padded(len);
}

static size_t option_size(size_t len)
{
	return OPTION_HEADER + pcapng_padded(len);
}

static uint8_t *put_option(uint8_t *at, uint16_t code, const void *value, size_t len)
{
	at = put16(at, code);
	at = put16(at, (uint16_t)len);
	return put_padded(at, value, len);
}

static uint8_t *put_end_of_options(uint8_t *at)
{
	return put_option(at, OPT_END, NULL, 0);
}

static size_t text_size(const char *text)
{
	return text ? option_size(strlen(text)) : 0;
}

static uint8_t *put_text(uint8_t *at, uint16_t code, const char *text)
{
	return text ? put_option(at, code, text, strlen(text)) : at;
}

static size_t filter_size(const char *filter)
{
	return filter ? option_size(1 + strlen(filter)) : 0;
}

static uint8_t *put_filter(uint8_t *at, const char *filter)
{
	size_t len;

	if (!filter)
		return at;
	len = 1 + strlen(filter);
	at = put16(at, IF_FILTER);
	at = put16(at, (uint16_t)len);
	at[0] = FILTER_IS_TEXT;
	memcpy(at + 1, filter, len - 1);
	memset(at + len, 0, pcapng_padded(len) - len);
	return at + pcapng_padded(len);
}

static bool text_fits(const char *text, size_t max)
{
	return !text || strlen(text) <= max;
}

/* Reserves a whole block and writes its beginning. NULL with errno set: no room. */
static uint8_t *block_begin(struct buf *out, uint32_t type, size_t size)
{
	uint8_t *at = buf_reserve(out, size);

	if (!at)
		return NULL;
	at = put32(at, type);
	return put32(at, (uint32_t)size);
}

static void block_end(struct buf *out, uint8_t *at, size_t size)
{
	put32(at, (uint32_t)size);
	buf_commit(out, size);
}

const char *pcapng_link_name(uint16_t link)
{
	return link == PCAPNG_LINK_ETHERNET ? "ethernet" : link == PCAPNG_LINK_RAW ? "raw" : "none";
}

int pcapng_put_section(struct buf *out, const char *application)
{
	size_t size = BLOCK_FRAME + SECTION_FIXED + text_size(application) + OPTION_HEADER;
	uint8_t *at;

	if (!text_fits(application, OPTION_VALUE_MAX))
		return -EINVAL;
	at = block_begin(out, BLOCK_SECTION, size);
	if (!at)
		return -errno;
	at = put32(at, SECTION_MAGIC);
	at = put16(at, SECTION_MAJOR);
	at = put16(at, SECTION_MINOR);
	at = put64(at, UINT64_MAX); /* length of the section: not known */
	at = put_text(at, SHB_USERAPPL, application);
	block_end(out, put_end_of_options(at), size);
	return 0;
}

int pcapng_put_interface(struct buf *out, const struct pcapng_interface *i)
{
	const uint8_t resolution = NANOSECONDS;
	size_t size = BLOCK_FRAME + INTERFACE_FIXED + text_size(i->name) +
		      text_size(i->description) + filter_size(i->filter) +
		      option_size(sizeof(resolution)) + OPTION_HEADER;
	uint8_t *at;

	if (!text_fits(i->name, OPTION_VALUE_MAX) || !text_fits(i->description, OPTION_VALUE_MAX) ||
	    !text_fits(i->filter, OPTION_VALUE_MAX - 1))
		return -EINVAL;
	at = block_begin(out, BLOCK_INTERFACE, size);
	if (!at)
		return -errno;
	at = put16(at, i->link);
	at = put16(at, 0); /* reserved */
	at = put32(at, i->snaplen);
	at = put_text(at, IF_NAME, i->name);
	at = put_text(at, IF_DESCRIPTION, i->description);
	at = put_option(at, IF_TSRESOL, &resolution, sizeof(resolution));
	at = put_filter(at, i->filter);
	block_end(out, put_end_of_options(at), size);
	return 0;
}

int pcapng_put_packet(struct buf *out, const struct pcapng_packet *p)
{
	size_t options = p->comment ? option_size(p->comment_len) + OPTION_HEADER : 0;
	size_t journey = p->journey ? option_size(p->journey_len) : 0; /* behind the comment */
	size_t size = BLOCK_FRAME + PACKET_FIXED + pcapng_padded(p->cap_len) + options + journey;
	uint8_t *at;

	if (p->cap_len > p->wire_len || p->cap_len > LIMIT_SNAPLEN ||
	    (p->comment && p->comment_len > OPTION_VALUE_MAX) ||
	    (p->journey && (!p->comment || p->journey_len > OPTION_VALUE_MAX)))
		return -EINVAL;
	at = block_begin(out, BLOCK_PACKET, size);
	if (!at)
		return -errno;
	at = put32(at, p->interface);
	at = put_time(at, p->time_ns);
	at = put32(at, p->cap_len);
	at = put32(at, p->wire_len);
	at = put_padded(at, p->data, p->cap_len);
	if (p->comment) {
		at = put_option(at, OPT_COMMENT, p->comment, p->comment_len);
		if (p->journey)
			at = put_option(at, OPT_COMMENT, p->journey, p->journey_len);
		at = put_end_of_options(at);
	}
	block_end(out, at, size);
	return 0;
}

int pcapng_put_statistics(struct buf *out, const struct pcapng_statistics *s)
{
	size_t size = BLOCK_FRAME + STATISTICS_FIXED +
		      STATISTICS_OPTIONS * option_size(sizeof(uint64_t)) + OPTION_HEADER;
	uint8_t *at = block_begin(out, BLOCK_STATISTICS, size);

	if (!at)
		return -errno;
	at = put32(at, s->interface);
	at = put_time(at, s->time_ns);
	at = put_option(at, ISB_IFRECV, &s->received, sizeof(s->received));
	at = put_option(at, ISB_IFDROP, &s->dropped, sizeof(s->dropped));
	at = put_option(at, ISB_FILTERACCEPT, &s->accepted, sizeof(s->accepted));
	at = put_option(at, ISB_USRDELIV, &s->delivered, sizeof(s->delivered));
	block_end(out, put_end_of_options(at), size);
	return 0;
}

int pcapng_put_end(struct buf *out, const struct pcapng_end *e)
{
	size_t size = BLOCK_FRAME + END_FIXED;
	uint8_t *at = block_begin(out, BLOCK_END, size);

	if (!at)
		return -errno;
	at = put64(at, e->track);
	block_end(out, put_time(at, e->time_ns), size);
	return 0;
}

int pcap_put_header(struct buf *out, uint32_t link, uint32_t snaplen)
{
	uint8_t *at = buf_reserve(out, PCAP_FILE_HEADER);

	if (!at)
		return -errno;
	at = put32(at, PCAP_MAGIC_NS);
	at = put16(at, PCAP_MAJOR);
	at = put16(at, PCAP_MINOR);
	at = put64(at, 0); /* offset from UTC and accuracy: unused */
	/* Unlike in pcapng, 0 is no way to say "no limit" that all readers know. */
	at = put32(at, snaplen ? snaplen : LIMIT_SNAPLEN);
	put32(at, link);
	buf_commit(out, PCAP_FILE_HEADER);
	return 0;
}

int pcap_put_packet(struct buf *out, uint64_t time_ns, uint32_t wire_len, uint32_t cap_len,
		    const uint8_t *data)
{
	size_t size = PCAP_PACKET_HEADER + (size_t)cap_len;
	uint8_t *at;

	if (cap_len > wire_len || cap_len > LIMIT_SNAPLEN || time_ns / NS_PER_S > UINT32_MAX)
		return -EINVAL;
	at = buf_reserve(out, size);
	if (!at)
		return -errno;
	at = put32(at, (uint32_t)(time_ns / NS_PER_S));
	at = put32(at, (uint32_t)(time_ns % NS_PER_S));
	at = put32(at, cap_len);
	at = put32(at, wire_len);
	if (cap_len)
		memcpy(at, data, cap_len);
	buf_commit(out, size);
	return 0;
}
