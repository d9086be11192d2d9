/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/queue.h>

#include "daemon/gather.h"
#include "daemon/maps.h"
#include "daemon/closer.h"
#include "daemon/quota.h"
#include "daemon/sessions.h"

/* What one session, those of a user, or all of them take. */
struct usage {
	int64_t sessions;
	int64_t points;
	int64_t ring_bytes; /* of kernel memory */
};

struct sessions_entry {
	TAILQ_ENTRY(sessions_entry) link;
	struct sessions *table;
	struct session *session; /* owned */
	struct usage usage;      /* what it counts for */
	sessions_reply reply;    /* NULL: nobody listens (any more) */
	void *arg;
};

struct sessions {
	TAILQ_HEAD(, sessions_entry) list;
	size_t count;
	uint64_t last_id;
	struct counters ended; /* sums of the sessions that are no more */
	struct session_host *host;
	const struct quota *quota;
	void (*changed)(void *arg);
	void *arg;
};

struct sessions *sessions_new(struct session_host *host, const struct quota *quota,
			      void (*changed)(void *arg), void *arg)
{
	struct sessions *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	TAILQ_INIT(&t->list);
	t->host = host;
	t->quota = quota;
	t->changed = changed;
	t->arg = arg;
	return t;
}

static void forget(struct sessions_entry *e)
{
	TAILQ_REMOVE(&e->table->list, e, link);
	e->table->count--;
	session_free(e->session);
	free(e);
}

void sessions_free(struct sessions *t)
{
	struct sessions_entry *e;

	if (!t)
		return;
	while ((e = TAILQ_FIRST(&t->list)))
		forget(e);
	free(t);
}

static int on_reply(void *arg, struct json_object *message, bool last)
{
	struct sessions_entry *e = arg;
	sessions_reply reply = e->reply;

	if (last)
		e->reply = NULL;
	if (reply)
		return reply(e->arg, message, last);
	json_object_put(message);
	return 0;
}

static void on_ended(void *arg, struct session *s)
{
	struct sessions_entry *e = arg;
	struct sessions *t = e->table;
	struct counters counters;

	session_counters(s, &counters);
	counters.in_flight = 0;
	counters_add(&t->ended, &counters);
	/* it had no memory for its last reply: that closes the connection, so that nobody waits */
	if (e->reply)
		e->reply(e->arg, NULL, true);
	forget(e);
	t->changed(t->arg);
}

/*
 * A dry run attaches nothing. The kernel takes powers of two for rings. The tables of packets that are followed count
 * with the rings, which are kernel memory, too; as do ways that are open, in the daemon's memory.
 */
static struct usage cost(const struct spec *spec)
{
	struct usage usage = {.sessions = 1, .points = spec->points.count, .ring_bytes = 1};

	if (spec->dry_run)
		return (struct usage){.sessions = 1};
	while (usage.ring_bytes < spec->ring_bytes)
		usage.ring_bytes *= 2;
	if (spec->track)
		usage.ring_bytes += spec->track_size * QUOTA_TRACK_BYTES;
	if (spec->gather)
		usage.ring_bytes += maps_gather_bytes(spec) + gather_most_bytes(spec);
	return usage;
}

static struct usage measure(const struct sessions *t, bool everyone, uid_t uid)
{
	const struct sessions_entry *e;
	struct usage usage = {0};

	TAILQ_FOREACH(e, &t->list, link)
	{
		if (everyone || session_owner(e->session)->uid == uid) {
			usage.sessions += e->usage.sessions;
			usage.points += e->usage.points;
			usage.ring_bytes += e->usage.ring_bytes;
		}
	}
	return usage;
}

