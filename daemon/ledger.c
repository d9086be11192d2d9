/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "daemon/dropreason.h"
#include "daemon/ledger.h"
#include "daemon/ledgerprog.h"
#include "daemon/log.h"

#define NS_PER_S     1000000000ULL
#define QUIET_ARM    3 /* seconds without a drop until the next is to wake the daemon; one later it sleeps */
#define PLACES       512
#define DEVICES      64
#define AFTER_SECOND 1000000 /* nanoseconds: timers come early, and what is of a second shall be in it */

/* Names that were looked up lately, so that a new row for a known place costs nothing. */
struct place {
	uint64_t location;
	char text[HISTORYFILE_TEXT_BYTES];
};

/* Sockets drop packets that know only the device's number. */
struct device {
	uint32_t netns, ifindex;
	char name[LEDGER_NAME_LEN];
};

/* The worker looks for the name of a reason. */
struct search {
	bool runs;
	const struct kernel *kernel;
	uint32_t reason;
	char text[HISTORYFILE_TEXT_BYTES];
};

struct ledger {
	struct ledger_host host;
	struct ledgerprog *program; /* owned */
	struct history *history;    /* owned */
	struct recorder *recorder;  /* owned */
	uint64_t packets, samples;  /* since the ledger began */
	struct event *tick, *wake;  /* owned */
	const struct btf_type *subsystems;
	bool has_reasons;
	unsigned quiet; /* seconds without a drop */
	bool stopping;
	char why[128];  /* "": all is well */
	bool unnamed;   /* rows without a name of their place */
	bool naming;    /* waits for the symbols */
	bool foreign;   /* rows without a name of their reason */
	struct search search;
	TAILQ_HEAD(followers, ledger_follower) followers;
	struct followers waiting; /* for the changes to have names, which are not theirs */
	struct place places[PLACES];
	struct device devices[DEVICES];
};

uint64_t ledger_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- followers ---- */

/* What is counted from now on is for those that waited, too. */
static void admit(struct ledger *l)
{
	struct ledger_follower *f;

	TAILQ_FOREACH(f, &l->waiting, link)
	f->waits = false;
	TAILQ_CONCAT(&l->followers, &l->waiting, link);
}

static void tell_followers(struct ledger *l, bool last)
{
	struct ledger_follower *f, *next;

	if (last)
		admit(l);
	if (!last && !history_has_changes(l->history))
		return;
	for (f = TAILQ_FIRST(&l->followers); f; f = next) {
		next = TAILQ_NEXT(f, link);
		f->changed(f, last);
	}
	history_forget_changes(l->history);
}

/* ---- names ---- */

static struct place *place_of(struct ledger *l, uint64_t location)
{
	return &l->places[(location * 0x9e3779b97f4a7c15 >> 32) % PLACES];
}

static void name_places(struct ledger *l)
{
	const struct symbols *symbols = symbolcache_get(l->host.symbols);

	for (unsigned i = 0; i < history_count(l->history); i++) {
		struct historyfile_row *r = history_row(l->history, i);
		struct place *place = place_of(l, r->key.location);

		if (r->location[0])
			continue;
		symbols_name(symbols, r->key.location, r->location, sizeof(r->location));
		place->location = r->key.location;
		memcpy(place->text, r->location, sizeof(place->text));
	}
	l->naming = false;
	l->unnamed = false;
}

static void drop_symbols(struct ledger *l)
{
	/* else the worker is gone, and the cache frees them */
	if (!l->stopping)
		symbolcache_drop(l->host.symbols);
}

static void symbols_ready(void *arg)
{
	struct ledger *l = arg;

	name_places(l);
	if (l->stopping)
		return;
	tell_followers(l, false);
	admit(l);
	drop_symbols(l);
}

static void search(void *arg)
{
	struct ledger *l = arg;

	dropreason_search(l->search.kernel, l->search.reason, l->search.text, sizeof(l->search.text));
}

static void find_names(struct ledger *l);

static void searched(void *arg)
{
	struct ledger *l = arg;

	for (unsigned i = 0; i < history_count(l->history); i++) {
		struct historyfile_row *r = history_row(l->history, i);

		if (r->key.reason == l->search.reason)
			memcpy(r->reason, l->search.text, sizeof(r->reason));
	}
	l->search.runs = false;
	find_names(l);
}

/* Begins the search for the next reason of a subsystem that has no name yet. */
static void search_next(struct ledger *l)
{
	l->foreign = false;
	for (unsigned i = 0; i < history_count(l->history); i++) {
		const struct historyfile_row *r = history_row(l->history, i);

		if (r->reason[0] || !dropreason_is_foreign(r->key.reason))
			continue;
		l->foreign = true;
		l->search = (struct search){ .runs = true, .kernel = l->host.kernel, .reason = r->key.reason };
		if (worker_submit(l->host.worker, search, searched, l))
			l->search.runs = false; /* the next second tries again */
		return;
	}
}

