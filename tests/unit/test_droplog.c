/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/droplog.h"

#define S         1000000000ULL
#define MOST_SENT 8192

/* What a log sent, as far as the tests look at it. */
struct sent {
	enum droplog_kind kind;
	uint64_t at, packets, total, entries, netns;
	double seconds;
	char reason[64], location[128], device[16], subsystem[32], flow[64], stack[64];
};

static struct {
	uint64_t now;
	size_t count;
	struct sent sent[MOST_SENT];
} out;

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void on_send(void *arg, const struct droplog_entry *e)
{
	struct sent *s = &out.sent[out.count++];

	assert_true(out.count < MOST_SENT);
	*s = (struct sent){ .kind = e->kind, .at = out.now, .packets = e->packets, .total = e->total,
			    .entries = e->entries, .netns = e->netns, .seconds = e->seconds };
	copy(s->reason, sizeof(s->reason), e->reason);
	copy(s->location, sizeof(s->location), e->location);
	copy(s->device, sizeof(s->device), e->device);
	copy(s->subsystem, sizeof(s->subsystem), e->subsystem);
	copy(s->flow, sizeof(s->flow), e->sample ? e->sample->flow : NULL);
	copy(s->stack, sizeof(s->stack), e->sample ? e->sample->stack : NULL);
}

static struct droplog *open_log(const struct droplog_options *options)
{
	struct droplog *d;

	out.now = 1000 * S;
	out.count = 0;
	d = droplog_new(options, out.now, on_send, NULL);
	assert_non_null(d);
	return d;
}

static void feed(struct droplog *d, unsigned seconds, const struct droplog_row *rows, size_t count)
{
	out.now += seconds * S;
	droplog_feed(d, out.now, rows, count);
}

static void test_first_and_summary(void **state)
{
	const struct droplog_options options = DROPLOG_DEFAULTS;
	const struct droplog_sample sample = { "10.0.0.1:5 > 10.0.0.2:80 tcp", "a+0x1\nb+0x2" };
	struct droplog_row row = { "NETFILTER_DROP", "core", "nf_hook_slow+0xa3", "eth0", 4026531840, 3, &sample };
	struct droplog *d = open_log(&options);
	const struct sent *s = out.sent;

	feed(d, 1, &row, 1);
	assert_int_equal(out.count, 1);
	assert_int_equal(s[0].kind, DROPLOG_SEEN);
	assert_int_equal(s[0].packets, 3);
	assert_int_equal(s[0].netns, 4026531840);
	assert_string_equal(s[0].reason, "NETFILTER_DROP");
	assert_string_equal(s[0].subsystem, "core");
	assert_string_equal(s[0].location, "nf_hook_slow+0xa3");
	assert_string_equal(s[0].device, "eth0");
	assert_string_equal(s[0].flow, sample.flow);
	assert_string_equal(s[0].stack, sample.stack);
	for (int i = 0; i < 58; i++)
		feed(d, 1, &row, 1);
	assert_int_equal(out.count, 1);
	feed(d, 1, NULL, 0); /* the 60th second */
	assert_int_equal(out.count, 2);
	assert_int_equal(s[1].kind, DROPLOG_SUMMARY);
	assert_int_equal(s[1].packets, 59 * 3);
	assert_int_equal(s[1].total, 59 * 3);
	assert_true(s[1].seconds == 60);
	assert_string_equal(s[1].flow, "");
	feed(d, 59, &row, 1);
	feed(d, 1, NULL, 0);
	assert_int_equal(out.count, 3);
	assert_int_equal(s[2].packets, 3);
	assert_int_equal(s[2].total, 60 * 3);
	feed(d, 60, NULL, 0); /* silence is worth no entry */
	feed(d, 60, NULL, 0);
	assert_int_equal(out.count, 3);
	droplog_free(d);
}

