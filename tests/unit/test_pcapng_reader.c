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

static void test_unknown_blocks_pass(void **state)
{
	static const uint32_t custom[] = {0x0bad, 20, 1, 2, 20};
	struct pcapng_reader *r;
	struct pcapng_event e;
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(pcapng_put_section(&b, "x"), 0);
	assert_int_equal(buf_add(&b, custom, sizeof(custom)), 0);
	assert_int_equal(pcapng_put_interface(&b, &eth), 0);
	r = reader_of(buf_head(&b), buf_len(&b));
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_int_equal(e.type, PCAPNG_SECTION);
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_int_equal(e.type, PCAPNG_OTHER);
	assert_int_equal(e.raw_len, sizeof(custom));
	assert_memory_equal(e.raw, custom, sizeof(custom));
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_int_equal(e.type, PCAPNG_INTERFACE);
	assert_string_equal(e.interface.name, eth.name);
	pcapng_reader_free(r);
	buf_clear(&b);
}

static void test_ends(void **state)
{
	const struct pcapng_end end = {0x123456789abcdef, 1700000000123456789};
	struct pcapng_reader *r;
	struct pcapng_event e;
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(pcapng_put_section(&b, "x"), 0);
	assert_int_equal(pcapng_put_end(&b, &end), 0);
	r = reader_of(buf_head(&b), buf_len(&b));
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_int_equal(e.type, PCAPNG_END);
	assert_int_equal(e.end.track, end.track);
	assert_int_equal(e.end.time_ns, end.time_ns);
	assert_int_equal(pcapng_reader_pending(r), 0);
	pcapng_reader_free(r);
	buf_clear(&b);
}

