/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions that a test plays: these functions stand in for those of daemon/session.c. To be
 * included by one source file of a program.
 */
#ifndef PLAYED_SESSION_H
#define PLAYED_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <json-c/json.h>

#include "daemon/session.h"

struct session {
	uint64_t id;
	struct session_owner owner;
	struct session_callbacks callbacks;
	void *arg;
	struct spec spec;
	int fd;
	const char *stopped; /* the reason, or NULL */
	bool orphaned;
	struct counters counters;
};

static struct session *last_session; /* the newest, NULL once it is freed */
static unsigned session_count;

struct session *session_new(struct session_host *host, uint64_t id, struct spec *spec, int fd, struct lent *lent,
			    const struct session_owner *owner,
			    const struct session_callbacks *callbacks, void *arg)
{
	struct session *s = calloc(1, sizeof(*s));

	*s = (struct session){.id = id,
			      .owner = *owner,
			      .callbacks = *callbacks,
			      .arg = arg,
			      .spec = *spec,
			      .fd = fd};
	spec_init(spec);
	last_session = s;
	session_count++;
	return s;
}

void session_orphan(struct session *s)
{
	s->orphaned = true;
}

void session_stop(struct session *s, const char *reason)
{
	s->stopped = reason;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	if (s == last_session)
		last_session = NULL;
	session_count--;
	if (s->fd >= 0)
		close(s->fd);
	spec_clear(&s->spec);
	free(s);
}

uint64_t session_id(const struct session *s)
{
	return s->id;
}

const struct session_owner *session_owner(const struct session *s)
{
	return &s->owner;
}

void session_counters(struct session *s, struct counters *sum)
{
	*sum = s->counters;
}

struct json_object *session_to_json(struct session *s)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "id", json_object_new_int64((int64_t)s->id));
	return object;
}

#endif
