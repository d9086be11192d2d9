/* SPDX-License-Identifier: BSD-2-Clause */
#include "gatheroptions.h"

#include <stdlib.h>
#include <string.h>
#include "duration.h"
#include "exitcode.h"
#include "limit.h"
#include "message.h"
#include "pointname.h"
#include "print.h"
#include "text.h"

#define MS_NS 1000000ULL

static int set_timeout(struct options *o, const char *value)
{
	uint64_t ms, ns = 0;
	bool plain = text_number(value, LIMIT_GATHER_TIMEOUT, false, &ms);

	if (plain)
		ns = ms * MS_NS;
	if ((!plain && !duration_parse(value, LIMIT_GATHER_TIMEOUT * MS_NS, &ns)) || !ns || ns % MS_NS) {
		message("--gather-timeout takes a number of milliseconds from 1 to %d, or a time such as 500ms or 2s, "
			"not \"%s\".",
			LIMIT_GATHER_TIMEOUT, value);
		return EXITCODE_USAGE;
	}
	o->spec.gather_timeout_ms = (int64_t)(ns / MS_NS);
	o->gather.timeout = true;
	return EXITCODE_OK;
}

static int set_size(struct options *o, const char *value)
{
	uint64_t n;

	if (!text_number(value, LIMIT_GATHER_MAX, true, &n) || n < LIMIT_GATHER_MIN) {
		message("--gather-buffer-size takes a number of packets from %d to %d, not \"%s\".", LIMIT_GATHER_MIN,
			LIMIT_GATHER_MAX, value);
		return EXITCODE_USAGE;
	}
	o->spec.gather_size = (int64_t)n;
	return EXITCODE_OK;
}

static int set_identity(struct options *o, const char *identity)
{
	if (o->spec.gather && strcmp(o->spec.gather, identity)) {
		message("packets are told apart by their pointer or by their content: leave out one of "
			"--gather-distinguish-by-pointer and --gather-distinguish-by-content.");
		return EXITCODE_USAGE;
	}
	free(o->spec.gather);
	o->spec.gather = strdup(identity);
	if (o->spec.gather)
		return EXITCODE_OK;
	message("out of memory.");
	return EXITCODE_FAILED;
}

static int set_color(struct options *o, const char *value)
{
	if (!print_color(value)) {
		message("--gather-output-color takes " PRINT_COLORS ", not \"%s\".", value);
		return EXITCODE_USAGE;
	}
	o->gather_color = value;
	return EXITCODE_OK;
}

static int set_slower_than(struct options *o, const char *value)
{
	uint64_t ns;

	if (!duration_parse(value, LIMIT_SLOWER_NS, &ns) || !ns) {
		message("--slower-than takes a time with its unit, such as 250us, 1.5ms or 2s, above 0 and up to 600s, "
			"not \"%s\".", value);
		return EXITCODE_USAGE;
	}
	o->spec.slower_ns = (int64_t)ns;
	return EXITCODE_OK;
}

/* Those that say how packets are gathered, not that they are. */
static int set_detail(struct options *o, int option, const char *value)
{
	switch (option) {
	case OPT_GATHER_TIMEOUT:
		o->gather.detail = "--gather-timeout";
		return set_timeout(o, value);
	case OPT_GATHER_SIZE:
		o->gather.detail = "--gather-buffer-size";
		return set_size(o, value);
	case OPT_GATHER_BY_POINTER:
		o->gather.detail = "--gather-distinguish-by-pointer";
		return set_identity(o, "pointer");
	case OPT_GATHER_BY_CONTENT:
		o->gather.detail = "--gather-distinguish-by-content";
		return set_identity(o, "content");
	default:
		o->gather.detail = "--gather-output-color";
		return set_color(o, value);
	}
}

int gatheroptions_set(struct options *o, int option, const char *value)
{
	switch (option) {
	case 'G':
		o->gather.wanted = true;
		return EXITCODE_OK;
	case OPT_SLOWER_THAN:
		o->gather.wanted = true;
		return set_slower_than(o, value);
	case OPT_HISTOGRAM:
		o->gather.wanted = o->spec.histogram = true;
		return EXITCODE_OK;
	case OPT_SUMMARY:
		o->gather.wanted = o->spec.gather_summary = true;
		return EXITCODE_OK;
	default:
		return set_detail(o, option, value);
	}
}

