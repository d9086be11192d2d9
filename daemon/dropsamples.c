/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "daemon/closer.h"
#include "daemon/descriptor.h"
#include "daemon/dropsamples.h"
#include "daemon/samples.h"

/* A call whose samples are under way. */
struct transfer {
	struct ledger *ledger;
	const struct netstats *baseline;
	const struct session_host *host;
	struct conn *conn;
	struct dropsquery query; /* owned */
	struct samples *samples;
};

static void transfer_free(struct transfer *t)
{
	free(t->query.by);
	free(t);
}

static void abandoned(void *arg)
{
	struct transfer *t = arg;

	samples_cancel(t->samples);
	transfer_free(t);
}

static void done(void *arg, int64_t count, const char *why)
{
	struct transfer *t = arg;

	t->query.samples = false;
	t->query.sampled = count;
	t->query.unsampled = ledger_unsampled(t->ledger);
	if (count < 0)
		conn_error(t->conn, "Failed", "samples", "%s", why);
	else
		drops_call(t->ledger, "", t->baseline, t->host, t->conn, &t->query, false);
	transfer_free(t);
}

/* False: it is answered. */
static bool is_possible(struct conn *c, const struct dropsquery *query, int fd, bool more)
{
	const struct peer *peer = conn_peer(c);
	char why[256];

	if (query->samples && peer->role < PEER_CAPTURER)
		conn_error(c, "NotPermitted", "samples",
			   "samples are packets, which are not for %s such as user %u; join the group " PEER_GROUP
			   " (usermod -aG " PEER_GROUP " USER, then log in again) or use sudo",
			   peer_role_name(peer->role), (unsigned)peer->uid);
	else if (query->samples && more)
		conn_error(c, "InvalidSpec", "samples",
			   "called with more, Drops says what is dropped from now on: leave samples out");
	else if (fd >= 0 && !query->samples)
		conn_error(c, "BadDescriptor", "", "a descriptor came with Drops, which takes one for samples only");
	else if (fd < 0)
		conn_error(c, "BadDescriptor", "",
			   "no descriptor came along for the samples; pass the writing end of a pipe or a connected Unix "
			   "stream socket");
	else if (descriptor_check(fd, why, sizeof(why)))
		conn_error(c, "BadDescriptor", "", "%s", why);
	else
		return dropsquery_check(c, query, more);
	return false;
}

static void start(struct ledger *ledger, const struct netstats *baseline, const struct session_host *host,
		  struct conn *c, struct dropsquery *query, int fd)
{
	static const struct conn_operation operation = { .abandoned = abandoned };
	struct transfer *t = calloc(1, sizeof(*t));
	struct dropsquery_times times;
	char why[256] = "the daemon has no memory for this call; try again later";

	if (!t) {
		closer_close(fd);
		conn_error(c, "Failed", "", "%s", why);
		return;
	}
	*t = (struct transfer){ .ledger = ledger, .baseline = baseline, .host = host, .conn = c, .query = *query };
	query->by = NULL;
	ledger_read(ledger);
	dropsquery_read_times(query, &times);
	t->samples = samples_start(host, ledger_recorder(ledger), &times, fd, done, t, why, sizeof(why));
	if (t->samples) {
		conn_defer(c, &operation, t);
		return;
	}
	transfer_free(t);
	conn_error(c, "Failed", "samples", "%s", why);
}

void dropsamples_call(struct ledger *ledger, const char *why, const struct netstats *baseline,
		      const struct session_host *host, struct conn *c, struct dropsquery *query, int fd, bool more)
{
	bool possible = is_possible(c, query, fd, more);

	if (possible && ledger && !ledger_why(ledger)) {
		start(ledger, baseline, host, c, query, fd);
		return;
	}
	if (possible)
		conn_error(c, "Failed", "", "%s", ledger ? ledger_why(ledger) : why);
	closer_close(fd);
}
