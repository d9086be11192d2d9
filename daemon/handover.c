/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/closer.h"
#include "daemon/describe.h"
#include "daemon/handover.h"
#include "daemon/output.h"
#include "daemon/report.h"
#include "daemon/stream.h"
#include "pcapng.h"

#define FLUSH_BYTES (1 << 20) /* most that the output gets, and what the last packet has beyond, before it writes */

static void on_delivered(void *arg, uint32_t point)
{
	struct handover *h = arg;

	h->context.load->points[point].delivered++;
}

static void count_limited(struct handover *h, uint32_t point)
{
	h->context.load->points[point].limited++;
}

static void count_lost(struct handover *h, uint32_t point)
{
	h->context.load->points[point].lost_client++;
	h->callbacks.lost(h->arg);
}

/* Another packet may take its place: -c means packets that arrive. */
static void make_place(struct handover *h)
{
	if (!h->context.spec->count)
		return;
	h->passed_on--;
	h->callbacks.replaced(h->arg);
	__atomic_sub_fetch(&h->context.load->control->taken, 1, __ATOMIC_SEQ_CST);
}

static void on_lost(void *arg, uint32_t point)
{
	struct handover *h = arg;

	count_lost(h, point);
	make_place(h);
}

static void on_broken(void *arg, int error)
{
	struct handover *h = arg;

	h->callbacks.broken(h->arg);
}

bool handover_limit_reached(const struct handover *h)
{
	return h->context.spec->count && h->passed_on >= (uint64_t)h->context.spec->count;
}

static void describe(struct handover *h, const struct netcap_record *r, const struct netcap_return *back,
		     struct describe_store *store, struct meta *m)
{
	const struct probe *probe = &h->context.load->probes.items[r->point];

	describe_record(r, probe, h->context.kernel, symbolcache_get(h->context.symbols), store, m);
	describe_user(r, &h->context.load->user, store, m);
	if (back)
		describe_return(r, probe, back, store, m);
}

static const struct comment *make_comment(struct handover *h, const struct netcap_record *r,
					  const struct netcap_return *back)
{
	struct describe_store store;
	struct meta m;

	describe(h, r, back, &store, &m);
	return comments_make(h->comments, r, &m);
}

/* All that the output has got so far, written or not. */
static uint64_t appended(const struct handover *h)
{
	return output_written(h->output) + output_pending(h->output);
}

bool handover_is_due(const struct handover *h)
{
	return h->output && appended(h) - h->flushed_at >= FLUSH_BYTES;
}

void handover_flush(struct handover *h)
{
	if (!h->output)
		return;
	output_flush(h->output);
	h->flushed_at = appended(h);
}

/* A packet with what goes with it: how it returned and its way may be NULL. */
struct parcel {
	const struct netcap_record *record;
	const struct netcap_return *back;
	const struct comment *journey;
	size_t points;    /* that it was seen at, which are marked then */
	uint64_t time_ns; /* since 1970 */
};

static int write_packet(struct handover *h, const struct parcel *p)
{
	const struct netcap_record *r = p->record;
	const struct comment *comment = comments_find(h->comments, r);
	int error = output_reserve_marks(h->output, p->points);

	if (!comment)
		comment = make_comment(h, r, p->back);
	if (!error)
		error = stream_packet(h->stream, output_buf(h->output), r,
				      h->context.load->probes.items[r->point].text, comment, p->journey, p->time_ns);
	return error;
}

static int send_event(struct handover *h, const struct parcel *p)
{
	struct describe_store store;
	struct json_object *event;
	struct meta m;

	describe(h, p->record, p->back, &store, &m);
	event = report_event(p->record, &m, p->journey ? p->journey->text : NULL, p->time_ns, h->context.spec->snaplen,
			     h->scratch);
	return event ? h->callbacks.event(h->arg, event) : -ENOMEM;
}

