/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/calls.h"
#include "daemon/closer.h"
#include "daemon/comments.h"
#include "daemon/delivery.h"
#include "daemon/describe.h"
#include "daemon/gathering.h"
#include "daemon/output.h"
#include "daemon/report.h"
#include "daemon/ring.h"
#include "daemon/stream.h"
#include "pcapng.h"

#define FLUSH_BYTES (1 << 20) /* most that the output gets, and what the last packet has beyond, before it writes */

/* What may come at once fits beside what waits, of which there is less than half at the end: has_room(). */
_Static_assert(CALLS_BYTES_MOST <= OUTPUT_LIMIT_BYTES / 2, "calls that return at once");
_Static_assert(CALLS_DRAIN_BYTES + NETCAP_SNAPLEN_MAX + CALLS_DRAIN_MOST * META_TEXT_MAX < OUTPUT_LIMIT_BYTES / 2,
	       "a portion of calls without return, with comments");

static void on_delivered(void *arg, uint32_t point)
{
	struct delivery *d = arg;

	d->context.load->points[point].delivered++;
}

static void count_lost(struct delivery *d, uint32_t point)
{
	d->context.load->points[point].lost_client++;
	d->callbacks.lost(d->arg);
}

/* Another packet may take its place: -c means packets that arrive. */
static void make_place(struct delivery *d)
{
	if (!d->context.spec->count)
		return;
	d->passed_on--;
	if (d->overdue)
		event_del(d->overdue);
	__atomic_sub_fetch(&d->context.load->control->taken, 1, __ATOMIC_SEQ_CST);
}

static void on_lost(void *arg, uint32_t point)
{
	struct delivery *d = arg;

	count_lost(d, point);
	make_place(d);
}

static void on_broken(void *arg, int error)
{
	struct delivery *d = arg;

	d->callbacks.stop(d->arg, "client");
}

static bool limit_reached(const struct delivery *d)
{
	return d->context.spec->count && d->passed_on >= (uint64_t)d->context.spec->count;
}

/* back: the return of the function, where one was asked for and seen. */
static void describe(struct delivery *d, const struct netcap_record *r, const struct netcap_return *back,
		     struct describe_store *store, struct meta *m)
{
	const struct probe *probe = &d->context.load->probes.items[r->point];

	describe_record(r, probe, d->context.kernel, symbolcache_get(d->context.symbols), store, m);
	if (back)
		describe_return(r, probe, back, store, m);
}

static const struct comment *make_comment(struct delivery *d, const struct netcap_record *r,
					  const struct netcap_return *back)
{
	struct describe_store store;
	struct meta m;

	describe(d, r, back, &store, &m);
	return comments_make(d->comments, r, &m);
}

/* All that the output has got so far, written or not. */
static uint64_t appended(struct delivery *d)
{
	return output_written(d->output) + output_pending(d->output);
}

static void flush(struct delivery *d)
{
	if (!d->output)
		return;
	output_flush(d->output);
	d->flushed_at = appended(d);
}

/* journey: its way as text, or NULL. points: where it was seen, which the caller marks then. */
static int write_packet(struct delivery *d, const struct netcap_record *r, const struct netcap_return *back,
			const struct comment *journey, size_t points, uint64_t time_ns)
{
	const struct comment *comment = comments_find(d->comments, r);
	int error = output_reserve_marks(d->output, points);

	if (!comment)
		comment = make_comment(d, r, back);
	if (!error)
		error = stream_packet(d->stream, output_buf(d->output), r,
				      d->context.load->probes.items[r->point].text, comment, journey, time_ns);
	if (!error && appended(d) - d->flushed_at >= FLUSH_BYTES)
		ring_yield(d->ring);
	return error;
}

static int send_event(struct delivery *d, const struct netcap_record *r, const struct netcap_return *back,
		      const struct comment *journey, uint64_t time_ns)
{
	struct describe_store store;
	struct json_object *event;
	struct meta m;

	describe(d, r, back, &store, &m);
	event = report_event(r, &m, journey ? journey->text : NULL, time_ns, d->context.spec->snaplen, d->scratch);
	return event ? d->callbacks.event(d->arg, event) : -ENOMEM;
}

/* The packet that was just written, or sent, was seen at this trace point. */
static void mark(struct delivery *d, uint32_t point)
{
	if (d->output)
		output_mark(d->output, point);
	else
		on_delivered(d, point);
}

