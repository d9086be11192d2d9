/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace points in user space: the other part of spec.h. */
#include "spec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pointname.h"

/* Where a sentence about a member goes. */
struct refusal {
	const char **field;
	char *why;
	size_t size;
};

static int __attribute__((format(printf, 3, 4)))
refuse(const struct refusal *r, const char *field, const char *format, ...)
{
	va_list args;

	*r->field = field;
	va_start(args, format);
	vsnprintf(r->why, r->size, format, args);
	va_end(args);
	return -EINVAL;
}

/* What kinds of trace points there are. */
struct kinds {
	bool process, mbuf, kernel;
};

static struct kinds kinds_of(const struct spec *s)
{
	struct pointname point;
	struct kinds kinds = {0};
	char why[512];

	for (size_t i = 0; i < s->points.count; i++) {
		if (pointname_parse(s->points.items[i], &point, why, sizeof(why)))
			continue;
		if (pointname_is_process(&point))
			kinds.process = true;
		else
			kinds.kernel = true;
		kinds.mbuf |= point.packets == POINTNAME_MBUF;
	}
	return kinds;
}

bool spec_has_process(const struct spec *s)
{
	return kinds_of(s).process;
}

bool spec_has_kernel(const struct spec *s)
{
	return kinds_of(s).kernel;
}

/* What must not be given with trace points in user space. */
static int check_process_options(const struct spec *s, const struct kinds *kinds, const struct refusal *r)
{
	bool kernel = kinds->kernel;

	if (s->track || spec_gathers_by_track(s))
		return refuse(r, s->track ? "track" : "gather",
			      "packets in user space cannot be followed by their sk_buffs: give gather \"content\"");
	if (s->gather && kernel && strcmp(s->gather, "content"))
		return refuse(r, "gather",
			      "packets in user space and in the kernel can be told to be the same by their content only: give "
			      "content");
	if (s->gather && !s->target && strcmp(s->gather, "content"))
		return refuse(r, "gather",
			      "in several processes different packets may have the same address: give one process, or gather \"content\"");
	if (!kernel && (s->mark_mask || s->fake_hdr || s->skb_data))
		return refuse(r, s->mark_mask ? "mark" : s->fake_hdr ? "fakeHdr" : "skbData",
			      "packets in user space have no sk_buff that this could be about: leave it out");
	if (!kernel && !kinds->mbuf && s->interface)
		return refuse(r, "interface", "plain bytes in user space are of no device, and none would match: leave it out");
	if (!kernel && s->backend)
		return refuse(r, "backend", "functions of processes are attached in one way, and this is about those of the kernel: leave it out");
	if (!kernel && s->stack)
		return refuse(r, "stack", "at trace points in user space there is no kernel stack to keep: leave it out");
	return 0;
}

static int read_process(struct spec *s, const struct refusal *r)
{
	int error = 0;

	if (s->raw_sites) {
		*r->field = "sites";
		uprobesite_list_free(&s->sites);
		error = uprobesite_list_from_json(&s->sites, s->raw_sites, s->points.count, r->why, r->size);
	}
	if (!error && s->raw_mbuf) {
		*r->field = "mbufLayout";
		error = mbuflayout_from_json(&s->mbuf, s->raw_mbuf, r->why, r->size);
		s->has_mbuf = true;
	}
	return error;
}

static bool is_process_point(const char *text)
{
	struct pointname point;
	char why[512];

	return !pointname_parse(text, &point, why, sizeof(why)) && pointname_is_process(&point);
}

int spec_read_process(struct spec *s, const char **field, char *why, size_t size)
{
	const struct refusal refusal = {.field = field, .why = why, .size = size}, *r = &refusal;
	struct kinds kinds = kinds_of(s);
	int error = read_process(s, r);

	if (error)
		return error;
	if (!kinds.process && (s->sites.count || s->target || s->has_mbuf))
		return refuse(r, s->sites.count ? "sites" : s->target ? "target" : "mbufLayout",
			      "no trace point is in user space, which this is about: leave it out, or give one such as "
			      "mbuf:FUNCTION@1");
	for (size_t i = 0; i < s->sites.count; i++)
		if (!is_process_point(s->points.items[s->sites.items[i].point]))
			return refuse(r, "sites", "a site belongs to a trace point that is not in user space: give the number of one that is");
	if (kinds.mbuf && !s->has_mbuf)
		return refuse(r, "mbufLayout", "there are trace points with mbufs, and what an mbuf looks like is not said: "
			      "give mbufLayout");
	return kinds.process ? check_process_options(s, &kinds, r) : 0;
}
