/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/stream.h"
#include "pcapng.h"

#define BYTES 64

/* A record with BYTES bytes of packet that count upwards. */
struct sample {
	struct netcap_record record;
	uint8_t data[BYTES];
};

static void make_sample(struct sample *s, uint32_t point, uint32_t ifindex, uint8_t link)
{
	memset(s, 0, sizeof(*s));
	s->record.point = point;
	s->record.ifindex = ifindex;
	s->record.link = link;
	s->record.wire_len = 100;
	s->record.cap_len = BYTES;
	memcpy(s->record.dev, "0123456789abcdef", NETCAP_DEV_LEN); /* full: no NUL */
	for (int i = 0; i < BYTES; i++)
		s->data[i] = i;
}

static const char point[] = "tracepoint:skb:kfree_skb";
static const struct comment comment = { "point=p cpu=0", 13 };

static void next(struct pcapng_reader *r, struct pcapng_event *e, enum pcapng_block type)
{
	assert_int_equal(pcapng_reader_next(r, e), 1);
	assert_int_equal(e->type, type);
}

static struct pcapng_reader *read_back(struct buf *out)
{
	struct pcapng_reader *r = pcapng_reader_new();

	assert_non_null(r);
	assert_int_equal(pcapng_reader_feed(r, buf_head(out), buf_len(out)), 0);
	return r;
}

static void test_interfaces(void **state)
{
	struct stream *s = stream_new(256, "udp");
	struct pcapng_event e;
	struct pcapng_reader *r;
	struct sample a;
	struct buf out;
	const struct {
		uint32_t point, ifindex;
		uint8_t link;
		uint32_t interface;
	} packets[] = {
		{ 0, 1, NETCAP_LINK_ETHERNET, 0 }, { 0, 2, NETCAP_LINK_ETHERNET, 1 },
		{ 0, 1, NETCAP_LINK_ETHERNET, 0 }, { 0, 1, NETCAP_LINK_RAW, 2 },
		{ 1, 1, NETCAP_LINK_ETHERNET, 3 }, { 1, 1, 77, 4 },
	};

	buf_init(&out, 0);
	assert_int_equal(stream_begin(s, &out), 0);
	for (size_t i = 0; i < sizeof(packets) / sizeof(*packets); i++) {
		make_sample(&a, packets[i].point, packets[i].ifindex, packets[i].link);
		assert_int_equal(stream_packet(s, &out, &a.record, point, &comment, NULL, 1000 + i), 0);
	}
	r = read_back(&out);
	next(r, &e, PCAPNG_SECTION);
	for (size_t i = 0, known = 0; i < sizeof(packets) / sizeof(*packets); i++) {
		if (packets[i].interface == known) {
			next(r, &e, PCAPNG_INTERFACE);
			assert_string_equal(e.interface.name, "0123456789abcdef");
			assert_string_equal(e.interface.description, point);
			assert_string_equal(e.interface.filter, "udp");
			known++;
		}
		next(r, &e, PCAPNG_PACKET);
		assert_int_equal(e.packet.interface, packets[i].interface);
		assert_int_equal(e.packet.time_ns, 1000 + i);
		assert_int_equal(e.packet.cap_len, BYTES);
		assert_int_equal(e.packet.comment_len, comment.len);
		assert_memory_equal(e.packet.comment, comment.text, comment.len);
	}
	assert_int_equal(pcapng_reader_next(r, &e), 0);
	pcapng_reader_free(r);
	buf_clear(&out);
	stream_free(s);
}

/* The tag from metadata stands at byte 12, counts in both lengths, and never exceeds the snaplen. */
static void test_vlan(void **state)
{
	uint32_t cap_len, wire_len;
	uint8_t scratch[BYTES + 4];
	const uint8_t *bytes;
	struct sample a;

	make_sample(&a, 0, 1, NETCAP_LINK_ETHERNET);
	a.record.flags = NETCAP_F_VLAN;
	a.record.vlan_tpid = 0x88a8;
	a.record.vlan_tci = 0x6123;
	bytes = stream_bytes(&a.record, 256, scratch, &cap_len, &wire_len);
	assert_int_equal(cap_len, BYTES + 4);
	assert_int_equal(wire_len, 104);
	assert_memory_equal(bytes, a.data, 12);
	assert_memory_equal(bytes + 12, "\x88\xa8\x61\x23", 4);
	assert_memory_equal(bytes + 16, a.data + 12, BYTES - 12);
	stream_bytes(&a.record, BYTES, scratch, &cap_len, &wire_len);
	assert_int_equal(cap_len, BYTES);
	a.record.cap_len = 8;
	bytes = stream_bytes(&a.record, 256, scratch, &cap_len, &wire_len);
	assert_int_equal(cap_len, 8);
	assert_int_equal(wire_len, 104);
	assert_ptr_equal(bytes, a.data);
}