/* With a return, its time is the packet's. */
static void pass_on(void *arg, const struct netcap_record *r, const struct netcap_return *back)
{
	struct delivery *d = arg;
	uint64_t time_ns;
	int error;

	if (limit_reached(d)) {
		d->context.load->points[r->point].limited++;
		return;
	}
	time_ns = wallclock_at(d->context.clock, back ? back->time_ns : r->time_ns);
	d->passed_on++;
	error = d->output ? write_packet(d, r, back, NULL, 1, time_ns) : send_event(d, r, back, NULL, time_ns);
	if (error)
		on_lost(d, r->point);
	else
		mark(d, r->point);
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

/* A caller without room for it will see that no more of the packet comes. */
static void on_ended(void *arg, const struct netcap_end *end)
{
	struct delivery *d = arg;
	const struct pcapng_end block = { end->track, wallclock_at(d->context.clock, end->time_ns) };

	d->newest_ns = end->time_ns;
	if (d->gathering)
		gather_freed(gathering_gather(d->gathering), end);
	else if (d->output)
		pcapng_put_end(output_buf(d->output), &block);
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

/* What was done with each event of a packet's way. Those from before it was slow count as filtered. */
static void each_step(struct delivery *d, const struct gather_packet *p, void (*what)(struct delivery *d, uint32_t point))
{
	for (unsigned i = 0; i < p->count; i++)
		if (!(p->steps[i].event.flags & NETCAP_F_KEPT))
			what(d, p->steps[i].event.point);
}

static void count_limited(struct delivery *d, uint32_t point)
{
	d->context.load->points[point].limited++;
}

/* The return of the function that the packet was first seen at. False: it has none. */
static bool return_of_first(const struct gather_packet *p, struct netcap_return *back)
{
	for (unsigned i = 0; i < p->count; i++) {
		const struct gather_step *s = &p->steps[i];

		if (!s->back_ns || s->event.frame != p->record.frame || s->event.time_ns != p->record.time_ns)
			continue;
		*back = (struct netcap_return){ s->back_ns, s->event.frame, s->value };
		return true;
	}
	return false;
}

/* A packet whose way is over: its time is that of its first event. */
static void on_over(void *arg, const struct gather_packet *p, const struct comment *journey)
{
	const struct gather_step *first = &p->steps[0];
	struct netcap_return back;
	const struct netcap_return *returned = return_of_first(p, &back) ? &back : NULL;
	struct delivery *d = arg;
	uint64_t time_ns;
	int error;

	if (limit_reached(d)) {
		each_step(d, p, count_limited);
		return;
	}
	time_ns = wallclock_at(d->context.clock, first->back_ns ? first->back_ns : first->event.time_ns);
	d->passed_on++;
	error = d->output ? write_packet(d, &p->record, returned, journey, p->count, time_ns) :
			    send_event(d, &p->record, returned, journey, time_ns);
	each_step(d, p, error ? count_lost : mark);
	if (error)
		make_place(d);
}

static void on_unplaced(void *arg, uint32_t point)
{
	struct delivery *d = arg;

	d->context.load->points[point].unplaced++;
}

/* While the ring has something, time stands still at what was read last. */
static uint64_t now(void *arg)
{
	struct delivery *d = arg;

	return !d->ring || ring_is_empty(d->ring) ? wallclock_monotonic() : d->newest_ns;
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

	flush(d);
	if (limit_reached(d))
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
	static const struct gathering_callbacks callbacks = { on_over, on_unplaced, now, hand_on };
	const struct delivery_context *c = &d->context;
	const struct gathering_context context = { c->base, c->kernel, c->symbols, c->spec, c->load };

	d->gathering = gathering_new(&context, &callbacks, d);
	return d->gathering;
}

static bool open_calls(struct delivery *d)
{
	d->calls = calls_new(pass_on, d);
	d->overdue = evtimer_new(d->context.base, on_overdue, d);
	return d->calls && d->overdue;
}

static int open_stream(struct delivery *d, int fd)
{
	static const struct output_callbacks callbacks = { on_delivered, on_lost, on_broken };

	d->output = output_new(d->context.base, fd, &callbacks, d);
	if (!d->output)
		return -errno;
	d->stream = stream_new(d->context.spec->snaplen, d->context.spec->filter);
	d->comments = comments_new();
	if (!d->stream || !d->comments)
		return -ENOMEM;
	return stream_begin(d->stream, output_buf(d->output));
}

int delivery_open(struct delivery *d, const struct delivery_context *context, int fd,
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
	bool gathers = context->spec->gather, returns = context->load->maps.calls >= 0 && !gathers;

	memset(d, 0, sizeof(*d));
	d->context = *context;
	d->callbacks = *callbacks;
	d->arg = arg;
	d->scratch = malloc(context->spec->snaplen + STREAM_TAG_BYTES);
	d->ring = ring_new(context->base, context->load->maps.ring, context->load->control, &ring, d);
	if (d->scratch && d->ring && (!returns || open_calls(d)) && (!gathers || open_gathering(d)))
		return fd < 0 ? 0 : open_stream(d, fd);
	if (fd >= 0)
		closer_close(fd);
	return -ENOMEM;
}

void delivery_start(struct delivery *d)
{
	flush(d);
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
			stream_end_point(d->stream, output_buf(d->output), i,
					 load->probes.items[i].text, &c, now);
	}
	output_flush(d->output);
}

/* Is the caller alive, that is, has it taken anything lately? Also true when nothing waits. */
static bool caller_reads(struct delivery *d)
{
	if (!d->output)
		return true;
	if (output_is_broken(d->output))
		return false;
	if (!output_pending(d->output) || d->progress != output_written(d->output)) {
		d->progress = output_written(d->output);
		d->stalled_ms = 0;
	}
	return d->stalled_ms < DELIVERY_LINGER_MS;
}

/* Is there room for one more portion? */
static bool has_room(const struct delivery *d)
{
	return !d->output || output_pending(d->output) < OUTPUT_LIMIT_BYTES / 2;
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
	if (reads && !has_room(d))
		return DELIVERY_AGAIN; /* when it is there */
	more = d->gathering ? gathering_drain(d->gathering) : calls_drain(d->calls);
	flush(d);
	return more ? DELIVERY_AGAIN : DELIVERY_DONE;
}

enum delivery_turn delivery_flush(struct delivery *d, bool there)
{
	bool reads = there && caller_reads(d);
	enum delivery_turn turn;

	if (d->ring && (has_room(d) || !reads)) {
		turn = drain(d, reads);
		if (turn != DELIVERY_DONE)
			return turn;
		d->unread = !ring_is_empty(d->ring);
		ring_free(d->ring);
		d->ring = NULL;
		if (d->output)
			put_statistics(d);
	}
	if (reads && d->output && (d->ring || output_pending(d->output))) {
		d->stalled_ms += DELIVERY_TURN_MS;
		return DELIVERY_WAIT;
	}
	if (d->output)
		output_give_up(d->output);
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
	output_free(d->output);
	stream_free(d->stream);
	comments_free(d->comments);
	free(d->scratch);
	memset(d, 0, sizeof(*d));
}
