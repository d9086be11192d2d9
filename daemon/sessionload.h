/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side of a session: its trace points, maps and programs. What blocks runs on the worker
 * thread: sessionload_run() and sessionload_detach(). While one of them is at work, nobody else touches
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
#include "daemon/kernel.h"
#include "daemon/maps.h"
#include "daemon/probe.h"
#include "daemon/symbols.h"
#include "spec.h"

struct sessionload_point {
	struct probe probe;
	uint64_t delivered;   /* packets that the client has whole */
	uint64_t lost_client; /* that it did not take */
	uint64_t limited;     /* that came after the count limit, beside those that the program saw */
	uint64_t missed;      /* probe_missed() at the end */
};

struct sessionload {
	const struct kernel *kernel;
	const struct spec *spec;
	struct filter_programs classic;   /* owned; empty without filter */
	bool filtered;
	struct filter_code code[TEMPLATE_KINDS]; /* owned */
	struct template_maps maps;        /* owned */
	struct netcap_control *control;   /* owned mapping, NULL before the maps are there */
	struct netcap_counters *scratch;  /* owned */
	struct sessionload_point *points; /* owned */
	size_t count;
	struct symbols *symbols;          /* on their way from the worker to the host */
	bool detached;
	const char *error;                /* error of the interface file; NULL: it worked */
	const char *field;
	char why[PROBE_WHY_BYTES];
	const struct probe *culprit;      /* whose nearest names go with the error, or NULL */
};

void sessionload_init(struct sessionload *l, const struct kernel *k, const struct spec *spec);
/* Resolves, translates, loads, attaches: what works stays, error is set if no trace point did. */
void sessionload_run(struct sessionload *l);
/* Programs count and capture nothing from now on. */
void sessionload_silence(struct sessionload *l);
/* Detaches and waits until no program runs any more. */
void sessionload_detach(struct sessionload *l);
/* Frees all; takes any phase. */
void sessionload_clear(struct sessionload *l);
/* One trace point's counters as of now. */
void sessionload_counters(struct sessionload *l, uint32_t point, struct counters *c);
/* The parameters of the error, and the reply "planned". NULL: out of memory. */
struct json_object *sessionload_error_json(const struct sessionload *l);
struct json_object *sessionload_plan_json(const struct sessionload *l);

#endif
