/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "client_packet.h"
#include "exitcode.h"

static char path[64], older[80];

static int setup(void **state)
{
	strcpy(path, "/tmp/netcap-filesink-XXXXXX");
	assert_non_null(mkdtemp(path));
	strcat(path, "/out");
	snprintf(older, sizeof(older), "%s.older", path);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	unlink(older);
	*strrchr(path, '/') = '\0';
	return rmdir(path); /* nothing else may have been left there */
}

static struct sink *make(bool pcap, uint64_t rotate)
{
	struct options o = {.write_path = path, .rotate = rotate,
			    .format = pcap ? FORMAT_PCAP : FORMAT_PCAPNG};
	int code = -1;
	struct sink *sink = filesink_new(&o, &code);

	assert_int_equal(code, EXITCODE_OK);
	assert_non_null(sink);
	return sink;
}

/* A stream of Ethernet packets from..to-1. */
static void feed(struct sink *sink, uint32_t from, uint32_t to, int expected)
{
	struct buf b;

	buf_init(&b, 0);
	client_put_head(&b);
	for (uint32_t n = from; n < to; n++)
		client_put_packet(&b, 0, n, 60 + n % 100);
	assert_int_equal(client_feed(sink, &b), expected);
	buf_clear(&b);
}

/* Reads a pcapng file that must hold exactly the packets from..to-1, and nothing cut off. */
static void assert_pcapng(const char *file, uint32_t from, uint32_t to)
{
	struct pcapng_reader *reader = pcapng_reader_new();
	struct pcapng_event e;
	FILE *in = fopen(file, "r");
	char bytes[4096];
	size_t n;
	int more;

	assert_non_null(in);
	while ((n = fread(bytes, 1, sizeof(bytes), in)))
		assert_int_equal(pcapng_reader_feed(reader, bytes, n), 0);
	fclose(in);
	while ((more = pcapng_reader_next(reader, &e)) == 1) {
		uint32_t number;

		if (e.type != PCAPNG_PACKET)
			continue;
		memcpy(&number, e.packet.data + 16, sizeof(number));
		assert_int_equal(number, from);
		assert_int_equal(e.packet.comment_len, strlen(CLIENT_COMMENT));
		from++;
	}
	assert_int_equal(more, 0);
	assert_int_equal(pcapng_reader_pending(reader), 0);
	assert_int_equal(from, to);
	pcapng_reader_free(reader);
}

/* Packets of a classic pcap file; *last: number in the last one. -1: not well formed. */
static int count_pcap(const char *file, uint32_t *last)
{
	FILE *in = fopen(file, "r");
	uint8_t header[24], record[16], data[8192];
	long end = 24;
	uint32_t len;
	int count = 0;

	assert_non_null(in);
	if (fread(header, 1, 24, in) != 24)
		count = -1;
	while (count >= 0 && fread(record, 1, 16, in) == 16) {
		memcpy(&len, record + 8, 4);
		if (len > sizeof(data) || fread(data, 1, len, in) != len)
			break;
		memcpy(last, data + 16, 4);
		count++;
		end = ftell(in);
	}
	fseek(in, 0, SEEK_END);
	if (count >= 0 && ftell(in) != end)
		count = -1; /* part of a record at the end */
	fclose(in);
	return count;
}