static void find_names(struct ledger *l)
{
	if (l->stopping)
		return;
	if (l->foreign && !l->search.runs)
		search_next(l);
	if (!l->unnamed || l->naming)
		return;
	l->naming = true;
	if (!symbolcache_use(l->host.symbols, symbols_ready, l))
		return;
	name_places(l);
	drop_symbols(l);
}

static void name_device(struct ledger *l, struct historyfile_row *r, const char *name)
{
	struct device *device = &l->devices[(r->key.netns * 31 + r->key.ifindex) % DEVICES];

	if (name[0]) {
		memcpy(r->device, name, sizeof(r->device));
		device->netns = r->key.netns;
		device->ifindex = r->key.ifindex;
		memcpy(device->name, name, sizeof(device->name));
	} else if (r->key.ifindex && device->ifindex == r->key.ifindex && device->netns == r->key.netns) {
		memcpy(r->device, device->name, sizeof(r->device));
	}
}

/* All that is known at once; the rest is asked for by find_names(). */
static void name_row(struct ledger *l, struct historyfile_row *r, const char *device)
{
	const struct place *place = place_of(l, r->key.location);

	name_device(l, r, device);
	if (place->location == r->key.location && place->text[0])
		memcpy(r->location, place->text, sizeof(r->location));
	else
		l->unnamed = true;
	if (dropreason_is_foreign(r->key.reason))
		l->foreign = true;
}

const char *ledger_reason(const struct ledger *l, uint32_t reason, const char *name, char *text, size_t size)
{
	if (!l->has_reasons)
		return "";
	if (name[0])
		return name;
	return kernel_reason(l->host.kernel, reason, text, size);
}

const char *ledger_subsystem(const struct ledger *l, uint32_t reason, char *text, size_t size)
{
	if (!l->has_reasons)
		return "";
	return dropreason_subsystem(l->host.kernel, l->subsystems, reason, text, size);
}

/* ---- counts ---- */

static void on_row(void *arg, const struct ledger_key *key, const struct ledgerprog_counts *counts)
{
	const struct history_counts add = { counts->packets, counts->bytes };
	struct ledger *l = arg;
	bool is_new;
	unsigned number = history_add(l->history, key, &add, counts->last, &is_new);

	l->packets += counts->packets;
	if (is_new)
		name_row(l, history_row(l->history, number), counts->device);
}

static void on_overflow(void *arg, const struct ledgerprog_counts *counts)
{
	const struct history_counts add = { counts->packets, counts->bytes };
	struct ledger *l = arg;

	l->packets += counts->packets;
	history_add_overflow(l->history, &add, counts->last);
}

static void on_sample(void *arg, const struct netcap_record *record)
{
	struct ledger *l = arg;

	l->samples++;
	recorder_add(l->recorder, record);
}

/*
 * Whether something was dropped. While a follower waits for names of what was dropped before it came, what is dropped stays in
 * the kernel: those that do not wait will be told of all that was read.
 */
static bool read_counts(struct ledger *l)
{
	static const struct ledgerprog_callbacks callbacks = {
		.row = on_row,
		.overflow = on_overflow,
		.sample = on_sample,
	};
	int r;

	if (!TAILQ_EMPTY(&l->waiting) && !l->stopping)
		return true; /* perhaps, and the next second tells */
	r = l->why[0] ? 0 : ledgerprog_read(l->program, ledger_now(), &callbacks, l);
	if (r == -ENOMEM)
		return true; /* the next second tries again */
	if (r < 0) {
		snprintf(l->why, sizeof(l->why), "the counts of drops cannot be read: %s", strerror(-r));
		log_error("the drop ledger ends: %s", l->why);
	}
	if (r > 0)
		find_names(l);
	return r > 0;
}

void ledger_read(struct ledger *l)
{
	if (read_counts(l))
		l->quiet = 0;
}

/* ---- time ---- */

static void wait_for_second(struct ledger *l)
{
	uint64_t left = NS_PER_S + AFTER_SECOND - ledger_now() % NS_PER_S;
	const struct timeval when = { left / NS_PER_S, left % NS_PER_S / 1000 };

	evtimer_add(l->tick, &when);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ledger *l = arg;

	if (read_counts(l))
		l->quiet = 0;
	else
		l->quiet++;
	if (l->why[0])
		tell_followers(l, true);
	else if (!l->naming) /* else symbols_ready() does, with names */
		tell_followers(l, false);
	if (l->quiet > QUIET_ARM || l->why[0])
		return; /* until on_wake() */
	ledgerprog_arm(l->program, l->quiet == QUIET_ARM);
	wait_for_second(l);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct ledger *l = arg;

	ledgerprog_arm(l->program, false);
	l->quiet = 0;
	wait_for_second(l);
}

