/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/closer.h"
#include "daemon/comments.h"
#include "daemon/dropreason.h"
#include "daemon/output.h"
#include "daemon/samples.h"
#include "daemon/stream.h"

#define PORTION_BYTES 65536
#define REASONS       16 /* names of subsystems' reasons that are kept: to find one takes milliseconds */

struct reason {
	uint32_t number;
	char name[32];
};

struct samples {
	const struct kernel *kernel;
	struct dropsquery_times times;
	samples_done done;
	void *arg;
	bool cancelled;
	bool working; /* the worker has it */
	struct recorder *recorder; /* owned; a copy */
	int error; /* of the worker's making */
	size_t count;
	struct buf made;       /* the stream, as far as it is not handed on */
	struct output *output; /* owned */
	struct event *turn;    /* owned */
	uint64_t progress;     /* bytes written at the last turn */
	bool broken;
};

/* While the stream is made. */
struct making {
	struct samples *s;
	struct stream *stream;
	struct symbols *symbols;
	struct reason reasons[REASONS];
	unsigned known; /* reasons */
};

static unsigned running; /* transfers */

/* ---- on the worker ---- */

static const char *foreign_reason(struct making *m, uint32_t number)
{
	struct reason *r = &m->reasons[m->known % REASONS];

	for (unsigned i = 0; i < m->known && i < REASONS; i++)
		if (m->reasons[i].number == number)
			return m->reasons[i].name;
	r->number = number;
	dropreason_search(m->s->kernel, number, r->name, sizeof(r->name));
	m->known++;
	return r->name;
}

static bool add_sample(void *arg, const struct netcap_record *sample)
{
	struct making *m = arg;
	struct samples *s = m->s;
	struct describe_store store;
	struct meta meta;
	char text[META_TEXT_MAX];
	struct comment comment = { .text = text };
	int length;

	sample_describe(sample, s->kernel, m->symbols, &store, &meta);
	if (meta.reason && dropreason_is_foreign(sample->reason))
		meta.reason = foreign_reason(m, sample->reason);
	length = comments_format(&meta, text, sizeof(text));
	comment.len = length > 0 ? length : 0;
	s->error = stream_packet(m->stream, &s->made, sample, SAMPLE_POINT, &comment, NULL,
				 sample->time_ns + s->times.offset);
	return !s->error;
}

static void make(void *arg)
{
	struct samples *s = arg;
	struct making m = { .s = s, .stream = stream_new(LEDGER_SAMPLE_BYTES, NULL), .symbols = symbols_new() };

	s->error = m.stream ? stream_begin(m.stream, &s->made) : -ENOMEM;
	if (!s->error)
		s->count = recorder_each(s->recorder, s->times.since, s->times.until, add_sample, &m);
	symbols_free(m.symbols);
	stream_free(m.stream);
}

/* ---- in the loop ---- */

static void samples_free(struct samples *s)
{
	if (s->turn)
		event_free(s->turn);
	output_free(s->output);
	recorder_free(s->recorder);
	buf_clear(&s->made);
	free(s);
	running--;
	/* what was made is worth some MiB, which the C library would keep */
	malloc_trim(0);
}

static void finish(struct samples *s, int64_t count, const char *why)
{
	samples_done done = s->done;
	void *arg = s->arg;

	samples_free(s);
	done(arg, count, why);
}

static void portion(struct samples *s)
{
	size_t bytes = buf_len(&s->made) < PORTION_BYTES ? buf_len(&s->made) : PORTION_BYTES;

	if (output_reserve_marks(s->output, 1) || buf_add(output_buf(s->output), buf_head(&s->made), bytes)) {
		s->error = -ENOMEM;
		return;
	}
	buf_drop(&s->made, bytes);
	output_mark(s->output, 0);
	output_flush(s->output);
}

/* Until what waits is out, or the caller has taken nothing for a while. */
static void wait_for_caller(struct samples *s)
{
	static const struct timeval patience = { SAMPLES_PATIENCE_MS / 1000, SAMPLES_PATIENCE_MS % 1000 * 1000 };

	s->progress = output_written(s->output);
	event_add(s->turn, &patience);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct samples *s = arg;

	if (s->broken || (output_pending(s->output) && output_written(s->output) == s->progress)) {
		finish(s, -1,
		       "the samples were not all read: their reader closed its end, or took nothing for 2 seconds");
		return;
	}
	if (!output_pending(s->output) && buf_len(&s->made))
		portion(s);
	if (s->error)
		finish(s, -1, "the daemon has no memory for samples; try again later");
	else if (output_pending(s->output) || buf_len(&s->made))
		wait_for_caller(s);
	else
		finish(s, s->count, "");
}

static void on_delivered(void *arg, uint32_t point)
{
	struct samples *s = arg;

	event_active(s->turn, EV_TIMEOUT, 0);
}

static void on_lost(void *arg, uint32_t point)
{
}

static void on_broken(void *arg, int error)
{
	struct samples *s = arg;

	s->broken = true;
	event_active(s->turn, EV_TIMEOUT, 0);
}

static void on_made(void *arg)
{
	struct samples *s = arg;

	s->working = false;
	recorder_free(s->recorder);
	s->recorder = NULL;
	if (s->cancelled)
		samples_free(s);
	else if (s->error == -ENOBUFS)
		finish(s, -1, "the samples are too many for one answer; ask for a shorter time (since, until)");
	else
		event_active(s->turn, EV_TIMEOUT, 0);
}

static struct output *open_output(struct samples *s, struct event_base *base, int fd)
{
	static const struct output_callbacks callbacks = {
		.delivered = on_delivered,
		.lost = on_lost,
		.broken = on_broken,
	};

	return output_new(base, fd, &callbacks, s);
}

/* 0, or negative errno with s half-built. fd is taken over. */
static int prepare(struct samples *s, const struct session_host *host, const struct recorder *recorder, int fd)
{
	s->output = open_output(s, host->base, fd);
	if (!s->output)
		return -errno;
	s->turn = evtimer_new(host->base, on_turn, s);
	s->recorder = recorder_copy(recorder);
	if (!s->turn || !s->recorder || worker_submit(host->worker, make, on_made, s))
		return -ENOMEM;
	s->working = true;
	return 0;
}

struct samples *samples_start(const struct session_host *host, const struct recorder *recorder,
			      const struct dropsquery_times *times, int fd, samples_done done, void *arg, char *why,
			      size_t size)
{
	struct samples *s = running < SAMPLES_AT_ONCE ? calloc(1, sizeof(*s)) : NULL;
	int r;

	if (!s) {
		snprintf(why, size, "%s",
			 running < SAMPLES_AT_ONCE ?
				 "the daemon has no memory for samples; try again later" :
				 "samples are already being written to 4 callers; try again when one of them has them");
		closer_close(fd);
		return NULL;
	}
	running++;
	*s = (struct samples){ .kernel = host->kernel, .times = *times, .done = done, .arg = arg };
	buf_init(&s->made, SAMPLES_BYTES_MOST);
	r = prepare(s, host, recorder, fd);
	if (!r)
		return s;
	samples_free(s);
	snprintf(why, size, "the samples cannot be written to the caller's descriptor: %s", strerror(-r));
	return NULL;
}

void samples_cancel(struct samples *s)
{
	if (!s)
		return;
	s->cancelled = true;
	if (!s->working)
		samples_free(s);
}