/* Each of the four makes a key of its own; a sample and texts may be missing. */
/* After a silence a first packet begins an interval, and only what is not told yet has to be looked at. */
static void test_due(void **state)
{
	const struct droplog_options options = DROPLOG_DEFAULTS;
	struct droplog_row row = { "NO_SOCKET", "core", "udp_rcv+0x1", "lo", 1, 7, NULL };
	struct droplog *d = open_log(&options);

	assert_true(droplog_due(d) == 0);
	feed(d, 1000, &row, 1);
	assert_int_equal(out.count, 1);
	assert_int_equal(out.sent[0].kind, DROPLOG_SEEN);
	assert_true(droplog_due(d) == out.now + 60 * S);
	feed(d, 59, NULL, 0);
	assert_int_equal(out.count, 1);
	feed(d, 1, NULL, 0);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.sent[1].kind, DROPLOG_SUMMARY);
	assert_int_equal(out.sent[1].packets, 7);
	assert_float_equal(out.sent[1].seconds, 60.0, 0.01);
	assert_true(droplog_due(d) == 0);
	droplog_free(d);
}

/* What there is goes by the old options; keys stay known. */
static void test_configure(void **state)
{
	static const char *const pattern[] = { "NO_*" };
	const struct droplog_options options = DROPLOG_DEFAULTS;
	struct droplog_options other = { .drops = true, .interval_s = 10, .lines_per_minute = 4, .threshold = 1 };
	struct droplog_row rows[] = { { "NO_SOCKET", "core", "udp_rcv+0x1", "lo", 1, 7, NULL },
				      { "TCP_CSUM", "core", "tcp_rcv+0x1", "lo", 1, 5, NULL } };
	struct droplog *d = open_log(&options);

	feed(d, 1, rows, 2);
	assert_int_equal(out.count, 2);
	assert_int_equal(droplog_configure(d, &other, out.now), 0);
	assert_int_equal(out.count, 4);
	assert_int_equal(out.sent[2].kind, DROPLOG_SUMMARY);
	assert_int_equal(out.sent[2].packets + out.sent[3].packets, 12);
	other.ignore = pattern;
	other.ignore_count = 1;
	assert_int_equal(droplog_configure(d, &other, out.now), 0);
	feed(d, 1, rows, 2);
	feed(d, 10, NULL, 0);
	assert_int_equal(out.count, 5); /* no first entry again, and none of what is ignored */
	assert_string_equal(out.sent[4].reason, "TCP_CSUM");
	assert_int_equal(out.sent[4].packets, 5);
	droplog_free(d);
}

/* What is suppressed is told when drops are turned off, and then nothing is due. */
static void test_turned_off(void **state)
{
	const struct droplog_options options = { .drops = true, .interval_s = 10, .lines_per_minute = 60, .threshold = 5 };
	const struct droplog_options off = { .drops = false, .interval_s = 10, .lines_per_minute = 60, .threshold = 5 };
	struct droplog_row row = { "NO_SOCKET", "core", "udp_rcv+0x1", "lo", 1, 3, NULL };
	struct droplog *d = open_log(&options);

	for (int i = 0; i < 2; i++) { /* the second is suppressed in the same minute as the first was told */
		feed(d, 1, &row, 1);
		feed(d, 10, NULL, 0);
	}
	assert_int_equal(out.count, 1);
	assert_int_equal(out.sent[0].kind, DROPLOG_SUPPRESSED);
	assert_int_equal(droplog_configure(d, &off, out.now), 0);
	assert_int_equal(out.count, 2);
	assert_int_equal(out.sent[0].packets + out.sent[1].packets, 6);
	assert_true(droplog_due(d) == 0);
	droplog_free(d);
}

