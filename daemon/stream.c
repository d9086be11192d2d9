/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/stream.h"
#include "pcapng.h"
#include "version.h"

#define SLOTS        4096 /* of the hash table, a power of two */
#define MAX_INTERFACES 2048 /* then packets go to an interface without device name */
#define TAG_AT       12
#define TAG_BYTES    4
#define TPID_8021Q   0x8100

struct interface {
	uint32_t point;
	uint32_t ifindex; /* with netns it tells devices apart, whatever they are called */
	uint32_t netns;
	uint16_t link; /* PCAPNG_LINK_* */
	uint64_t delivered; /* packets */
};

struct stream {
	uint32_t snaplen;
	char *filter;
	uint8_t *scratch;
	struct interface *interfaces; /* in the order of the blocks */
	uint32_t count, size;
	uint32_t slots[SLOTS]; /* index + 1, 0: free */
};

uint16_t stream_link(const struct netcap_record *r)
{
	switch (r->link) {
	case NETCAP_LINK_ETHERNET:
		return PCAPNG_LINK_ETHERNET;
	case NETCAP_LINK_RAW:
		return PCAPNG_LINK_RAW;
	default:
		return PCAPNG_LINK_USER0;
	}
}

struct stream *stream_new(uint32_t snaplen, const char *filter)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->snaplen = snaplen;
	s->scratch = malloc(snaplen + STREAM_TAG_BYTES);
	if (filter)
		s->filter = strdup(filter);
	if (s->scratch && (!filter || s->filter))
		return s;
	stream_free(s);
	return NULL;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	free(s->filter);
	free(s->scratch);
	free(s->interfaces);
	free(s);
}

int stream_begin(struct stream *s, struct buf *out)
{
	return pcapng_put_section(out, "netcapd " NETCAPD_VERSION);
}

static bool same(const struct interface *a, const struct interface *b)
{
	return a->point == b->point && a->ifindex == b->ifindex && a->netns == b->netns &&
	       a->link == b->link;
}

/* The slot that key is in, or the free one where it belongs. The table is never full. */
static uint32_t *slot_of(struct stream *s, const struct interface *key)
{
	uint32_t hash = key->point * 0x9e3779b1u ^ key->ifindex * 0x85ebca6bu ^
			key->netns * 0xc2b2ae35u ^ key->link;

	for (;; hash++) {
		uint32_t *slot = &s->slots[hash % SLOTS];

		if (!*slot || same(&s->interfaces[*slot - 1], key))
			return slot;
	}
}

static int add_interface(struct stream *s, struct buf *out, const struct interface *key,
			 const char *device, const char *point, uint32_t *slot)
{
	const struct pcapng_interface block = {
		.link = key->link,
		.snaplen = s->snaplen,
		.name = device,
		.description = point,
		.filter = s->filter,
	};
	int r;

	if (s->count == s->size) {
		uint32_t size = s->size ? 2 * s->size : 16;
		struct interface *more = realloc(s->interfaces, size * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->interfaces = more;
		s->size = size;
	}
	r = pcapng_put_interface(out, &block);
	if (r)
		return r;
	s->interfaces[s->count++] = *key;
	*slot = s->count;
	return 0;
}

/* Writes the tags that go back into the packet. Bytes of them. */
static uint32_t put_tags(const struct netcap_record *r, uint8_t tags[STREAM_TAG_BYTES])
{
	const uint16_t words[] = { r->vlan_tpid, r->vlan_tci, TPID_8021Q, r->vlan_inner };
	uint32_t len = !(r->flags & NETCAP_F_VLAN) ? 0 : r->flags & NETCAP_F_QINQ ? 2 * TAG_BYTES : TAG_BYTES;

	for (uint32_t i = 0; i < len / 2; i++) {
		tags[2 * i] = words[i] >> 8;
		tags[2 * i + 1] = words[i];
	}
	return len;
}

const uint8_t *stream_bytes(const struct netcap_record *r, uint32_t snaplen, uint8_t *scratch,
			    uint32_t *cap_len, uint32_t *wire_len)
{
	const uint8_t *data = (const uint8_t *)(r->stack + (r->flags & NETCAP_F_STACK ?
							    NETCAP_STACK_FRAMES : 0) + r->user_words);
	uint8_t tags[STREAM_TAG_BYTES];
	uint32_t len = put_tags(r, tags);

	*cap_len = r->cap_len;
	*wire_len = r->wire_len + len;
	if (!len || r->cap_len < TAG_AT)
		return data;
	*cap_len += len;
	if (*cap_len > snaplen)
		*cap_len = snaplen;
	memcpy(scratch, data, TAG_AT);
	memcpy(scratch + TAG_AT, tags, len);
	memcpy(scratch + TAG_AT + len, data + TAG_AT, r->cap_len - TAG_AT);
	return scratch;
}

/* The interface of this packet, which is the first one there. */
static int first_packet(struct stream *s, struct buf *out, const struct interface *key,
			const struct netcap_record *r, const char *point, uint32_t *slot)
{
	char device[NETCAP_DEV_LEN + 1] = { 0 }; /* the record's may be full */

	memcpy(device, r->dev, NETCAP_DEV_LEN);
	return add_interface(s, out, key, key->ifindex && *device ? device : NULL, point, slot);
}

int stream_packet(struct stream *s, struct buf *out, const struct netcap_record *r,
		  const char *point, const struct comment *comment, const struct comment *journey,
		  uint64_t time_ns)
{
	struct interface key = { r->point, r->ifindex, r->netns, stream_link(r), 0 };
	struct pcapng_packet packet = { .time_ns = time_ns };
	uint32_t *slot;
	int error;

	if (s->count >= MAX_INTERFACES)
		key.ifindex = key.netns = 0;
	slot = slot_of(s, &key);
	if (!*slot) {
		/* it stays if there is no room for the packet: without packets it does no harm */
		error = first_packet(s, out, &key, r, point, slot);
		if (error)
			return error;
	}
	packet.interface = *slot - 1;
	packet.data = stream_bytes(r, s->snaplen, s->scratch, &packet.cap_len, &packet.wire_len);
	packet.comment = comment->text;
	packet.comment_len = comment->len;
	if (journey) {
		packet.journey = journey->text;
		packet.journey_len = journey->len;
	}
	error = pcapng_put_packet(out, &packet);
	if (!error)
		s->interfaces[packet.interface].delivered++;
	return error;
}

int stream_end_point(struct stream *s, struct buf *out, uint32_t point, const char *name,
		     const struct counters *c, uint64_t time_ns)
{
	struct pcapng_statistics block = {
		.time_ns = time_ns,
		.received = c->hits,
		.dropped = c->lost_ring + c->lost_client,
		.accepted = c->hits - c->filtered,
	};
	struct interface key = { .point = point, .link = PCAPNG_LINK_ETHERNET };
	bool first = true;
	int r;

	for (uint32_t i = 0; i < s->count; i++) {
		if (s->interfaces[i].point != point)
			continue;
		block.interface = i;
		block.delivered = s->interfaces[i].delivered;
		r = pcapng_put_statistics(out, &block);
		if (r)
			return r;
		/* so that a sum over interfaces is right, what is known per trace point stands once */
		block.received = block.dropped = block.accepted = 0;
		first = false;
	}
	if (!first)
		return 0;
	block.interface = s->count;
	r = add_interface(s, out, &key, NULL, name, slot_of(s, &key));
	return r ? r : pcapng_put_statistics(out, &block);
}