static bool has_room(const struct sessions *t, uid_t uid, const struct usage *more, char *why,
		     size_t size)
{
	const struct usage own = measure(t, false, uid), all = measure(t, true, uid);
	const struct quota *q = t->quota;

	if (own.sessions >= q->sessions_uid)
		snprintf(why, size,
			 "user %u has %" PRId64 " sessions already, the most a user may have; stop "
			 "one (netcapctl list shows them)",
			 (unsigned)uid, own.sessions);
	else if (all.sessions >= q->sessions)
		snprintf(why, size,
			 "there are %" PRId64 " sessions already, the most the daemon serves; stop "
			 "one or try again later",
			 all.sessions);
	else if (own.points + more->points > q->points_uid)
		snprintf(why, size,
			 "user %u's sessions have %" PRId64 " trace points already, and with these "
			 "%" PRId64 " more than the %" PRId64 " that a user may have; stop a "
			 "session or name fewer",
			 (unsigned)uid, own.points, more->points, q->points_uid);
	else if (all.points + more->points > q->points)
		snprintf(why, size,
			 "all sessions have %" PRId64 " trace points already, and with these "
			 "%" PRId64 " more than the %" PRId64 " that there may be; try again later "
			 "or name fewer",
			 all.points, more->points, q->points);
	else if (own.ring_bytes + more->ring_bytes > q->ring_bytes_uid)
		snprintf(why, size,
			 "the rings and tables of user %u's sessions take %" PRId64 " MiB already, and "
			 "with this one more than the %" PRId64 " that a user may have; stop a session, "
			 "or give a smaller ring, or fewer packets to follow or gather",
			 (unsigned)uid, own.ring_bytes >> 20, q->ring_bytes_uid >> 20);
	else if (all.ring_bytes + more->ring_bytes > q->ring_bytes)
		snprintf(why, size,
			 "the rings and tables of all sessions take %" PRId64 " MiB already, and with this "
			 "one more than the %" PRId64 " that there are; try again later, or give a "
			 "smaller ring, or fewer packets to follow or gather",
			 all.ring_bytes >> 20, q->ring_bytes >> 20);
	else
		return true;
	return false;
}

static struct sessions_entry *start(struct sessions *t, struct spec *spec, int fd, struct lent *lent,
				    const struct session_owner *owner)
{
	static const struct session_callbacks callbacks = {.reply = on_reply, .ended = on_ended};
	struct sessions_entry *e = calloc(1, sizeof(*e));

	if (!e) {
		closer_close(fd);
		return NULL;
	}
	e->table = t;
	e->session = session_new(t->host, t->last_id + 1, spec, fd, lent, owner, &callbacks, e);
	if (!e->session) {
		free(e);
		return NULL;
	}
	t->last_id++;
	TAILQ_INSERT_TAIL(&t->list, e, link);
	t->count++;
	return e;
}

struct sessions_entry *sessions_start(struct sessions *t, struct spec *spec, int fd, struct lent *lent,
				      const struct session_owner *owner, sessions_reply reply,
				      void *arg, char *why, size_t size)
{
	const struct usage usage = cost(spec);
	bool room = has_room(t, owner->uid, &usage, why, size);
	struct sessions_entry *e = room ? start(t, spec, fd, lent, owner) : NULL;

	if (room && !e)
		snprintf(why, size, "the daemon has no memory for another session");
	if (!room)
		closer_close(fd);
	spec_clear(spec);
	lent_clear(lent);
	if (!e) {
		errno = room ? ENOMEM : EDQUOT;
		return NULL;
	}
	e->usage = usage;
	e->reply = reply;
	e->arg = arg;
	t->changed(t->arg);
	return e;
}

void sessions_orphan(struct sessions_entry *e)
{
	e->reply = NULL;
	session_orphan(e->session);
}

void sessions_stop(struct sessions_entry *e)
{
	session_stop(e->session, "stopped");
}

void sessions_stop_all(struct sessions *t, const char *reason)
{
	struct sessions_entry *e = TAILQ_FIRST(&t->list);

	while (e) {
		struct sessions_entry *next = TAILQ_NEXT(e, link);

		session_stop(e->session, reason);
		e = next;
	}
}

size_t sessions_count(const struct sessions *t)
{
	return t->count;
}

void sessions_counters(const struct sessions *t, struct counters *sum)
{
	const struct sessions_entry *e;
	struct counters counters;

	*sum = t->ended;
	TAILQ_FOREACH(e, &t->list, link)
	{
		session_counters(e->session, &counters);
		counters_add(sum, &counters);
	}
}

struct session *sessions_find(const struct sessions *t, int64_t id)
{
	const struct sessions_entry *e;

	TAILQ_FOREACH(e, &t->list, link)
	if (session_id(e->session) == (uint64_t)id)
		return e->session;
	return NULL;
}

struct json_object *sessions_to_json(const struct sessions *t, int64_t id)
{
	struct json_object *array = json_object_new_array();
	const struct sessions_entry *e;

	TAILQ_FOREACH(e, &t->list, link)
	{
		struct json_object *session;

		if (!array || (id >= 0 && session_id(e->session) != (uint64_t)id))
			continue;
		session = session_to_json(e->session);
		if (!session || json_object_array_add(array, session)) {
			json_object_put(session);
			json_object_put(array);
			array = NULL;
		}
	}
	return array;
}
