/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "limit.h"
#include "pcapng_sample.h"

static void assert_text(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static void assert_interface(const struct pcapng_event *e, const struct pcapng_interface *i)
{
	assert_int_equal(e->type, PCAPNG_INTERFACE);
	assert_int_equal(e->interface.link, i->link);
	assert_int_equal(e->interface.snaplen, i->snaplen);
	assert_text(e->interface.name, i->name);
	assert_text(e->interface.description, i->description);
	assert_text(e->interface.filter, i->filter);
}

static void assert_packet(const struct pcapng_event *e, const struct pcapng_packet *p)
{
	assert_int_equal(e->type, PCAPNG_PACKET);
	assert_int_equal(e->packet.interface, p->interface);
	assert_true(e->packet.time_ns == p->time_ns);
	assert_int_equal(e->packet.wire_len, p->wire_len);
	assert_int_equal(e->packet.cap_len, p->cap_len);
	if (p->cap_len)
		assert_memory_equal(e->packet.data, p->data, p->cap_len);
	assert_int_equal(!e->packet.comment, !p->comment);
	assert_int_equal(e->packet.comment_len, p->comment_len);
	if (p->comment_len)
		assert_memory_equal(e->packet.comment, p->comment, p->comment_len);
	assert_int_equal(!e->packet.journey, !p->journey);
	assert_int_equal(e->packet.journey_len, p->journey_len);
	if (p->journey_len)
		assert_memory_equal(e->packet.journey, p->journey, p->journey_len);
}

static void assert_statistics(const struct pcapng_event *e, const struct pcapng_statistics *s)
{
	assert_int_equal(e->type, PCAPNG_STATISTICS);
	assert_int_equal(e->statistics.interface, s->interface);
	assert_true(e->statistics.time_ns == s->time_ns);
	assert_true(e->statistics.received == s->received);
	assert_true(e->statistics.dropped == s->dropped);
	assert_true(e->statistics.accepted == s->accepted);
	assert_true(e->statistics.delivered == s->delivered);
}

/* Takes the four events of put_stream(), feeding step bytes whenever the reader wants more. */
static void check_stream(const struct buf *b, size_t step)
{
	struct pcapng_reader *r = pcapng_reader_new();
	size_t fed = 0, raw = 0;
	struct pcapng_event e;
	int events = 0;

	assert_non_null(r);
	while (events < 4) {
		int ret = pcapng_reader_next(r, &e);

		if (ret == 0) {
			size_t len = step < buf_len(b) - fed ? step : buf_len(b) - fed;

			assert_true(len > 0);
			assert_int_equal(pcapng_reader_feed(r, buf_head(b) + fed, len), 0);
			fed += len;
			continue;
		}
		assert_int_equal(ret, 1);
		assert_memory_equal(e.raw, buf_head(b) + raw, e.raw_len);
		raw += e.raw_len;
		if (events == 0)
			assert_int_equal(e.type, PCAPNG_SECTION);
		else if (events == 1)
			assert_interface(&e, &eth);
		else if (events == 2)
			assert_packet(&e, &packet);
		else
			assert_statistics(&e, &statistics);
		events++;
	}
	assert_int_equal(raw, buf_len(b));
	assert_int_equal(pcapng_reader_pending(r), 0);
	assert_int_equal(pcapng_reader_next(r, &e), 0);
	pcapng_reader_free(r);
}

static void test_round_trip_in_any_portions(void **state)
{
	struct buf b;

	put_stream(&b);
	for (size_t step = 1; step <= buf_len(&b); step++)
		check_stream(&b, step);
	buf_clear(&b);
}

/* Byte for byte, from the draft: a mistake made alike in both directions would show here. */
static void test_packet_bytes(void **state)
{
	static const struct {
		uint32_t type, size, interface, time_high, time_low, cap_len, wire_len;
		uint8_t data[8];
		uint16_t comment_code, comment_len;
		char comment[8];
		uint16_t end_code, end_len;
		uint32_t size_again;
	} want = {
		6, 56, 0, 0x17979cfe, 0x3d85cd15, 7, 1500, {1, 2, 3, 4, 5, 6, 7, 0},
		1, 7, "point=x", 0, 0, 56,
	};
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(buf_add(&b, "\xff\xff\xff\xff\xff\xff\xff\xff", 8), 0);
	buf_truncate(&b, 0); /* padding must be zeroed, not be what was there */
	assert_int_equal(pcapng_put_packet(&b, &packet), 0);
	assert_int_equal(buf_len(&b), sizeof(want));
	assert_memory_equal(buf_head(&b), &want, sizeof(want));
	buf_clear(&b);
}

static void test_interface_bytes(void **state)
{
	static const struct {
		uint32_t type, size;
		uint16_t link, reserved;
		uint32_t snaplen;
		uint16_t name_code, name_len;
		char name[4];
		uint16_t description_code, description_len;
		char description[8];
		uint16_t resolution_code, resolution_len;
		uint8_t resolution[4];
		uint16_t filter_code, filter_len;
		char filter[8];
		uint16_t end_code, end_len;
		uint32_t size_again;
	} want = {
		1, 64, 101, 0, 96, 2, 2, "lo", 3, 5, "a:b:c", 9, 1, {9}, 11, 5, "\0icmp", 0, 0, 64,
	};
	const struct pcapng_interface raw = {101, 96, "lo", "a:b:c", "icmp"};
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(pcapng_put_interface(&b, &raw), 0);
	assert_int_equal(buf_len(&b), sizeof(want));
	assert_memory_equal(buf_head(&b), &want, sizeof(want));
	buf_clear(&b);
}

static void test_statistics_bytes(void **state)
{
	static const uint32_t want_fixed[] = {5, 76, 0, 0x17979cfe, 0x3d85cd16};
	static const uint16_t want_codes[] = {4, 5, 6, 8};
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(pcapng_put_statistics(&b, &statistics), 0);
	assert_int_equal(buf_len(&b), 76);
	assert_memory_equal(buf_head(&b), want_fixed, sizeof(want_fixed));
	for (int i = 0; i < 4; i++)
		assert_memory_equal(buf_head(&b) + 20 + 12 * i, &want_codes[i], 2);
	buf_clear(&b);
}

static void test_absent_texts_and_comments(void **state)
{
	const struct pcapng_interface plain = {.link = PCAPNG_LINK_USER0};
	const struct pcapng_interface empty = {
		.link = PCAPNG_LINK_RAW, .name = "", .description = "", .filter = ""};
	const struct pcapng_packet bare = {.wire_len = 3};
	const struct pcapng_packet void_comment = {.interface = 1, .comment = "", .comment_len = 0};
	const struct pcapng_packet with_journey = {
		.interface = 1, .comment = "a=b", .comment_len = 3, .journey = "journey=freed", .journey_len = 13};
	const struct pcapng_packet only_journey = {.interface = 1, .journey = "journey=freed", .journey_len = 13};
	struct pcapng_reader *r;
	struct pcapng_event e;
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(pcapng_put_section(&b, NULL), 0);
	assert_int_equal(pcapng_put_interface(&b, &plain), 0);
	assert_int_equal(pcapng_put_interface(&b, &empty), 0);
	assert_int_equal(pcapng_put_packet(&b, &bare), 0);
	assert_int_equal(pcapng_put_packet(&b, &void_comment), 0);
	assert_int_equal(pcapng_put_packet(&b, &with_journey), 0);
	assert_int_equal(pcapng_put_packet(&b, &only_journey), -EINVAL);
	r = reader_of(buf_head(&b), buf_len(&b));
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_interface(&e, &plain);
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_interface(&e, &empty);
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_packet(&e, &bare);
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_packet(&e, &void_comment);
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_packet(&e, &with_journey);
	pcapng_reader_free(r);
	buf_clear(&b);
}

/* All sizes of data and comment, so all paddings, with a limit that is hit on the way. */
static void test_sizes_and_limit(void **state)
{
	uint8_t data[67];
	struct pcapng_packet p = {.wire_len = 99, .data = data, .comment = (const char *)data};
	struct pcapng_reader *r = reader_of("", 0);
	struct pcapng_event e;
	struct buf b;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i + 1);
	buf_init(&b, 200);
	assert_int_equal(pcapng_put_section(&b, NULL), 0);
	assert_int_equal(pcapng_put_interface(&b, &eth), 0);
	for (p.cap_len = 0; p.cap_len < sizeof(data); p.cap_len++) {
		p.comment_len = (p.cap_len * 7u) % sizeof(data);
		while (pcapng_put_packet(&b, &p) == -ENOBUFS) {
			size_t len = buf_len(&b);

			assert_true(len > 0);
			assert_int_equal(pcapng_reader_feed(r, buf_head(&b), len), 0);
			buf_drop(&b, len);
		}
	}
	assert_int_equal(pcapng_reader_feed(r, buf_head(&b), buf_len(&b)), 0);
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	for (p.cap_len = 0; p.cap_len < sizeof(data); p.cap_len++) {
		p.comment_len = (p.cap_len * 7u) % sizeof(data);
		assert_int_equal(pcapng_reader_next(r, &e), 1);
		assert_packet(&e, &p);
	}
	assert_int_equal(pcapng_reader_next(r, &e), 0);
	assert_int_equal(pcapng_reader_pending(r), 0);
	pcapng_reader_free(r);
	buf_clear(&b);
}

