/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the ring to the client, with packets that wait for the return of their function: each is delivered
 * or counted, whatever the client and the programs do. Needs root.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <event2/event.h>

#include "daemon/calls.h"
#include "daemon/delivery.h"
#include "daemon/output.h"
#include "tests/bpf/ringfeed.h"
#include "ringfeed.skel.h"

#define STALLED_TURNS (DELIVERY_LINGER_MS / DELIVERY_TURN_MS * 3 / 4) /* a client that is slow, not dead */
#define HANGS_S       30 /* what has not happened by then does not */

static char point_text[] = "fexit:icmp_rcv";
static const struct kernel kernel;

/* A session with one trace point, and its client. */
struct lab {
	struct ringfeed *feed;
	struct event_base *base;
	struct symbolcache *symbols;
	struct wallclock clock;
	struct spec spec;
	struct probe probe;
	struct sessionload_point point;
	struct sessionload load;
	struct delivery delivery;
	const char *stopped;
	uint64_t told_lost; /* packets, by the delivery */
	int client;
	size_t len;
	uint8_t *got; /* owned; len bytes */
};

static void on_lost(void *arg)
{
	((struct lab *)arg)->told_lost++;
}

static void on_stop(void *arg, const char *reason)
{
	struct lab *lab = arg;

	lab->stopped = reason;
	event_base_loopbreak(lab->base);
}

static void make_load(struct lab *lab)
{
	struct sessionload *l = &lab->load;

	lab->probe = (struct probe){ .text = point_text, .location = NETCAP_NO_ARG, .reason = NETCAP_NO_ARG };
	l->maps = (struct template_maps)MAPS_NONE;
	assert_int_equal(maps_make_shared(&l->maps, 1, 65536), 0);
	assert_int_equal(maps_make_calls(&l->maps), 0);
	close(l->maps.ring);
	l->maps.ring = dup(bpf_map__fd(lab->feed->maps.ring));
	l->control = maps_map_control(&l->maps);
	assert_non_null(l->control);
	l->scratch = malloc(maps_counter_bytes());
	l->probes = (struct probe_list){ .items = &lab->probe, .count = 1 };
	l->points = &lab->point;
	l->spec = &lab->spec;
}

static void open_lab(struct lab *lab, int64_t count)
{
	static const struct delivery_callbacks callbacks = { .lost = on_lost, .stop = on_stop };
	int ends[2];

	memset(lab, 0, sizeof(*lab));
	lab->feed = ringfeed__open_and_load();
	assert_non_null(lab->feed);
	lab->base = event_base_new();
	lab->symbols = symbolcache_new(NULL);
	spec_init(&lab->spec);
	lab->spec.count = count;
	lab->spec.snaplen = RINGFEED_PACKET_BYTES;
	make_load(lab);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	lab->client = ends[1];
	fcntl(lab->client, F_SETFL, O_NONBLOCK);

	const struct handover_context context = {
		.base = lab->base, .kernel = &kernel, .symbols = lab->symbols,
		.clock = &lab->clock, .spec = &lab->spec, .load = &lab->load,
	};
	assert_int_equal(delivery_open(&lab->delivery, &context, ends[0], &callbacks, lab), 0);
}

static void close_lab(struct lab *lab)
{
	delivery_close(&lab->delivery);
	maps_unmap_control(lab->load.control);
	maps_close(&lab->load.maps);
	free(lab->load.scratch);
	free(lab->got);
	close(lab->client);
	symbolcache_free(lab->symbols);
	event_base_free(lab->base);
	ringfeed__destroy(lab->feed);
}

static void client_reads(struct lab *lab)
{
	ssize_t n;

	do {
		lab->got = realloc(lab->got, lab->len + 65536);
		assert_non_null(lab->got);
		n = read(lab->client, lab->got + lab->len, 65536);
		lab->len += n > 0 ? n : 0;
	} while (n > 0);
}

static unsigned run(const struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &options), 0);
	return options.retval;
}

/* In the ring: the entry of a call with a large packet. */
static void feed_entry(struct lab *lab, uint64_t frame)
{
	struct netcap_record *r = (void *)lab->feed->bss->record;

	r->flags = NETCAP_F_CALL;
	r->frame = frame;
	r->wire_len = r->cap_len = RINGFEED_PACKET_BYTES;
	assert_int_equal(run(lab->feed->progs.feed), 0);
}

/* Past the ring. */
static void enter(struct lab *lab, uint64_t frame, size_t bytes)
{
	struct netcap_record *r = calloc(1, sizeof(*r) + bytes);

	assert_non_null(r);
	r->flags = NETCAP_F_CALL;
	r->frame = frame;
	r->wire_len = r->cap_len = bytes;
	calls_enter(lab->delivery.calls, r, sizeof(*r) + bytes);
	free(r);
}

