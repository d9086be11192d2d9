/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "daemon/dropsquery.h"
#include "daemon/ledger.h"
#include "quote.h"

#define NS_PER_S 1000000000LL

static const char *const by_names[DROPSQUERY_BYS] = {
	[DROPSQUERY_BY_REASON] = "reason", [DROPSQUERY_BY_LOCATION] = "location", [DROPSQUERY_BY_DEV] = "dev",
	[DROPSQUERY_BY_NETNS] = "netns",   [DROPSQUERY_BY_PROTO] = "proto",
};

enum dropsquery_by dropsquery_by(const char *name)
{
	enum dropsquery_by by = DROPSQUERY_BY_REASON;

	if (!name)
		return DROPSQUERY_BY_NOTHING;
	while (by < DROPSQUERY_BYS && strcmp(by_names[by], name))
		by++;
	return by;
}

bool dropsquery_check(struct conn *c, const struct dropsquery *query, bool more)
{
	struct quote q;

	if (dropsquery_by(query->by) == DROPSQUERY_BYS)
		conn_error(c, "InvalidSpec", "by",
			   "rows cannot be summed by %s; by is reason, location, dev, netns or proto",
			   quote_text(&q, query->by, strlen(query->by)));
	else if (more && (query->since >= 0 || query->until >= 0))
		conn_error(c, "InvalidSpec", query->since >= 0 ? "since" : "until",
			   "called with more, Drops says what is dropped from now on: leave since and until out");
	else if (more && query->layers)
		conn_error(c, "InvalidSpec", "layers",
			   "called with more, Drops says what kfree_skb() drops: ask for layers in a call without more");
	else if (query->until >= 0 && query->until < query->since)
		conn_error(c, "InvalidSpec", "until", "until is before since: exchange them");
	else
		return true;
	return false;
}

void dropsquery_read_clocks(struct dropsquery_times *t)
{
	struct timespec wall;

	t->now = ledger_now();
	clock_gettime(CLOCK_REALTIME, &wall);
	t->offset = wall.tv_sec * NS_PER_S + wall.tv_nsec - (int64_t)t->now;
}

/* From microseconds since 1970 to nanoseconds since the boot. */
static uint64_t boottime(const struct dropsquery_times *t, int64_t microseconds)
{
	int64_t offset = t->offset / 1000;

	if (microseconds <= offset)
		return 0;
	return microseconds - offset < (int64_t)(t->now / 1000) ? (uint64_t)(microseconds - offset) * 1000 : t->now;
}

void dropsquery_read_times(const struct dropsquery *query, struct dropsquery_times *t)
{
	dropsquery_read_clocks(t);
	t->since = query->since >= 0 ? boottime(t, query->since) : 0;
	t->until = query->until >= 0 ? boottime(t, query->until) : t->now;
}