/* May it stand for several trace points? */
static bool may_be_many(const char *point)
{
	struct pointname name;
	char why[512];

	return pointname_parse(point, &name, why, sizeof(why)) || pointname_is_pattern(&name) ||
	       name.kind == POINTNAME_PROG || name.kind == POINTNAME_PROGEXIT;
}

static int check_points(const struct options *o)
{
	const struct jsonstrict_strings *points = &o->spec.points;

	for (size_t i = 1; i < points->count; i++) {
		if (strcmp(points->items[i], points->items[0]))
			return EXITCODE_OK;
	}
	if (!points->count || may_be_many(points->items[0]))
		return EXITCODE_OK;
	message("--gather shows the way from one trace point to the next, and -f has only %s: give two or more.",
		points->items[0]);
	return EXITCODE_USAGE;
}

/* How packets are told apart. */
static int check_identity(struct options *o)
{
	bool xdp = spec_has_xdp(&o->spec);
	bool process = spec_has_process(&o->spec) && spec_has_kernel(&o->spec);

	if (process && o->spec.gather && strcmp(o->spec.gather, "content")) {
		message("packets in user space and in the kernel can be told to be the same by their content only: leave "
			"--gather-distinguish-by-pointer out.");
		return EXITCODE_USAGE;
	}
	if (o->binary && o->spec.gather && strcmp(o->spec.gather, "content")) {
		message("in several processes different packets may have the same address: leave --gather-distinguish-by-pointer "
			"out, or give one process by --pid.");
		return EXITCODE_USAGE;
	}
	if (xdp && (o->spec.track || (o->spec.gather && strcmp(o->spec.gather, "content")))) {
		message("packets of XDP can be told apart by their content only: leave %s out.",
			o->spec.track ? "--track" : "--gather-distinguish-by-pointer");
		return EXITCODE_USAGE;
	}
	if (o->spec.track && o->spec.gather) {
		message("--track tells packets apart by following them, --gather-distinguish-by-%s does not: "
			"choose one.",
			o->spec.gather);
		return EXITCODE_USAGE;
	}
	if (o->spec.track_size != DEFAULT_TRACK_SIZE) {
		message("with --gather it is --gather-buffer-size that says how many packets are followed: leave "
			"--track-size out.");
		return EXITCODE_USAGE;
	}
	o->spec.track = false; /* which is what gathering does by itself */
	return o->spec.gather ? EXITCODE_OK : set_identity(o, xdp || spec_has_process(&o->spec) ? "content" : "track");
}

static int check_histogram(const struct options *o)
{
	const char *option = o->write_path	 ? "-w" :
			     o->spec.stack	 ? "-S" :
			     o->spec.slower_ns	 ? "--slower-than" :
			     o->spec.count	 ? "-c" :
						   NULL;

	if (!o->spec.histogram || !option)
		return EXITCODE_OK;
	message("--histogram counts packets in the kernel and sends none: leave %s out.", option);
	return EXITCODE_USAGE;
}

/* A packet that waits longer than the timeout is not known any more when it comes on. */
static int check_times(struct options *o)
{
	int64_t slower_ms = (o->spec.slower_ns + (int64_t)MS_NS - 1) / (int64_t)MS_NS;
	int64_t enough = 2 * slower_ms < LIMIT_GATHER_TIMEOUT ? 2 * slower_ms : LIMIT_GATHER_TIMEOUT;

	if (!o->gather.timeout) {
		o->spec.gather_timeout_ms = enough > DEFAULT_GATHER_TIMEOUT ? enough : DEFAULT_GATHER_TIMEOUT;
	} else if (slower_ms >= o->spec.gather_timeout_ms) {
		message("--gather-timeout must be longer than --slower-than: a packet that is not seen for so long is "
			"given up.");
		return EXITCODE_USAGE;
	}
	return EXITCODE_OK;
}

int gatheroptions_check(struct options *o)
{
	int code;

	if (!o->gather.wanted) {
		if (!o->gather.detail)
			return EXITCODE_OK;
		message("%s says how packets are gathered: give --gather, too.", o->gather.detail);
		return EXITCODE_USAGE;
	}
	if (o->group) {
		message("--group shows each event of a packet, and --gather one packet with its way: choose one.");
		return EXITCODE_USAGE;
	}
	code = check_points(o);
	if (code == EXITCODE_OK)
		code = check_identity(o);
	if (code == EXITCODE_OK)
		code = check_histogram(o);
	if (code == EXITCODE_OK)
		code = check_times(o);
	o->spec.quiet = !o->spec.gather_summary;
	return code;
}