static void test_keys(void **state)
{
	const struct droplog_options options = DROPLOG_DEFAULTS;
	const struct droplog_row rows[] = {
		{ .reason = "A", .location = "f", .device = "eth0", .netns = 1, .packets = 1 },
		{ .reason = "B", .location = "f", .device = "eth0", .netns = 1, .packets = 2 },
		{ .reason = "A", .location = "g", .device = "eth0", .netns = 1, .packets = 3 },
		{ .reason = "A", .location = "f", .device = "eth1", .netns = 1, .packets = 4 },
		{ .reason = "A", .location = "f", .device = "eth0", .netns = 2, .packets = 5 },
		{ .packets = 6 },
		{ .reason = "SILENT", .packets = 0 },
	};
	struct droplog *d = open_log(&options);

	feed(d, 1, rows, 7);
	feed(d, 1, rows, 7);
	assert_int_equal(out.count, 6);
	feed(d, 58, NULL, 0);
	assert_int_equal(out.count, 12);
	for (size_t i = 0; i < 6; i++) /* most packets first */
		assert_int_equal(out.sent[6 + i].packets, 2 * (6 - i));
	droplog_free(d);
}

static void test_threshold(void **state)
{
	const struct droplog_options options = { .drops = true, .interval_s = 10, .lines_per_minute = 60, .threshold = 5 };
	const struct droplog_row rows[] = { { .reason = "RARE", .packets = 4 }, { .reason = "OFTEN", .packets = 3 } };
	struct droplog *d = open_log(&options);

	feed(d, 1, rows, 2);
	assert_int_equal(out.count, 0);
	feed(d, 1, rows + 1, 1);
	assert_int_equal(out.count, 1);
	assert_string_equal(out.sent[0].reason, "OFTEN");
	feed(d, 8, NULL, 0);
	assert_int_equal(out.count, 3);
	assert_string_equal(out.sent[1].reason, "OFTEN");
	assert_int_equal(out.sent[1].packets, 6);
	assert_int_equal(out.sent[2].kind, DROPLOG_SUPPRESSED);
	assert_int_equal(out.sent[2].packets, 4);
	assert_int_equal(out.sent[2].entries, 0);
	droplog_free(d);
}

static void test_ignore(void **state)
{
	static const char *const patterns[] = { "TCP_*", "UDP_CSUM@udp_rcv+*", "*@*@docker?" };
	const struct droplog_options options = { .drops = true, .interval_s = 60, .lines_per_minute = 60, .threshold = 1,
						 .ignore = patterns, .ignore_count = 3 };
	const struct droplog_row rows[] = {
		{ .reason = "TCP_CSUM", .location = "f", .packets = 1 },
		{ .reason = "UDP_CSUM", .location = "udp_rcv+0x1", .device = "eth0", .packets = 1 },
		{ .reason = "NO_SOCKET", .location = "g", .device = "docker0", .packets = 1 },
		{ .reason = "UDP_CSUM", .location = "udpv6_rcv+0x1", .device = "eth0", .packets = 1 },
		{ .reason = "NO_SOCKET", .location = "g", .device = "docker10", .packets = 1 },
	};
	struct droplog *d = open_log(&options);

	feed(d, 1, rows, 5);
	assert_int_equal(out.count, 2);
	assert_string_equal(out.sent[0].location, "udpv6_rcv+0x1");
	assert_string_equal(out.sent[1].device, "docker10");
	droplog_end(d, out.now);
	assert_int_equal(out.count, 4); /* no count of suppressed ones, either */
	droplog_free(d);
}

static void test_off(void **state)
{
	const struct droplog_options options = { .interval_s = 1, .lines_per_minute = 60, .threshold = 1 };
	const struct droplog_row row = { .reason = "A", .packets = 1 };
	struct droplog *d = open_log(&options);

	feed(d, 1, &row, 1);
	droplog_end(d, out.now);
	assert_int_equal(out.count, 0);
	droplog_free(d);
}