/* The end of the session, with a client that reads at every so many turns only. */
static void end(struct lab *lab, unsigned turns)
{
	enum delivery_turn turn;
	unsigned waited = 0;

	while ((turn = delivery_flush(&lab->delivery, true)) != DELIVERY_DONE) {
		if (turn == DELIVERY_WAIT && ++waited % turns == 0)
			client_reads(lab);
		event_base_loop(lab->base, EVLOOP_NONBLOCK);
	}
	client_reads(lab);
}

static void check(struct lab *lab, uint64_t delivered, bool returned)
{
	assert_int_equal(lab->point.delivered, delivered);
	assert_int_equal(lab->point.lost_client, 0);
	assert_int_equal(lab->point.limited, 0);
	assert_int_equal(memmem(lab->got, lab->len, "took_ns=", 8) != NULL, returned);
}

/* As many as may wait, of each size, are more than the output takes at once. */
static void test_end_without_returns(void **state)
{
	static const size_t sizes[] = { 64, 1536, RINGFEED_PACKET_BYTES };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		unsigned count = CALLS_BYTES_MOST / (sizeof(struct netcap_record) + sizes[i]);
		struct lab lab;

		open_lab(&lab, 0);
		for (unsigned n = 1; n <= count; n++)
			enter(&lab, n * 64, sizes[i]);
		assert_int_equal(lab.point.delivered, 0);
		end(&lab, STALLED_TURNS);
		check(&lab, count, false);
		close_lab(&lab);
	}
}

/* As much as a ring holds is more, too, than the output takes. */
static void test_end_with_full_ring(void **state)
{
	struct lab lab;
	unsigned count = 200;

	open_lab(&lab, 0);
	for (unsigned n = 1; n <= count; n++)
		feed_entry(&lab, n * 64);
	end(&lab, STALLED_TURNS);
	check(&lab, count, false);
	close_lab(&lab);
}

/* A client that takes nothing: all is counted, and once. */
static void test_end_without_reader(void **state)
{
	struct lab lab;
	unsigned count = 200;

	open_lab(&lab, 0);
	for (unsigned n = 1; n <= count; n++)
		feed_entry(&lab, n * 64);
	while (delivery_flush(&lab.delivery, true) != DELIVERY_DONE)
		event_base_loop(lab.base, EVLOOP_NONBLOCK);
	assert_int_equal(lab.point.delivered + lab.point.lost_client, count);
	assert_true(lab.point.lost_client > 0);
	assert_int_equal(lab.told_lost, lab.point.lost_client);
	close_lab(&lab);
}

static void hang_guard(struct lab *lab)
{
	const struct timeval late = { HANGS_S, 0 };

	event_base_loopexit(lab->base, &late);
	event_base_dispatch(lab->base);
}

/* One of the packets that -c asks for has no return: the session ends by itself. */
static void test_count_without_return(void **state)
{
	struct lab lab;

	open_lab(&lab, 2);
	lab.feed->bss->back.frame = 64;
	lab.feed->bss->may_end = 1;
	feed_entry(&lab, 64);
	feed_entry(&lab, 128);
	assert_int_equal(run(lab.feed->progs.feed_slowly), 0);
	lab.load.control->taken = 2;
	delivery_start(&lab.delivery);
	hang_guard(&lab);
	assert_non_null(lab.stopped);
	assert_string_equal(lab.stopped, "count");
	assert_int_equal(lab.delivery.handover.passed_on, 1);
	delivery_stop(&lab.delivery);
	end(&lab, 1);
	check(&lab, 2, true);
	close_lab(&lab);
}

static void *run_slowly(void *arg)
{
	struct lab *lab = arg;

	return (void *)(uintptr_t)run(lab->feed->progs.feed_slowly);
}

/* A program that has begun its record when the session ends, and not finished it. */
static void test_end_with_begun_record(void **state)
{
	struct lab lab;
	pthread_t program;
	void *failed;

	open_lab(&lab, 0);
	lab.feed->bss->back.frame = 64;
	enter(&lab, 64, 100);
	assert_int_equal(pthread_create(&program, NULL, run_slowly, &lab), 0);
	while (!__atomic_load_n(&lab.feed->bss->begun, __ATOMIC_SEQ_CST))
		;
	feed_entry(&lab, 128);
	assert_int_equal(delivery_flush(&lab.delivery, true), DELIVERY_WAIT);
	assert_int_equal(delivery_flush(&lab.delivery, true), DELIVERY_WAIT);
	__atomic_store_n(&lab.feed->bss->may_end, 1, __ATOMIC_SEQ_CST);
	assert_int_equal(pthread_join(program, &failed), 0);
	assert_null(failed);
	end(&lab, 1);
	check(&lab, 2, true);
	close_lab(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_without_returns),
		cmocka_unit_test(test_end_with_full_ring),
		cmocka_unit_test(test_end_without_reader),
		cmocka_unit_test(test_count_without_return),
		cmocka_unit_test(test_end_with_begun_record),
	};
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* before Linux 5.11 maps count */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
