/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/closer.h"
#include "daemon/output.h"

/* Where a packet ends in the stream of all bytes. */
struct mark {
	uint64_t end;
	uint32_t point;
};

struct output {
	int fd;
	bool socket;
	bool broken;
	struct event *writable;
	struct buf buf;
	uint64_t written;
	struct mark *marks; /* owned; a queue: first .. first + count, modulo size */
	size_t first, count, size; /* size: a power of two */
	struct output_callbacks callbacks;
	void *arg;
};

/*
 * O_NONBLOCK belongs to the open file description, which the client shares and could change: an open
 * of our own cannot be made to block.
 */
static int own_pipe(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

static int take_fd(struct output *o, int fd)
{
	o->fd = fd;
	o->socket = fcntl(fd, F_GETPIPE_SZ) < 0; /* fstat() may block on what strangers pass */
	if (o->socket)
		return 0;
	o->fd = own_pipe(fd);
	closer_close(fd);
	return o->fd < 0 ? -errno : 0;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	output_flush(arg);
}

struct output *output_new(struct event_base *base, int fd, const struct output_callbacks *callbacks,
			  void *arg)
{
	struct output *o = calloc(1, sizeof(*o));
	int r;

	if (!o) {
		closer_close(fd);
		errno = ENOMEM;
		return NULL;
	}
	buf_init(&o->buf, OUTPUT_LIMIT_BYTES);
	o->callbacks = *callbacks;
	o->arg = arg;
	r = take_fd(o, fd);
	if (!r) {
		o->writable = event_new(base, o->fd, EV_WRITE, on_writable, o);
		r = o->writable ? 0 : -ENOMEM;
	}
	if (!r)
		return o;
	output_free(o);
	errno = -r;
	return NULL;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	if (o->writable)
		event_free(o->writable);
	if (o->fd >= 0 && o->socket)
		closer_hang_up(o->fd);
	else if (o->fd >= 0)
		close(o->fd);
	buf_clear(&o->buf);
	free(o->marks);
	free(o);
}

struct buf *output_buf(struct output *o)
{
	return &o->buf;
}

size_t output_pending(struct output *o)
{
	return buf_len(&o->buf);
}

uint64_t output_written(const struct output *o)
{
	return o->written;
}

/* The place of the mark with this number in the queue. */
static struct mark *mark_at(const struct output *o, size_t number)
{
	return &o->marks[(o->first + number) & (o->size - 1)];
}

static int grow_marks(struct output *o)
{
	size_t size = o->size ? 2 * o->size : 1024;
	struct mark *marks = malloc(size * sizeof(*marks));

	if (!marks)
		return -ENOMEM;
	for (size_t i = 0; i < o->count; i++)
		marks[i] = *mark_at(o, i);
	free(o->marks);
	o->marks = marks;
	o->first = 0;
	o->size = size;
	return 0;
}

int output_reserve_marks(struct output *o, size_t marks)
{
	int error = 0;

	while (!error && o->size - o->count < marks)
		error = grow_marks(o);
	return error;
}

void output_mark(struct output *o, uint32_t point)
{
	*mark_at(o, o->count) = (struct mark){ o->written + buf_len(&o->buf), point };
	o->count++;
}

static const struct mark *pop_mark(struct output *o)
{
	const struct mark *m = mark_at(o, 0);

	o->first = (o->first + 1) & (o->size - 1);
	o->count--;
	return m;
}

static void account(struct output *o)
{
	while (o->count && o->marks[o->first].end <= o->written)
		o->callbacks.delivered(o->arg, pop_mark(o)->point);
}

static ssize_t write_some(struct output *o)
{
	const uint8_t *head = buf_head(&o->buf);
	size_t len = buf_len(&o->buf);

	return o->socket ? send(o->fd, head, len, MSG_DONTWAIT | MSG_NOSIGNAL) :
			   write(o->fd, head, len);
}

void output_flush(struct output *o)
{
	while (buf_len(&o->buf) && !o->broken) {
		ssize_t n = write_some(o);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			event_add(o->writable, NULL);
			return;
		}
		if (n < 0) {
			o->broken = true;
			o->callbacks.broken(o->arg, errno);
			return;
		}
		o->written += n;
		buf_drop(&o->buf, n);
		account(o);
	}
}

bool output_is_broken(const struct output *o)
{
	return o->broken;
}

void output_give_up(struct output *o)
{
	event_del(o->writable);
	buf_truncate(&o->buf, 0);
	o->broken = true;
	while (o->count)
		o->callbacks.lost(o->arg, pop_mark(o)->point);
}