static void pcapng_is_passed_on_as_it_is(void **state)
{
	struct sink *sink = make(false, 0);
	struct stat st;

	feed(sink, 0, 500, 0);
	assert_int_equal(sink->finish(sink), 0);
	assert_int_equal(sink->packets, 500);
	sink->free(sink);
	assert_pcapng(path, 0, 500);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void ways_of_packets_are_passed_on(void **state)
{
	static const char journey[] = "journey=freed step=a,0,0 step=b,1500,1 missing=c";
	struct pcapng_reader *reader = pcapng_reader_new();
	struct sink *sink = make(false, 0);
	struct pcapng_event e;
	uint8_t bytes[4096];
	bool found = false;
	ssize_t n;
	struct buf b;
	FILE *f;

	buf_init(&b, 0);
	client_put_head(&b);
	client_put_journey(&b, 0, 1, 60, CLIENT_COMMENT, journey);
	assert_int_equal(client_feed(sink, &b), 0);
	assert_int_equal(sink->finish(sink), 0);
	sink->free(sink);
	f = fopen(path, "r");
	n = (ssize_t)fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	assert_int_equal(n, buf_len(&b));
	assert_memory_equal(bytes, buf_head(&b), (size_t)n);
	assert_int_equal(pcapng_reader_feed(reader, bytes, (size_t)n), 0);
	while (pcapng_reader_next(reader, &e) == 1) {
		if (e.type != PCAPNG_PACKET)
			continue;
		found = true;
		assert_int_equal(e.packet.journey_len, sizeof(journey) - 1);
		assert_memory_equal(e.packet.journey, journey, sizeof(journey) - 1);
	}
	assert_true(found);
	pcapng_reader_free(reader);
	buf_clear(&b);
}

static void what_was_in_the_file_goes_with_the_first_block_only(void **state)
{
	FILE *before = fopen(path, "w");
	struct sink *sink;
	struct stat st;

	for (int i = 0; i < 100000; i++)
		fputc('x', before);
	fclose(before);
	sink = make(false, 0);
	sink->free(sink);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 100000); /* nothing came: the old file is still there */
	sink = make(false, 0);
	feed(sink, 0, 3, 0);
	assert_int_equal(sink->finish(sink), 0);
	sink->free(sink);
	assert_pcapng(path, 0, 3);
}

static void a_new_file_goes_if_nothing_came(void **state)
{
	struct sink *sink;

	unlink(path);
	sink = make(false, 0);
	assert_int_equal(access(path, F_OK), 0);
	sink->free(sink);
	assert_int_equal(access(path, F_OK), -1);
}

static void pcap_gets_ethernet_headers_and_leaves_out_what_has_none(void **state)
{
	struct sink *sink = make(true, 0);
	uint8_t file[24 + 3 * (16 + 14 + 60)];
	struct buf b;
	FILE *in;

	buf_init(&b, 0);
	client_put_head(&b);
	client_put_packet(&b, 0, 1, 60);
	client_put_packet(&b, 1, 2, 60);
	client_put_packet(&b, 2, 3, 60);
	assert_int_equal(client_feed(sink, &b), 0);
	buf_clear(&b);
	assert_int_equal(sink->finish(sink), 0);
	assert_int_equal(sink->packets, 2);
	assert_int_equal(sink->skipped, 1);
	sink->free(sink);
	in = fopen(path, "r");
	assert_int_equal(fread(file, 1, sizeof(file), in), 24 + 16 + 60 + 16 + 14 + 60);
	fclose(in);
	assert_int_equal(file[20], PCAPNG_LINK_ETHERNET);
	/* The second packet: 14 bytes longer, EtherType 0x0800, then its own first byte. */
	assert_int_equal(file[24 + 16 + 60 + 8], 74);
	assert_int_equal(file[24 + 16 + 60 + 12], 74);
	assert_int_equal(file[24 + 16 + 60 + 16 + 12], 0x08);
	assert_int_equal(file[24 + 16 + 60 + 16 + 13], 0x00);
	assert_int_equal(file[24 + 16 + 60 + 16 + 14], 0x45);
}

static void rotation_keeps_exactly_the_last_packets(void **state)
{
	/* Fewer than one generation, exactly one, one more, and many. */
	static const uint32_t totals[] = {1, 6, 7, 8, 14, 15, 1000};
	uint32_t last;

	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		uint32_t total = totals[i], first = total > 7 ? total - 7 : 0;
		struct sink *sink = make(false, 7);

		fclose(fopen(older, "w")); /* left by a capture that was killed */
		feed(sink, 0, total, 0);
		assert_int_equal(sink->finish(sink), 0);
		assert_int_equal(sink->packets, total - first);
		sink->free(sink);
		assert_pcapng(path, first, total);
		assert_int_equal(access(older, F_OK), -1);

		sink = make(true, 7);
		feed(sink, 0, total, 0);
		assert_int_equal(sink->finish(sink), 0);
		sink->free(sink);
		assert_int_equal(count_pcap(path, &last), total - first);
		assert_int_equal(last, total - 1);
	}
}

