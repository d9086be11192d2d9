/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "client_packet.h"

#define SHOWN_MOST 200000

/* What the sink behind got, in its order. */
static struct shown {
	uint64_t track, since_ns;
	uint32_t n; /* number of the event, by its time */
	unsigned events, number;
} shown[SHOWN_MOST];
static unsigned count, flushes, others, finished, fail_at;

static int take(struct sink *s, const struct pcapng_event *e, const struct packet *p)
{
	struct shown *to = &shown[count];

	if (!p) {
		others++;
		return 0;
	}
	if (fail_at && count + 1 == fail_at)
		return -EPIPE;
	assert_ptr_equal(p->block, &e->packet);
	assert_int_equal(p->block->cap_len, 60);
	*to = (struct shown){.track = p->meta.track, .n = (uint32_t)(p->block->time_ns - 1700000000000000000ULL)};
	assert_memory_equal(p->block->data + 16, &to->n, sizeof(to->n));
	if (p->place) {
		assert_int_equal(p->place->track, to->track);
		to->events = p->place->events;
		to->number = p->place->number;
		to->since_ns = p->place->since_ns;
	}
	s->packets = ++count;
	return 0;
}

static int flush(struct sink *s)
{
	flushes++;
	return 0;
}

static int finish(struct sink *s)
{
	finished++;
	return 0;
}

static void nothing(struct sink *s)
{
}

static struct sink behind = {.take = take, .flush = flush, .finish = finish, .free = nothing};

static struct sink *open_sink(void)
{
	struct sink *s;

	count = flushes = others = finished = fail_at = 0;
	behind.packets = 0;
	s = groupsink_new(&behind);
	assert_non_null(s);
	assert_true(s->wants_meta);
	assert_int_equal(s->wait_ms(s), -1);
	return s;
}

static void begin(struct buf *b)
{
	buf_init(b, 0);
	client_put_head(b);
}

static void put(struct buf *b, uint32_t n, uint64_t track)
{
	char comment[128];

	snprintf(comment, sizeof(comment), "point=ip_rcv cpu=0 pid=0 tid=0 link=ethernet%s%.0llu",
		 track ? " track=" : "", (unsigned long long)track);
	client_put_commented(b, 0, n, 60, comment);
}

static void feed(struct sink *s, struct buf *b)
{
	assert_int_equal(client_feed(s, b), 0);
	buf_clear(b);
}

static void assert_shown(unsigned i, uint64_t track, uint32_t n, unsigned number, unsigned events, uint64_t since)
{
	assert_int_equal(shown[i].track, track);
	assert_int_equal(shown[i].n, n);
	assert_int_equal(shown[i].number, number);
	assert_int_equal(shown[i].events, events);
	assert_int_equal(shown[i].since_ns, since);
}

/* Each packet's together, by their time; what is not followed is not held up. */
static void events_come_together(void **state)
{
	struct sink *s = open_sink();
	struct buf b;

	begin(&b);
	put(&b, 10, 1);
	put(&b, 20, 2);
	put(&b, 5, 0);
	put(&b, 40, 1);
	put(&b, 30, 1);
	put(&b, 50, 2);
	feed(s, &b);
	assert_int_equal(others, 4);
	assert_int_equal(count, 1);
	assert_shown(0, 0, 5, 0, 0, 0);
	assert_true(s->wait_ms(s) > 0 && s->wait_ms(s) <= 1001);
	assert_int_equal(s->finish(s), 0);
	assert_int_equal(finished, 1);
	assert_int_equal(s->packets, 6);
	assert_shown(1, 1, 10, 1, 3, 0);
	assert_shown(2, 1, 30, 2, 3, 20);
	assert_shown(3, 1, 40, 3, 3, 10);
	assert_shown(4, 2, 20, 1, 2, 0);
	assert_shown(5, 2, 50, 2, 2, 30);
	s->free(s);
}

static void wait_and_flush(struct sink *s)
{
	int ms = s->wait_ms(s);

	assert_true(ms >= 0);
	usleep((useconds_t)ms * 1000);
	assert_int_equal(s->flush(s), 0);
}

/* A packet that is freed goes first; returns that come right after its end are still with it. */
static void a_freed_packet_is_shown(void **state)
{
	const struct pcapng_end end = {.track = 2}, unknown = {.track = 3};
	struct sink *s = open_sink();
	struct buf b;

	begin(&b);
	put(&b, 10, 1);
	put(&b, 20, 2);
	pcapng_put_end(&b, &end);
	pcapng_put_end(&b, &unknown);
	pcapng_put_end(&b, &end);
	put(&b, 30, 2);
	feed(s, &b);
	assert_int_equal(count, 0);
	assert_true(s->wait_ms(s) <= 101);
	wait_and_flush(s);
	assert_int_equal(flushes, 1);
	assert_int_equal(count, 2);
	assert_shown(0, 2, 20, 1, 2, 0);
	assert_shown(1, 2, 30, 2, 2, 10);
	wait_and_flush(s); /* nothing came of the other one */
	assert_int_equal(count, 3);
	assert_shown(2, 1, 10, 1, 1, 0);
	assert_int_equal(s->wait_ms(s), -1);
	s->free(s);
}

/* No more than 16 MiB wait. */
static void what_waits_is_bounded(void **state)
{
	struct sink *s = open_sink();
	const uint32_t packets = SHOWN_MOST / 2;
	struct buf b;

	begin(&b);
	for (uint32_t n = 0; n < packets; n++)
		put(&b, n, n + 1);
	feed(s, &b);
	assert_true(count > packets / 10 && count < packets);
	for (unsigned i = 0; i < count; i++)
		assert_shown(i, i + 1, i, 1, 1, 0); /* the oldest ones */
	assert_int_equal(s->finish(s), 0);
	assert_int_equal(count, packets);
	s->free(s);
}

/* The counts come behind all packets, and what could not be shown is not shown later. */
static void the_end_and_failures(void **state)
{
	const struct pcapng_statistics statistics = {.interface = 0};
	struct sink *s = open_sink();
	struct buf b;

	begin(&b);
	put(&b, 1, 1);
	put(&b, 2, 2);
	pcapng_put_statistics(&b, &statistics);
	feed(s, &b);
	assert_int_equal(count, 2);
	assert_int_equal(others, 5);
	begin(&b);
	put(&b, 3, 1);
	put(&b, 4, 1);
	put(&b, 5, 2);
	feed(s, &b);
	fail_at = 4;
	assert_int_equal(s->finish(s), -EPIPE);
	assert_int_equal(finished, 0);
	assert_int_equal(count, 3);
	assert_int_equal(s->packets, 3);
	s->free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_together),
		cmocka_unit_test(a_freed_packet_is_shown),
		cmocka_unit_test(what_waits_is_bounded),
		cmocka_unit_test(the_end_and_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
