/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/calls.h"
#include "daemon/delivery.h"
#include "daemon/gathering.h"
#include "daemon/output.h"
#include "daemon/ring.h"
#include "daemon/stream.h"

/* What may come at once fits beside what waits, of which there is less than half at the end: handover_has_room(). */
_Static_assert(CALLS_BYTES_MOST <= OUTPUT_LIMIT_BYTES / 2, "calls that return at once");
_Static_assert(CALLS_DRAIN_BYTES + NETCAP_SNAPLEN_MAX + CALLS_DRAIN_MOST * META_TEXT_MAX < OUTPUT_LIMIT_BYTES / 2,
	       "a portion of calls without return, with comments");

/* Slices of the ring end when there is much to write. */
static void yield_if_due(struct delivery *d)
{
	if (d->ring && handover_is_due(&d->handover))
		ring_yield(d->ring);
}

static void pass_on(void *arg, const struct netcap_record *r, const struct netcap_return *back)
{
	struct delivery *d = arg;

	handover_packet(&d->handover, r, back);
	yield_if_due(d);
}

static void on_over(void *arg, const struct gather_packet *p, const struct comment *journey)
{
	struct delivery *d = arg;

	handover_way(&d->handover, p, journey);
	yield_if_due(d);
}

static void on_record(void *arg, const struct netcap_record *r, size_t len)
{
	struct delivery *d = arg;

	d->newest_ns = r->time_ns;
	if (d->gathering)
		gather_record(gathering_gather(d->gathering), r, len);
	else if (r->flags & NETCAP_F_CALL)
		calls_enter(d->calls, r, len);
	else
		pass_on(d, r, NULL);
}

static void on_returned(void *arg, const struct netcap_return *back)
{
	struct delivery *d = arg;

	d->newest_ns = back->time_ns;
	if (d->gathering)
		gather_return(gathering_gather(d->gathering), back);
	else
		calls_return(d->calls, back);
}

static void on_ended(void *arg, const struct netcap_end *end)
{
	struct delivery *d = arg;

	d->newest_ns = end->time_ns;
	if (d->gathering)
		gather_freed(gathering_gather(d->gathering), end);
	else
		handover_end(&d->handover, end);
}

static void on_step(void *arg, const struct netcap_step *step, size_t len)
{
	struct delivery *d = arg;

	d->newest_ns = step->time_ns;
	gather_step(gathering_gather(d->gathering), step, len);
}

static void on_history(void *arg, const struct netcap_history *history)
{
	struct delivery *d = arg;

	gather_history(gathering_gather(d->gathering), history);
}

static void on_unplaced(void *arg, uint32_t point, bool first)
{
	struct delivery *d = arg;

	d->context.load->points[point].unplaced++;
	if (first)
		handover_surplus(&d->handover);
}

static void on_not_kept(void *arg, uint32_t point)
{
	struct delivery *d = arg;

	handover_not_kept(&d->handover, point);
}

static void on_surplus(void *arg)
{
	struct delivery *d = arg;

	handover_surplus(&d->handover);
}

static bool is_wanted(void *arg, const struct gather_packet *p)
{
	struct delivery *d = arg;

	return handover_wants(&d->handover, p);
}

static bool has_room_for_way(void *arg)
{
	struct delivery *d = arg;

	return handover_has_room(&d->handover);
}

/* While the ring has something, time stands still at what was read last. */
static uint64_t now(void *arg, bool *idle)
{
	struct delivery *d = arg;

	*idle = !d->ring || ring_is_empty(d->ring);
	return *idle ? wallclock_monotonic() : d->newest_ns;
}

/* Have the programs captured all that they may, and some of it still waits? */
static bool returns_are_due(const struct delivery *d)
{
	uint64_t count = d->context.spec->count;

	return d->calls && count && calls_any(d->calls) &&
	       __atomic_load_n(&d->context.load->control->taken, __ATOMIC_SEQ_CST) >= count;
}

/* What has not returned by now may have no return, and nothing else would end the session. */
static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct delivery *d = arg;

	if (returns_are_due(d))
		d->callbacks.stop(d->arg, "count");
}

/* What there is goes to the caller; and if that was all, the session ends. */
static void hand_on(void *arg)
{
	static const struct timeval patience = { DELIVERY_RETURN_S, 0 };
	struct delivery *d = arg;

	handover_flush(&d->handover);
	if (handover_limit_reached(&d->handover))
		d->callbacks.stop(d->arg, "count");
	else if (returns_are_due(d) && !evtimer_pending(d->overdue, NULL))
		evtimer_add(d->overdue, &patience);
}

static void on_batch(void *arg)
{
	struct delivery *d = arg;

	if (d->gathering)
		gathering_batch(d->gathering);
	hand_on(d);
}

static bool open_gathering(struct delivery *d)
{
	static const struct gathering_callbacks callbacks = {
		.wanted = is_wanted,
		.over = on_over,
		.unplaced = on_unplaced,
		.not_kept = on_not_kept,
		.surplus = on_surplus,
		.room = has_room_for_way,
		.now = now,
		.batch = hand_on,
	};

	d->gathering = gathering_new(&d->context, &callbacks, d);
	return d->gathering;
}

static bool open_calls(struct delivery *d)
{
	d->calls = calls_new(pass_on, d);
	d->overdue = evtimer_new(d->context.base, on_overdue, d);
	return d->calls && d->overdue;
}

static int on_event(void *arg, struct json_object *event)
{
	struct delivery *d = arg;

	return d->callbacks.event(d->arg, event);
}