static int pass_on(struct handover *h, struct parcel *p, uint64_t monotonic)
{
	p->time_ns = wallclock_at(h->context.clock, monotonic);
	h->passed_on++;
	return h->output ? write_packet(h, p) : send_event(h, p);
}

/* The packet that was just written, or sent, was seen at this trace point. */
static void mark(struct handover *h, uint32_t point)
{
	if (h->output)
		output_mark(h->output, point);
	else
		on_delivered(h, point);
}

void handover_packet(struct handover *h, const struct netcap_record *r, const struct netcap_return *back)
{
	struct parcel p = { .record = r, .back = back, .points = 1 };

	if (handover_limit_reached(h))
		count_limited(h, r->point);
	else if (pass_on(h, &p, back ? back->time_ns : r->time_ns))
		on_lost(h, r->point);
	else
		mark(h, r->point);
}

/* What was done with each event of a packet's way. Those from before it was slow count as filtered. */
static void each_step(struct handover *h, const struct gather_packet *p, void (*what)(struct handover *h, uint32_t point))
{
	for (unsigned i = 0; i < p->count; i++)
		if (!(p->steps[i].event.flags & NETCAP_F_KEPT))
			what(h, p->steps[i].event.point);
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

bool handover_wants(struct handover *h, const struct gather_packet *p)
{
	if (!handover_limit_reached(h))
		return true;
	each_step(h, p, count_limited);
	return false;
}

void handover_way(struct handover *h, const struct gather_packet *p, const struct comment *journey)
{
	struct netcap_return back;
	struct parcel parcel = { .record = &p->record, .journey = journey, .points = p->count };

	if (return_of_first(p, &back))
		parcel.back = &back;
	if (!pass_on(h, &parcel, gather_step_ns(&p->steps[0]))) {
		each_step(h, p, mark);
		return;
	}
	each_step(h, p, count_lost);
	make_place(h);
}

void handover_not_kept(struct handover *h, uint32_t point)
{
	count_limited(h, point);
}

void handover_surplus(struct handover *h)
{
	if (h->context.spec->count)
		__atomic_sub_fetch(&h->context.load->control->taken, 1, __ATOMIC_SEQ_CST);
}

/* A way takes no more than so much. */
_Static_assert(NETCAP_SNAPLEN_MAX + META_TEXT_MAX + JOURNEY_TEXT_MAX < OUTPUT_LIMIT_BYTES / 2, "room for one way");

bool handover_has_room(const struct handover *h)
{
	return !h->output || output_pending(h->output) < OUTPUT_LIMIT_BYTES / 2;
}

void handover_end(struct handover *h, const struct netcap_end *end)
{
	const struct pcapng_end block = { end->track, wallclock_at(h->context.clock, end->time_ns) };

	if (h->output)
		pcapng_put_end(output_buf(h->output), &block);
}

static int open_stream(struct handover *h, int fd)
{
	static const struct output_callbacks callbacks = { on_delivered, on_lost, on_broken };

	h->output = output_new(h->context.base, fd, &callbacks, h);
	if (!h->output)
		return -errno;
	h->stream = stream_new(h->context.spec->snaplen, h->context.spec->filter);
	h->comments = comments_new();
	if (!h->stream || !h->comments)
		return -ENOMEM;
	return stream_begin(h->stream, output_buf(h->output));
}

int handover_open(struct handover *h, const struct handover_context *context, int fd,
		  const struct handover_callbacks *callbacks, void *arg)
{
	memset(h, 0, sizeof(*h));
	h->context = *context;
	h->callbacks = *callbacks;
	h->arg = arg;
	h->scratch = malloc(context->spec->snaplen + STREAM_TAG_BYTES);
	if (h->scratch)
		return fd < 0 ? 0 : open_stream(h, fd);
	if (fd >= 0)
		closer_close(fd);
	return -ENOMEM;
}

void handover_close(struct handover *h)
{
	output_free(h->output);
	stream_free(h->stream);
	comments_free(h->comments);
	free(h->scratch);
	memset(h, 0, sizeof(*h));
}
