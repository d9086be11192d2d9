/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include <event2/event.h>

#include "daemon/dropfeed.h"
#include "daemon/dropjournal.h"
#include "daemon/droplog.h"
#include "daemon/log.h"
#include "daemon/symbols.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_US 1000ULL

struct dropfeed {
	struct ledger_follower link; /* first: changed() gets it */
	struct ledger *ledger;
	const struct config_journal *options;
	struct droplog *log; /* owned */
	struct event *due;   /* owned; for a summary while nothing is dropped */
	bool follows;
};

/* A row as the log takes it, and its texts. */
struct texts {
	char reason[HISTORYFILE_TEXT_BYTES], subsystem[HISTORYFILE_TEXT_BYTES], location[HISTORYFILE_TEXT_BYTES];
};

static void wait_for_summary(struct dropfeed *f)
{
	uint64_t due = droplog_due(f->log), now = ledger_now(), left = due > now ? due - now : 0;
	const struct timeval when = { left / NS_PER_S, left % NS_PER_S / NS_PER_US + 1 };

	if (due)
		evtimer_add(f->due, &when);
	else
		evtimer_del(f->due);
}

static struct droplog_row describe(const struct ledger *l, const struct historyfile_row *r, uint64_t packets,
				   struct texts *t)
{
	return (struct droplog_row){
		.reason = ledger_reason(l, r->key.reason, r->reason, t->reason, sizeof(t->reason)),
		.subsystem = ledger_subsystem(l, r->key.reason, t->subsystem, sizeof(t->subsystem)),
		.location = r->location[0] ?
				    r->location :
				    symbols_name(NULL, r->key.location, t->location, sizeof(t->location)),
		.device = r->device,
		.netns = r->key.netns,
		.packets = packets,
	};
}

/* Rows of the history are finer than those of the log, which adds them up. */
static void feed_changes(struct dropfeed *f)
{
	struct history *h = ledger_history(f->ledger);
	struct droplog_row row = { .reason = DROPLOG_OTHERS,
				   .packets = history_change(h, HISTORY_OVERFLOW)->packets };
	struct texts texts;
	uint64_t now = ledger_now();

	for (unsigned i = 0; i < history_count(h); i++) {
		uint64_t packets = history_change(h, i)->packets;
		struct droplog_row one;

		if (!packets)
			continue;
		one = describe(f->ledger, history_row(h, i), packets, &texts);
		droplog_feed(f->log, now, &one, 1);
	}
	droplog_feed(f->log, now, &row, 1);
}

static void changed(struct ledger_follower *link, bool last)
{
	struct dropfeed *f = (struct dropfeed *)link;

	feed_changes(f);
	if (!last) {
		wait_for_summary(f);
		return;
	}
	droplog_end(f->log, ledger_now());
	evtimer_del(f->due);
	ledger_unfollow(f->ledger, link);
	f->follows = false;
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	struct dropfeed *f = arg;

	droplog_feed(f->log, ledger_now(), NULL, 0);
	wait_for_summary(f);
}

static struct droplog_options options_of(const struct config_journal *c)
{
	return (struct droplog_options){
		.drops = c->drops,
		.interval_s = c->interval,
		.lines_per_minute = c->lines_per_minute,
		.threshold = c->threshold,
		.ignore = (const char *const *)c->ignore.items,
		.ignore_count = c->ignore.count,
	};
}

struct dropfeed *dropfeed_new(struct event_base *base, struct ledger *ledger, const struct config_journal *options)
{
	const struct droplog_options o = options_of(options);
	struct dropfeed *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->link.changed = changed;
	f->ledger = ledger;
	f->options = options;
	f->log = droplog_new(&o, ledger_now(), dropjournal_send, NULL);
	f->due = evtimer_new(base, on_due, f);
	if (!f->log || !f->due) {
		dropfeed_free(f);
		return NULL;
	}
	ledger_follow(ledger, &f->link);
	f->follows = true;
	return f;
}

void dropfeed_free(struct dropfeed *f)
{
	if (!f)
		return;
	if (f->follows)
		ledger_unfollow(f->ledger, &f->link);
	if (f->due)
		event_free(f->due);
	droplog_free(f->log);
	free(f);
}

void dropfeed_configure(struct dropfeed *f)
{
	const struct droplog_options o = f ? options_of(f->options) : (struct droplog_options){};

	if (!f)
		return;
	if (droplog_configure(f->log, &o, ledger_now()))
		log_error("no memory for the new limit of drop entries: the old one stays");
	wait_for_summary(f);
}