static void on_lost(void *arg)
{
	struct delivery *d = arg;

	d->callbacks.lost(d->arg);
}

static void on_replaced(void *arg)
{
	struct delivery *d = arg;

	if (d->overdue)
		event_del(d->overdue);
}

static void on_broken(void *arg)
{
	struct delivery *d = arg;

	d->callbacks.stop(d->arg, "client");
}

int delivery_open(struct delivery *d, const struct handover_context *context, int fd,
		  const struct delivery_callbacks *callbacks, void *arg)
{
	static const struct ring_callbacks ring = {
		.record = on_record,
		.returned = on_returned,
		.ended = on_ended,
		.step = on_step,
		.history = on_history,
		.batch = on_batch,
	};
	static const struct handover_callbacks handover = { on_event, on_lost, on_replaced, on_broken };
	bool gathers = context->spec->gather, returns = context->load->maps.calls >= 0 && !gathers;
	int error;

	memset(d, 0, sizeof(*d));
	d->context = *context;
	d->callbacks = *callbacks;
	d->arg = arg;
	error = handover_open(&d->handover, context, fd, &handover, d);
	if (error)
		return error;
	d->ring = ring_new(context->base, context->load->maps.ring, context->load->control, &ring, d);
	return d->ring && (!returns || open_calls(d)) && (!gathers || open_gathering(d)) ? 0 : -ENOMEM;
}

void delivery_start(struct delivery *d)
{
	handover_flush(&d->handover);
	ring_start(d->ring);
}

void delivery_stop(struct delivery *d)
{
	if (d->ring)
		ring_stop(d->ring);
	if (d->overdue)
		event_del(d->overdue);
}

struct json_object *delivery_gathering(struct delivery *d)
{
	return d->gathering ? gathering_json(d->gathering) : NULL;
}

static void put_statistics(struct delivery *d)
{
	uint64_t now = wallclock_at(d->context.clock, wallclock_monotonic());
	struct sessionload *load = d->context.load;
	struct counters c;

	for (uint32_t i = 0; i < load->probes.count; i++) {
		sessionload_counters(load, i, &c);
		/* a point that saw nothing needs no block, and there may be thousands */
		if (load->probes.items[i].error == PROBE_OK && c.hits)
			stream_end_point(d->handover.stream, output_buf(d->handover.output), i,
					 load->probes.items[i].text, &c, now);
	}
	output_flush(d->handover.output);
}

/* Is the caller alive, that is, has it taken anything lately? Also true when nothing waits. */
static bool caller_reads(struct delivery *d)
{
	if (!d->handover.output)
		return true;
	if (output_is_broken(d->handover.output))
		return false;
	if (!output_pending(d->handover.output) || d->progress != output_written(d->handover.output)) {
		d->progress = output_written(d->handover.output);
		d->stalled_ms = 0;
	}
	return d->stalled_ms < DELIVERY_LINGER_MS;
}

/* Programs that were interrupted between the two halves of what they do with a record go on soon. */
static bool waits_for_program(struct delivery *d)
{
	if (ring_is_empty(d->ring) || d->begun_ms >= DELIVERY_BEGUN_MS)
		return false;
	d->begun_ms += DELIVERY_TURN_MS;
	return true;
}

/* What is behind a record that no program finishes is lost with it. */
static void count_unread(struct delivery *d)
{
	struct sessionload *load = d->context.load;

	for (uint32_t i = 0; i < load->probes.count; i++) {
		struct counters c;

		sessionload_counters(load, i, &c);
		load->points[i].lost_client += c.in_flight;
	}
}

/* A portion of what the ring has, and then of the packets that wait for more to come of them. DONE: that was all. */
static enum delivery_turn drain(struct delivery *d, bool reads)
{
	bool more;

	if (ring_drain(d->ring))
		return DELIVERY_AGAIN;
	if (waits_for_program(d))
		return DELIVERY_WAIT;
	if (!d->calls && !d->gathering)
		return DELIVERY_DONE;
	if (reads && !handover_has_room(&d->handover))
		return DELIVERY_AGAIN; /* when it is there */
	more = d->gathering ? gathering_drain(d->gathering, reads) : calls_drain(d->calls);
	handover_flush(&d->handover);
	return more ? DELIVERY_AGAIN : DELIVERY_DONE;
}

enum delivery_turn delivery_flush(struct delivery *d, bool there)
{
	bool reads = there && caller_reads(d);
	enum delivery_turn turn;

	if (d->ring && (handover_has_room(&d->handover) || !reads)) {
		turn = drain(d, reads);
		if (turn != DELIVERY_DONE)
			return turn;
		d->unread = !ring_is_empty(d->ring);
		ring_free(d->ring);
		d->ring = NULL;
		if (d->handover.output)
			put_statistics(d);
	}
	if (reads && d->handover.output && (d->ring || output_pending(d->handover.output))) {
		d->stalled_ms += DELIVERY_TURN_MS;
		return DELIVERY_WAIT;
	}
	if (d->handover.output)
		output_give_up(d->handover.output);
	if (d->unread)
		count_unread(d); /* now that everything else is counted */
	d->unread = false;
	return DELIVERY_DONE;
}

void delivery_close(struct delivery *d)
{
	ring_free(d->ring);
	calls_free(d->calls);
	gathering_free(d->gathering);
	if (d->overdue)
		event_free(d->overdue);
	handover_close(&d->handover);
	memset(d, 0, sizeof(*d));
}
