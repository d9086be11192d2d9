/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <syslog.h>

#include "daemon/journal.h"
#include "daemon/refusal.h"
#include "daemon/wallclock.h"

#define MINUTE_NS 60000000000ULL

static struct {
	uint64_t minute; /* the one that is counted, since the machine started */
	unsigned lines;  /* logged in it */
	uint64_t suppressed; /* not logged since the last line */
} budget;

static bool may_log(void)
{
	uint64_t minute = wallclock_monotonic() / MINUTE_NS;

	if (minute != budget.minute) {
		budget.minute = minute;
		budget.lines = 0;
	}
	if (budget.lines >= REFUSAL_LINES) {
		budget.suppressed++;
		return false;
	}
	budget.lines++;
	return true;
}

/* what: whose refusal it is, at the beginning of the line. */
static void write_entry(const struct peer *peer, const char *what, uint64_t session, const char *error,
			const char *field, const char *sentence)
{
	char more[64] = "";
	struct journal_entry e;

	journal_begin(&e, JOURNAL_REFUSED, LOG_INFO);
	if (session)
		journal_number(&e, "NETCAP_SESSION", session);
	journal_number(&e, "NETCAP_UID", peer->uid);
	if (peer->pid)
		journal_number(&e, "NETCAP_PID", peer->pid);
	journal_text(&e, "NETCAP_COMM", peer->comm);
	journal_text(&e, "NETCAP_ERROR", error);
	journal_text(&e, "NETCAP_FIELD", field);
	if (budget.suppressed) {
		journal_number(&e, "NETCAP_SUPPRESSED", budget.suppressed);
		snprintf(more, sizeof(more), " (and %" PRIu64 " not logged before)", budget.suppressed);
	}
	budget.suppressed = 0;
	journal_send(&e, "%s of uid %u refused: %s%s%s%s", what, (unsigned)peer->uid, error, *sentence ? ": " : "",
		     sentence, more);
}

void refusal_log(const struct peer *peer, const char *error, const char *field, const char *sentence)
{
	if (may_log())
		write_entry(peer, "call", 0, error, field, sentence);
}

void refusal_log_session(const struct peer *peer, uint64_t session, const char *error, const char *field,
			 const char *sentence)
{
	char what[40];

	snprintf(what, sizeof(what), "session %" PRIu64, session);
	if (may_log())
		write_entry(peer, what, session, error, field, sentence);
}