static void test_largest(void **state)
{
	uint8_t *data = calloc(1, LIMIT_SNAPLEN);
	char *text = calloc(1, 65537);
	struct pcapng_interface i = {.link = 1, .name = text, .description = text};
	struct pcapng_packet p = {
		.wire_len = LIMIT_SNAPLEN + 1, .cap_len = LIMIT_SNAPLEN, .data = data,
		.comment = text, .comment_len = 65535,
	};
	struct pcapng_reader *r;
	struct pcapng_event e;
	struct buf b;

	assert_non_null(data);
	assert_non_null(text);
	memset(text, 'x', 65535);
	i.filter = text + 1;
	put_stream(&b);
	assert_int_equal(pcapng_put_interface(&b, &i), 0);
	assert_int_equal(pcapng_put_packet(&b, &p), 0);
	r = reader_of(buf_head(&b), buf_len(&b));
	for (int n = 0; n < 5; n++)
		assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_interface(&e, &i);
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_packet(&e, &p);
	pcapng_reader_free(r);
	buf_clear(&b);
	free(data);
	free(text);
}

static void test_encoder_refuses(void **state)
{
	char *text = calloc(1, 65537);
	const struct pcapng_interface name = {.name = text};
	const struct pcapng_interface description = {.description = text};
	const struct pcapng_interface filter = {.filter = text + 1};
	struct pcapng_packet p = {.wire_len = 3, .cap_len = 4, .data = payload};
	struct buf b;

	assert_non_null(text);
	memset(text, 'x', 65536);
	buf_init(&b, 0);
	assert_int_equal(pcapng_put_section(&b, text), -EINVAL);
	assert_int_equal(pcapng_put_interface(&b, &name), -EINVAL);
	assert_int_equal(pcapng_put_interface(&b, &description), -EINVAL);
	assert_int_equal(pcapng_put_interface(&b, &filter), -EINVAL);
	assert_int_equal(pcapng_put_packet(&b, &p), -EINVAL);
	p = (struct pcapng_packet){.wire_len = UINT32_MAX, .cap_len = LIMIT_SNAPLEN + 1};
	assert_int_equal(pcapng_put_packet(&b, &p), -EINVAL);
	p = (struct pcapng_packet){.comment = text, .comment_len = 65536};
	assert_int_equal(pcapng_put_packet(&b, &p), -EINVAL);
	assert_int_equal(pcap_put_packet(&b, 0, 3, 4, payload), -EINVAL);
	assert_int_equal(pcap_put_packet(&b, 0, UINT32_MAX, LIMIT_SNAPLEN + 1, payload), -EINVAL);
	assert_int_equal(pcap_put_packet(&b, UINT64_MAX, 4, 4, payload), -EINVAL);
	assert_int_equal(buf_len(&b), 0);
	buf_clear(&b);
	free(text);
}