/* Twice as many reasons as there are keys: those without one share theirs. Silent ones give it back. */
static void test_others(void **state)
{
	const struct droplog_options options = { .drops = true, .interval_s = 60, .lines_per_minute = 6000, .threshold = 1 };
	struct droplog *d = open_log(&options);
	char name[16];
	struct droplog_row row = { .reason = name, .packets = 1 };

	for (int i = 0; i < 2 * DROPLOG_KEYS_MOST; i++) {
		snprintf(name, sizeof(name), "R%d", i);
		droplog_feed(d, out.now, &row, 1);
	}
	assert_int_equal(out.count, DROPLOG_KEYS_MOST);
	feed(d, 60, NULL, 0);
	assert_int_equal(out.count, 2 * DROPLOG_KEYS_MOST + 1);
	assert_string_equal(out.sent[out.count - 1].reason, DROPLOG_OTHERS);
	assert_int_equal(out.sent[out.count - 1].packets, DROPLOG_KEYS_MOST);
	feed(d, 60, NULL, 0);
	out.count = 0;
	feed(d, 1, &row, 1);
	assert_int_equal(out.count, 1);
	assert_string_equal(out.sent[0].reason, name);
	droplog_free(d);
}

/* With the smallest of budgets, and with none until the end. */
static void test_small_budgets(void **state)
{
	const struct droplog_row rows[] = { { .reason = "A", .packets = 7 }, { .reason = "B", .packets = 2 } };

	for (unsigned lines = 0; lines <= 1; lines++) {
		const struct droplog_options options = { .drops = true, .interval_s = 60, .lines_per_minute = lines,
							 .threshold = 1 };
		struct droplog *d = open_log(&options);

		feed(d, 1, rows, 2);
		feed(d, 59, NULL, 0);
		assert_int_equal(out.count, lines);
		droplog_end(d, out.now);
		assert_int_equal(out.count, 1);
		assert_int_equal(out.sent[0].kind, DROPLOG_SUPPRESSED);
		assert_int_equal(out.sent[0].packets, 9);
		assert_int_equal(out.sent[0].entries, 4); /* two first ones and two summaries */
		droplog_free(d);
	}
}

static unsigned up_to(unsigned *seed, unsigned most)
{
	return (unsigned)rand_r(seed) % most + 1;
}

/* Up to a hundred rows; the packets in them. */
static uint64_t feed_random(struct droplog *d, unsigned *seed, unsigned reasons)
{
	char names[100][16];
	struct droplog_row rows[100];
	size_t count = up_to(seed, 100);
	uint64_t packets = 0;

	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "R%u", up_to(seed, reasons));
		rows[i] = (struct droplog_row){ .reason = names[i], .location = "f", .netns = up_to(seed, 2),
						.packets = up_to(seed, 10) == 1 ? up_to(seed, 1000000) : up_to(seed, 3) };
		packets += rows[i].packets;
	}
	feed(d, up_to(seed, 3), rows, count);
	return packets;
}

/* No minute has more entries than it may; the very last one may be beyond. */
static void check_budget(unsigned lines)
{
	for (size_t i = lines; i + 1 < out.count; i++)
		assert_true(out.sent[i].at - out.sent[i - lines].at >= 60 * S);
}

static uint64_t told(void)
{
	uint64_t packets = 0;

	for (size_t i = 0; i < out.count; i++)
		if (out.sent[i].kind != DROPLOG_SEEN)
			packets += out.sent[i].packets;
	return packets;
}

/* Whatever comes: every packet is in one summary or in one count, and the budget is kept. */
static void test_random(void **state)
{
	unsigned seed = 4711;

	for (int round = 0; round < 60; round++) {
		const struct droplog_options options = {
			.drops = true,
			.interval_s = up_to(&seed, 90),
			.lines_per_minute = up_to(&seed, 80),
			.threshold = up_to(&seed, 2) == 1 ? 1 : up_to(&seed, 50),
		};
		unsigned reasons = up_to(&seed, 3000);
		struct droplog *d = open_log(&options);
		uint64_t given = 0;

		for (int i = 0; i < 500; i++)
			given += feed_random(d, &seed, reasons);
		droplog_end(d, out.now);
		assert_true(told() == given);
		assert_true(out.count > 1);
		check_budget(options.lines_per_minute);
		droplog_free(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_and_summary),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_configure),
		cmocka_unit_test(test_turned_off),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_ignore),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_small_budgets),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