/* ---- its beginning and end ---- */

static int open_history(struct ledger *l, const char *directory)
{
	struct historyfile file;
	char path[PATH_MAX], why[PATH_MAX + 256];
	int r;

	snprintf(path, sizeof(path), "%s/" HISTORYFILE_NAME, directory);
	r = historyfile_open(&file, path, ledger_now(), why, sizeof(why));
	if (r)
		return r;
	if (why[0])
		log_warning("%s", why);
	l->history = history_new(&file);
	return l->history ? 0 : -ENOMEM;
}

static int open_recorder(struct ledger *l, const char *directory)
{
	char path[PATH_MAX], why[PATH_MAX + 256];

	snprintf(path, sizeof(path), "%s/" RECORDER_NAME, directory);
	l->recorder = recorder_new(path, ledger_now(), why, sizeof(why));
	if (!l->recorder)
		return -ENOMEM;
	if (why[0])
		log_warning("%s", why);
	return 0;
}

/* What rows from before have no name of yet. */
static void name_all(struct ledger *l)
{
	for (unsigned i = 0; i < history_count(l->history); i++) {
		const struct historyfile_row *r = history_row(l->history, i);

		l->unnamed |= !r->location[0];
		l->foreign |= !r->reason[0] && dropreason_is_foreign(r->key.reason);
	}
	find_names(l);
}

static int start(struct ledger *l)
{
	l->tick = evtimer_new(l->host.base, on_tick, l);
	l->wake = event_new(l->host.base, ledgerprog_wake_fd(l->program), EV_READ | EV_PERSIST, on_wake, l);
	if (!l->tick || !l->wake || event_add(l->wake, NULL))
		return -ENOMEM;
	wait_for_second(l);
	name_all(l);
	return 0;
}

struct ledger *ledger_new(const struct ledger_host *host, const struct ledger_options *options, char *why,
			  size_t size)
{
	struct ledger *l = calloc(1, sizeof(*l));
	int r = l ? 0 : -ENOMEM;

	if (l) {
		l->host = *host;
		l->has_reasons = host->kernel->reason_count > 0;
		TAILQ_INIT(&l->followers);
		TAILQ_INIT(&l->waiting);
		r = open_history(l, options->directory) ?: open_recorder(l, options->directory);
	}
	if (r) {
		snprintf(why, size, "no memory for the history of drops");
	} else {
		l->subsystems = dropreason_subsystems(host->kernel);
		l->program = ledgerprog_new(host->kernel, why, size);
		if (l->program && !start(l))
			return l;
		if (l->program)
			snprintf(why, size, "no memory for the drop ledger");
	}
	ledger_free(l);
	return NULL;
}

void ledger_stop(struct ledger *l)
{
	if (!l || l->stopping)
		return;
	admit(l);
	read_counts(l);
	l->stopping = true;
	tell_followers(l, true);
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	l->stopping = true;
	if (l->program)
		read_counts(l);
	if (l->tick)
		event_free(l->tick);
	if (l->wake)
		event_free(l->wake);
	ledgerprog_free(l->program);
	history_free(l->history);
	recorder_free(l->recorder);
	free(l);
}

struct history *ledger_history(const struct ledger *l)
{
	return l->history;
}

const struct symbols *ledger_symbols(const struct ledger *l)
{
	return symbolcache_get(l->host.symbols);
}

const struct recorder *ledger_recorder(const struct ledger *l)
{
	return l->recorder;
}

uint64_t ledger_unsampled(const struct ledger *l)
{
	return l->packets - l->samples;
}

const char *ledger_why(const struct ledger *l)
{
	return l->why[0] ? l->why : NULL;
}

void ledger_follow(struct ledger *l, struct ledger_follower *f)
{
	/* what was before is of those that follow already */
	read_counts(l);
	f->waits = l->naming && history_has_changes(l->history);
	if (f->waits) {
		TAILQ_INSERT_TAIL(&l->waiting, f, link);
		return;
	}
	tell_followers(l, false);
	TAILQ_INSERT_TAIL(&l->followers, f, link);
}

void ledger_unfollow(struct ledger *l, struct ledger_follower *f)
{
	if (f->waits)
		TAILQ_REMOVE(&l->waiting, f, link);
	else
		TAILQ_REMOVE(&l->followers, f, link);
}