static void test_full_buffer_stays_as_it_was(void **state)
{
	struct buf b;

	buf_init(&b, 8);
	assert_int_equal(buf_add(&b, "before", 6), 0);
	assert_int_equal(pcapng_put_section(&b, "x"), -ENOBUFS);
	assert_int_equal(pcapng_put_interface(&b, &eth), -ENOBUFS);
	assert_int_equal(pcapng_put_packet(&b, &packet), -ENOBUFS);
	assert_int_equal(pcapng_put_statistics(&b, &statistics), -ENOBUFS);
	assert_int_equal(pcap_put_header(&b, 1, 256), -ENOBUFS);
	assert_int_equal(pcap_put_packet(&b, 0, 4, 4, payload), -ENOBUFS);
	assert_int_equal(buf_len(&b), 6);
	assert_memory_equal(buf_head(&b), "before", 6);
	buf_clear(&b);
}

static void test_pcap_bytes(void **state)
{
	static const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snaplen, link;
		uint32_t seconds, nanoseconds, cap_len, wire_len;
		uint8_t data[7];
	} __attribute__((packed)) want = {
		0xa1b23c4d, 2, 4, 0, 0, 256, 101, 1700000000, 123456789, 7, 1500,
		{1, 2, 3, 4, 5, 6, 7},
	};
	const uint32_t unlimited = LIMIT_SNAPLEN;
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(pcap_put_header(&b, PCAPNG_LINK_RAW, 256), 0);
	assert_int_equal(pcap_put_packet(&b, TIME_NS, 1500, sizeof(payload), payload), 0);
	assert_int_equal(buf_len(&b), sizeof(want));
	assert_memory_equal(buf_head(&b), &want, sizeof(want));
	buf_truncate(&b, 0);
	assert_int_equal(pcap_put_header(&b, PCAPNG_LINK_RAW, 0), 0);
	assert_memory_equal(buf_head(&b) + 16, &unlimited, sizeof(unlimited));
	assert_int_equal(pcap_put_packet(&b, 0, 0, 0, NULL), 0);
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip_in_any_portions),
		cmocka_unit_test(test_packet_bytes),
		cmocka_unit_test(test_interface_bytes),
		cmocka_unit_test(test_statistics_bytes),
		cmocka_unit_test(test_absent_texts_and_comments),
		cmocka_unit_test(test_sizes_and_limit),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_encoder_refuses),
		cmocka_unit_test(test_full_buffer_stays_as_it_was),
		cmocka_unit_test(test_pcap_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
