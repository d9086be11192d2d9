/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side of a session: its trace points, maps and programs. What blocks runs on the worker
 * thread: sessionload_run() and sessionload_settle(). While one of them is at work, nobody else touches
 * the object.
 */
#ifndef SESSIONLOAD_H
#define SESSIONLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "counters.h"
#include "daemon/filter.h"
#include "daemon/hooks.h"
#include "daemon/kernel.h"
#include "daemon/maps.h"
#include "daemon/lent.h"
#include "daemon/probe.h"
#include "daemon/track.h"
#include "daemon/usercode.h"
#include "daemon/worker.h"
#include "spec.h"

/* What the daemon counts of one trace point, beside the programs. */
struct sessionload_point {
	uint64_t delivered;   /* packets that the client has whole */
	uint64_t lost_client; /* that it did not take */
	uint64_t unplaced;    /* events, with gather, that belong to no open way: lost */
	uint64_t limited;     /* that came after the count limit, beside those that the program saw */
};

#define SESSIONLOAD_WHY_BYTES 1024

struct sessionload {
	const struct kernel *kernel;
	const struct spec *spec;
	struct filter_programs classic;   /* owned; empty without filter */
	bool filtered;
	size_t *in_use;                   /* not owned */
	size_t counted;                   /* how much of it is this session's */
	struct filter_code code[TEMPLATE_KINDS]; /* owned */
	struct usercode user;             /* owned; empty without user code */
	char *user_log;                   /* owned; what the verifier said of it, NULL: nothing, or nobody asked */
	struct template_maps maps;        /* owned */
	struct netcap_control *control;   /* owned mapping, NULL before the maps are there */
	struct netcap_counters *scratch;  /* owned */
	struct module_set modules;        /* owned */
	struct probe_list probes;         /* owned */
	struct lent lent;                 /* owned; files of trace points in user space, until these are attached */
	struct sessionload_point *points; /* owned; one for each probe */
	struct hooks hooks;               /* owned */
	struct track track;               /* owned */
	enum hooks_backend backend;
	size_t done;                      /* probes attached or failed; atomic, for progress */
	uint64_t began, attached;         /* CLOCK_MONOTONIC; attached is 0 before */
	bool settled;                     /* after sessionload_settle() */
	uint64_t missed_shared;           /* of programs that several probes share */
	struct json_object *plan;         /* with dry_run: the reply "planned"; owned until taken */
	const char *error;                /* error of the interface file; NULL: it worked */
	const char *field;
	char why[SESSIONLOAD_WHY_BYTES];
	const struct probe *culprit;      /* whose nearest names go with the error, or NULL */
};

/* in_use: trace points of all sessions, which this one's are added to; atomic. */
void sessionload_init(struct sessionload *l, const struct kernel *k, const struct spec *spec,
		      size_t *in_use);
/* Resolves, translates, loads, attaches: what works stays, error is set if no trace point did. */
void sessionload_run(struct sessionload *l);
/* Programs count and capture nothing from now on. */
void sessionload_silence(struct sessionload *l);
/* After sessionload_silence(): waits until no program runs any more. */
void sessionload_settle(struct sessionload *l);
/* Detaches and frees all; takes any phase. The kernel may need minutes for it. */
void sessionload_clear(struct sessionload *l);
/*
 * sessionload_clear() on another worker thread: programs are silent already, so nobody waits. l is left
 * empty.
 */
void sessionload_dispose(struct sessionload *l, struct worker *reaper);
/* How many trace points there are, and how many of them are attached or failed, while it runs. */
void sessionload_progress(struct sessionload *l, size_t *done, size_t *count);
/* Are there addresses of functions in what it captures? */
bool sessionload_wants_symbols(const struct sessionload *l);
/* One trace point's counters as of now. */
void sessionload_counters(struct sessionload *l, uint32_t point, struct counters *c);
/* Those of all trace points together. */
void sessionload_sum(struct sessionload *l, struct counters *sum);
#endif
