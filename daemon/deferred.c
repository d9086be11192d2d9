/* SPDX-License-Identifier: BSD-2-Clause */
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "daemon/deferred.h"
#include "varlink.h"

struct deferred {
	struct conn *conn;
	atomic_bool abandoned; /* conn is gone: the worker need not begin */
	struct deferred_work work;
	void (*run)(struct deferred_work *work);
};

static unsigned outstanding; /* the event loop's: calls that are not done */

static void deferred_free(struct deferred *d)
{
	json_object_put(d->work.replies);
	free(d->work.text);
	free(d->work.data);
	free(d);
}

static void abandoned(void *arg)
{
	struct deferred *d = arg;

	d->abandoned = true;
}

static void run(void *arg)
{
	struct deferred *d = arg;

	if (!d->abandoned)
		d->run(&d->work);
}

static void answer(struct deferred *d)
{
	size_t count = d->work.replies ? json_object_array_length(d->work.replies) : 0;
	int r = 0;

	if (!count)
		conn_error(d->conn, "Failed", "", "%s", d->work.why);
	for (size_t i = 0; !r && i < count; i++) {
		struct json_object *reply = json_object_array_get_idx(d->work.replies, i);
		bool last = i + 1 == count;

		r = conn_send(d->conn, varlink_reply(json_object_get(reply), !last), last);
		if (r && !last)
			conn_error(d->conn, "Failed", "",
				   "the replies do not fit into the daemon's buffer; read faster");
	}
}

static void done(void *arg)
{
	struct deferred *d = arg;

	outstanding--;
	if (!d->abandoned)
		answer(d);
	deferred_free(d);
	/* a long answer is worth some MiB, which the C library would keep */
	malloc_trim(0);
}

/* work's contents, moved, for the worker. NULL: out of memory. */
static struct deferred *make(struct conn *c, struct deferred_work *work, void (*function)(struct deferred_work *work))
{
	struct deferred *d = calloc(1, sizeof(*d));

	if (d) {
		d->conn = c;
		d->work = *work;
		d->run = function;
	} else {
		free(work->text);
		free(work->data);
	}
	*work = (struct deferred_work){};
	return d;
}

void deferred_start(struct conn *c, struct worker *worker, struct deferred_work *work,
		    void (*function)(struct deferred_work *work))
{
	static const struct conn_operation operation = {.abandoned = abandoned};
	struct deferred *d = make(c, work, function);

	if (d && outstanding == DEFERRED_MAX) {
		deferred_free(d);
		conn_error(c, "LimitReached", "",
			   "%u calls wait for their answers already, the most that the daemon takes; try again later",
			   DEFERRED_MAX);
		return;
	}
	if (d && !worker_submit(worker, run, done, d)) {
		outstanding++;
		conn_defer(c, &operation, d);
		return;
	}
	if (d)
		deferred_free(d);
	conn_error(c, "Failed", "", "the daemon has no memory for this call; try again later");
}