static void a_killed_rotation_leaves_both_generations(void **state)
{
	struct sink *sink = make(false, 10);

	feed(sink, 0, 24, 0);
	assert_int_equal(sink->flush(sink), 0);
	sink->free(sink); /* without finish: as after a kill */
	assert_pcapng(older, 10, 20);
	assert_pcapng(path, 20, 24);
}

/* A limit on the size of files fails in the middle of a write, as a full disk does. */
static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit = {bytes, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What the summary says must be what is there, not all that ever was. */
static void a_failed_rotation_counts_what_is_left(void **state)
{
	struct sink *sink = make(false, 10);
	struct stat second;
	char merging[80];

	snprintf(merging, sizeof(merging), "%s.merging", path);
	assert_int_equal(mkdir(merging, 0700), 0);
	feed(sink, 0, 54, 0);
	assert_int_equal(sink->finish(sink), -EISDIR);
	assert_int_equal(sink->packets, 4);
	sink->free(sink);
	assert_pcapng(older, 40, 50);
	assert_pcapng(path, 50, 54);
	assert_int_equal(rmdir(merging), 0);

	/* the packets grow: a disk with room for the second ten has none for the third */
	sink = make(false, 10);
	feed(sink, 0, 20, 0);
	assert_int_equal(sink->flush(sink), 0);
	assert_int_equal(stat(path, &second), 0);
	sink->free(sink);
	sink = make(false, 10);
	limit_file_size((rlim_t)second.st_size);
	feed(sink, 0, 31, -EFBIG);
	limit_file_size(RLIM_INFINITY);
	assert_in_range(sink->packets, 10, 19);
	sink->free(sink);
	assert_pcapng(older, 10, 20);
}

static void a_full_disk_leaves_whole_records(void **state)
{
	uint32_t last;

	for (rlim_t bytes = 20000; bytes < 20200; bytes += 7) {
		for (int pcap = 0; pcap < 2; pcap++) {
			struct sink *sink = make(pcap, 0);
			int written;

			feed(sink, 0, 500, 0);
			limit_file_size(bytes);
			assert_int_equal(sink->finish(sink), -EFBIG);
			limit_file_size(RLIM_INFINITY);
			written = (int)sink->packets;
			sink->free(sink);
			assert_in_range(written, 50, 499);
			if (pcap) {
				assert_int_equal(count_pcap(path, &last), written);
				assert_int_equal(last, written - 1);
			} else {
				assert_pcapng(path, 0, (uint32_t)written);
			}
		}
	}
}

static void what_cannot_be_written_shows_before_anything_is_asked(void **state)
{
	static const char *const bad[] = {"/nonexistent/file", "/tmp", "/proc/version/x"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct options o = {.write_path = bad[i]};
		int code = EXITCODE_OK;

		assert_null(filesink_new(&o, &code));
		assert_int_equal(code, EXITCODE_FAILED);
	}
}

static void rotation_needs_a_regular_file(void **state)
{
	struct options o = {.write_path = "/dev/null", .rotate = 3};
	int code = EXITCODE_OK;

	assert_null(filesink_new(&o, &code));
	assert_int_equal(code, EXITCODE_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcapng_is_passed_on_as_it_is),
		cmocka_unit_test(ways_of_packets_are_passed_on),
		cmocka_unit_test(what_was_in_the_file_goes_with_the_first_block_only),
		cmocka_unit_test(pcap_gets_ethernet_headers_and_leaves_out_what_has_none),
		cmocka_unit_test(rotation_keeps_exactly_the_last_packets),
		cmocka_unit_test(a_killed_rotation_leaves_both_generations),
		cmocka_unit_test(a_failed_rotation_counts_what_is_left),
		cmocka_unit_test(a_full_disk_leaves_whole_records),
		cmocka_unit_test(what_cannot_be_written_shows_before_anything_is_asked),
		cmocka_unit_test(rotation_needs_a_regular_file),
		cmocka_unit_test(a_new_file_goes_if_nothing_came),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