static void test_stack_slot(void **state)
{
	size_t slot = NETCAP_STACK_FRAMES * sizeof(uint64_t);
	struct netcap_record *r = calloc(1, sizeof(*r) + slot + 1);
	uint32_t cap_len, wire_len;

	r->flags = NETCAP_F_STACK;
	r->cap_len = r->wire_len = 1;
	((uint8_t *)r->stack)[slot] = 0x5a;
	assert_int_equal(*stream_bytes(r, 256, NULL, &cap_len, &wire_len), 0x5a);
	free(r);
}

static void test_full(void **state)
{
	struct stream *s = stream_new(256, NULL);
	struct sample a;
	struct buf out;
	size_t before;

	buf_init(&out, 600);
	make_sample(&a, 0, 1, NETCAP_LINK_ETHERNET);
	assert_int_equal(stream_begin(s, &out), 0);
	while (!stream_packet(s, &out, &a.record, point, &comment, NULL, 1))
		;
	before = buf_len(&out);
	assert_int_equal(stream_packet(s, &out, &a.record, point, &comment, NULL, 1), -ENOBUFS);
	assert_int_equal(buf_len(&out), before);
	buf_clear(&out);
	stream_free(s);
}

/* Counts of a trace point stand on one of its interfaces only; a sum over all of them is right. */
static void test_statistics(void **state)
{
	const struct counters c = { .hits = 50, .filtered = 20, .captured = 3, .lost_ring = 4,
				    .lost_client = 5 };
	struct stream *s = stream_new(256, NULL);
	uint64_t received = 0, dropped = 0, delivered = 0;
	struct pcapng_event e;
	struct pcapng_reader *r;
	struct sample a;
	struct buf out;
	int blocks = 0;

	buf_init(&out, 0);
	stream_begin(s, &out);
	for (uint32_t i = 0; i < 3; i++) {
		make_sample(&a, 0, 1 + i % 2, NETCAP_LINK_ETHERNET);
		stream_packet(s, &out, &a.record, point, &comment, NULL, 1);
	}
	assert_int_equal(stream_end_point(s, &out, 0, point, &c, 9), 0);
	assert_int_equal(stream_end_point(s, &out, 1, "tracepoint:net:netif_rx", &c, 9), 0);
	r = read_back(&out);
	while (pcapng_reader_next(r, &e) == 1) {
		if (e.type != PCAPNG_STATISTICS)
			continue;
		blocks++;
		received += e.statistics.received;
		dropped += e.statistics.dropped;
		delivered += e.statistics.delivered;
	}
	assert_int_equal(blocks, 3); /* two of point 0, and one for point 1, which saw no packet */
	assert_int_equal(received, 100);
	assert_int_equal(dropped, 18);
	assert_int_equal(delivered, 3);
	pcapng_reader_free(r);
	buf_clear(&out);
	stream_free(s);
}

/* More devices than the table takes: packets still go somewhere. */
static void test_many_devices(void **state)
{
	struct stream *s = stream_new(64, NULL);
	struct sample a;
	struct buf out;

	buf_init(&out, 0);
	for (uint32_t i = 1; i < 5000; i++) {
		make_sample(&a, 0, i, NETCAP_LINK_ETHERNET);
		assert_int_equal(stream_packet(s, &out, &a.record, point, &comment, NULL, 1), 0);
	}
	buf_clear(&out);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interfaces), cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_stack_slot), cmocka_unit_test(test_full),
		cmocka_unit_test(test_statistics), cmocka_unit_test(test_many_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