static void test_cut_off(void **state)
{
	struct pcapng_reader *r;
	struct pcapng_event e;
	struct buf b;

	put_stream(&b);
	r = reader_of(buf_head(&b), buf_len(&b) - 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_int_equal(pcapng_reader_pending(r), 75);
	assert_int_equal(pcapng_reader_next(r, &e), 0);
	assert_int_equal(pcapng_reader_pending(r), 75);
	pcapng_reader_free(r);
	buf_clear(&b);
}

/* Offsets in put_stream(): the section's block has 44 bytes, the interface's follows. */
#define SECTION    0
#define INTERFACE  44
#define PACKET     132
#define STATISTICS 188

struct mutation {
	const char *what;
	size_t offset;
	size_t len;
	const char *bytes;
	int events; /* before the refusal */
};

static const struct mutation mutations[] = {
	{"no section header", SECTION, 1, "\x01", 0},
	{"other byte order", SECTION + 8, 4, "\x1a\x2b\x3c\x4e", 0},
	{"major version", SECTION + 12, 1, "\x02", 0},
	{"minor version", SECTION + 14, 1, "\x09", 0},
	{"length below a block's", SECTION + 4, 4, "\x08\0\0\0", 0},
	{"length no multiple of 4", SECTION + 4, 4, "\x29\0\0\0", 0},
	{"length over the limit", SECTION + 4, 4, "\x04\0\x08\0", 0},
	{"huge length", SECTION + 4, 4, "\xfc\xff\xff\xff", 0},
	{"other length at the end", INTERFACE - 4, 1, "\x30", 0},
	{"option beyond the block", SECTION + 26, 2, "\xff\xff", 0},
	{"option after the last", SECTION + 24, 4, "\0\0\0\0", 0},
	{"end of options with a value", SECTION + 24, 2, "\0\0", 0},
	{"NUL in a name", INTERFACE + 21, 1, "\0", 1},
	{"filter with no type", INTERFACE + 60, 4, "\x0b\0\0\0", 1},
	{"other time resolution", INTERFACE + 56, 1, "\x06", 1},
	{"long time resolution", INTERFACE + 54, 1, "\x02", 1},
	{"no time resolution", INTERFACE + 52, 1, "\x4d", 1},
	{"packet before its interface", PACKET + 8, 1, "\x01", 2},
	{"more captured than was there", PACKET + 24, 2, "\x06\0", 2},
	{"more captured than the block has", PACKET + 20, 4, "\x1d\0\0\0", 2},
	{"captured length over the limit", PACKET + 20, 8, "\xff\xff\xff\xff\xff\xff\xff\xff", 2},
	{"statistics of no interface", STATISTICS + 8, 1, "\x01", 3},
	{"short counter", STATISTICS + 22, 1, "\x07", 3},
};

static void check_mutation(const struct mutation *m)
{
	struct pcapng_reader *r;
	struct pcapng_event e;
	int events = 0;
	struct buf b;

	put_stream(&b);
	assert_int_equal(buf_len(&b), STATISTICS + 76);
	memcpy(b.data + m->offset, m->bytes, m->len);
	r = reader_of(buf_head(&b), buf_len(&b));
	while (pcapng_reader_next(r, &e) == 1)
		events++;
	if (pcapng_reader_next(r, &e) != -EBADMSG || events != m->events)
		fail_msg("%s: not refused, or not after %d blocks", m->what, m->events);
	/* For good: and it no longer keeps what it is fed. */
	assert_int_equal(pcapng_reader_feed(r, buf_head(&b), buf_len(&b)), 0);
	assert_int_equal(pcapng_reader_pending(r), 0);
	assert_int_equal(pcapng_reader_next(r, &e), -EBADMSG);
	pcapng_reader_free(r);
	buf_clear(&b);
}

static void test_refuses(void **state)
{
	for (size_t i = 0; i < sizeof(mutations) / sizeof(mutations[0]); i++)
		check_mutation(&mutations[i]);
}

/* Less is put there than there is room for, and blocks are cut in two. */
static void test_room(void **state)
{
	struct pcapng_reader *r = pcapng_reader_new();
	struct pcapng_event e;
	size_t put = 0, events = 0, taken = 0;
	struct buf b;

	assert_non_null(r);
	put_stream(&b);
	while (put < buf_len(&b)) {
		size_t len = buf_len(&b) - put < 7 ? buf_len(&b) - put : 7;
		uint8_t *room = pcapng_reader_room(r, 1000);

		assert_non_null(room);
		memset(room, 0xff, 1000);
		memcpy(room, buf_head(&b) + put, len);
		pcapng_reader_took(r, len);
		put += len;
		for (; pcapng_reader_next(r, &e) == 1; events++) {
			assert_memory_equal(e.raw, buf_head(&b) + taken, e.raw_len);
			taken += e.raw_len;
		}
		assert_int_equal(pcapng_reader_pending(r), put - taken);
	}
	assert_int_equal(events, 4);
	assert_int_equal(taken, buf_len(&b));
	pcapng_reader_free(r);
	buf_clear(&b);
}

static void test_refuses_a_second_section(void **state)
{
	struct pcapng_reader *r;
	struct pcapng_event e;
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(pcapng_put_section(&b, "one"), 0);
	assert_int_equal(pcapng_put_section(&b, "two"), 0);
	r = reader_of(buf_head(&b), buf_len(&b));
	assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_int_equal(pcapng_reader_next(r, &e), -EBADMSG);
	pcapng_reader_free(r);
	buf_clear(&b);
}

/* A packet one byte longer than the limit, in a block that is still short enough. */
static void test_refuses_a_long_packet(void **state)
{
	const uint32_t size = 12 + 20 + LIMIT_SNAPLEN + 4;
	uint32_t *block = calloc(1, size);
	struct pcapng_reader *r;
	struct pcapng_event e;
	struct buf b;

	assert_non_null(block);
	memcpy(block, (uint32_t[]){6, size, 0, 0, 0, LIMIT_SNAPLEN + 1, LIMIT_SNAPLEN + 1}, 28);
	block[size / 4 - 1] = size;
	put_stream(&b);
	assert_int_equal(buf_add(&b, block, size), 0);
	r = reader_of(buf_head(&b), buf_len(&b));
	for (int i = 0; i < 4; i++)
		assert_int_equal(pcapng_reader_next(r, &e), 1);
	assert_int_equal(pcapng_reader_next(r, &e), -EBADMSG);
	pcapng_reader_free(r);
	buf_clear(&b);
	free(block);
}

/* A length over the limit is refused from its header, before the memory is asked for. */
static void test_long_block_is_refused_early(void **state)
{
	static const uint32_t header[] = {0x0a0d0d0a, LIMIT_SNAPLEN + 262144 + 4};
	struct pcapng_reader *r = reader_of(header, sizeof(header));
	struct pcapng_event e;

	assert_int_equal(pcapng_reader_next(r, &e), -EBADMSG);
	pcapng_reader_free(r);
	pcapng_reader_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_blocks_pass),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_refuses_a_second_section),
		cmocka_unit_test(test_refuses_a_long_packet),
		cmocka_unit_test(test_long_block_is_refused_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
