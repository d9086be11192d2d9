/* SPDX-License-Identifier: BSD-2-Clause */
#include "spec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "pointname.h"
#include "quote.h"

static const struct jsonstrict_field fields[] = {
	{"points", JSONSTRICT_STRINGS, offsetof(struct spec, points), true, 1, LIMIT_POINTS},
	{"filter", JSONSTRICT_STRING, offsetof(struct spec, filter), false, 0, LIMIT_FILTER_BYTES},
	{"interface", JSONSTRICT_STRING, offsetof(struct spec, interface), false, 1,
	 LIMIT_IFNAME_BYTES},
	{"netns", JSONSTRICT_INTEGER, offsetof(struct spec, netns), false, 0, UINT32_MAX},
	{"mark", JSONSTRICT_INTEGER, offsetof(struct spec, mark), false, 0, UINT32_MAX},
	{"markMask", JSONSTRICT_INTEGER, offsetof(struct spec, mark_mask), false, 0, UINT32_MAX},
	{"pid", JSONSTRICT_INTEGER, offsetof(struct spec, pid), false, 0, INT32_MAX},
	{"comm", JSONSTRICT_STRING, offsetof(struct spec, comm), false, 1, LIMIT_COMM_BYTES},
	{"snaplen", JSONSTRICT_INTEGER, offsetof(struct spec, snaplen), false, 1, LIMIT_SNAPLEN},
	{"count", JSONSTRICT_INTEGER, offsetof(struct spec, count), false, 0, INT64_MAX},
	{"ringBytes", JSONSTRICT_INTEGER, offsetof(struct spec, ring_bytes), false, LIMIT_RING_MIN,
	 LIMIT_RING_MAX},
	{"stack", JSONSTRICT_BOOLEAN, offsetof(struct spec, stack), false, 0, 0},
	{"fakeHdr", JSONSTRICT_STRING, offsetof(struct spec, fake_hdr), false, 1, LIMIT_COMM_BYTES},
	{"inner", JSONSTRICT_BOOLEAN, offsetof(struct spec, inner), false, 0, 0},
	{"track", JSONSTRICT_BOOLEAN, offsetof(struct spec, track), false, 0, 0},
	{"trackSize", JSONSTRICT_INTEGER, offsetof(struct spec, track_size), false, LIMIT_TRACK_MIN,
	 LIMIT_TRACK_MAX},
	{"trackEnds", JSONSTRICT_BOOLEAN, offsetof(struct spec, track_ends), false, 0, 0},
	{"gather", JSONSTRICT_STRING, offsetof(struct spec, gather), false, 1, LIMIT_COMM_BYTES},
	{"gatherTimeoutMs", JSONSTRICT_INTEGER, offsetof(struct spec, gather_timeout_ms), false, 1,
	 LIMIT_GATHER_TIMEOUT},
	{"gatherSize", JSONSTRICT_INTEGER, offsetof(struct spec, gather_size), false, LIMIT_GATHER_MIN,
	 LIMIT_GATHER_MAX},
	{"slowerNs", JSONSTRICT_INTEGER, offsetof(struct spec, slower_ns), false, 0, LIMIT_SLOWER_NS},
	{"histogram", JSONSTRICT_BOOLEAN, offsetof(struct spec, histogram), false, 0, 0},
	{"gatherSummary", JSONSTRICT_BOOLEAN, offsetof(struct spec, gather_summary), false, 0, 0},
	{"skbData", JSONSTRICT_BOOLEAN, offsetof(struct spec, skb_data), false, 0, 0},
	{"skbDataOffset", JSONSTRICT_INTEGER, offsetof(struct spec, skb_data_offset), false,
	 -LIMIT_SKB_DATA_OFFSET, LIMIT_SKB_DATA_OFFSET},
	{"backend", JSONSTRICT_STRING, offsetof(struct spec, backend), false, 1, LIMIT_COMM_BYTES},
	{"packets", JSONSTRICT_STRING, offsetof(struct spec, packets), false, 1, LIMIT_COMM_BYTES},
	{"userCode", JSONSTRICT_STRING, offsetof(struct spec, user_code), false, 4, LIMIT_CODE_BYTES},
	{"userFilter", JSONSTRICT_BOOLEAN, offsetof(struct spec, user_filter), false, 0, 0},
	{"userAction", JSONSTRICT_BOOLEAN, offsetof(struct spec, user_action), false, 0, 0},
	{"userLog", JSONSTRICT_BOOLEAN, offsetof(struct spec, user_log), false, 0, 0},
	{"force", JSONSTRICT_BOOLEAN, offsetof(struct spec, force), false, 0, 0},
	{"target", JSONSTRICT_INTEGER, offsetof(struct spec, target), false, 0, INT32_MAX},
	{"sites", JSONSTRICT_ARRAY, offsetof(struct spec, raw_sites), false, 0, 0},
	{"mbufLayout", JSONSTRICT_OBJECT, offsetof(struct spec, raw_mbuf), false, 0, 0},
	{"quiet", JSONSTRICT_BOOLEAN, offsetof(struct spec, quiet), false, 0, 0},
	{"dryRun", JSONSTRICT_BOOLEAN, offsetof(struct spec, dry_run), false, 0, 0},
	{0},
};

/* Where a sentence about a member goes. */
struct refusal {
	const char **field;
	char *why;
	size_t size;
};

void spec_init(struct spec *s)
{
	*s = (struct spec){.snaplen = DEFAULT_SNAPLEN,
			   .ring_bytes = DEFAULT_RING_BYTES,
			   .track_size = DEFAULT_TRACK_SIZE,
			   .gather_timeout_ms = DEFAULT_GATHER_TIMEOUT,
			   .gather_size = DEFAULT_GATHER_SIZE};
}

void spec_clear(struct spec *s)
{
	if (!s)
		return;
	jsonstrict_strings_clear(&s->points);
	free(s->filter);
	free(s->interface);
	free(s->comm);
	free(s->backend);
	free(s->fake_hdr);
	free(s->packets);
	free(s->gather);
	free(s->user_code);
	uprobesite_list_free(&s->sites);
	spec_init(s);
}

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

static int check_points(const struct spec *s, const struct refusal *r)
{
	struct pointname point;

	for (size_t i = 0; i < s->points.count; i++) {
		if (pointname_parse(s->points.items[i], &point, r->why, r->size)) {
			*r->field = "points";
			return -EINVAL;
		}
	}
	return 0;
}

static int check_filter(struct spec *s, const struct refusal *r)
{
	if (!s->filter)
		return 0;
	for (const char *c = s->filter; *c; c++)
		if (((unsigned char)*c < 0x20 && *c != '\t' && *c != '\n') || *c == 0x7f)
			return refuse(r, "filter",
				      "the filter has the control character 0x%02x at byte %td: "
				      "leave it out",
				      *c, c - s->filter);
	if (!s->filter[strspn(s->filter, " \t\n")]) {
		/* As for tcpdump, an empty expression is no expression. */
		free(s->filter);
		s->filter = NULL;
	}
	return 0;
}

/* What the kernel, too, takes for the name of a device. */
static int check_interface(const struct spec *s, const struct refusal *r)
{
	struct quote q;
	const char *name = s->interface;

	if (!name)
		return 0;
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= 0x20 || *c == 0x7f || *c == '/' || *c == ':')
			return refuse(r, "interface",
				      "%s cannot be the name of a device: give one without spaces, "
				      "slashes, colons and control characters",
				      quote_text(&q, name, strlen(name)));
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return refuse(r, "interface",
			      "\"%s\" cannot be the name of a device: give one that "
			      "is not only dots",
			      name);
	return 0;
}

static int check_mark(struct spec *s, struct json_object *parameters, const struct refusal *r)
{
	struct json_object *mark = NULL, *mask = NULL;

	json_object_object_get_ex(parameters, "mark", &mark);
	json_object_object_get_ex(parameters, "markMask", &mask);
	if (mark && !mask)
		s->mark_mask = UINT32_MAX;
	if (s->mark & ~s->mark_mask)
		return refuse(
			r, "mark",
			"the mark 0x%jx has bits that its mask 0x%jx has not, so no packet would "
			"match: give a wider mask or a smaller mark",
			(uintmax_t)s->mark, (uintmax_t)s->mark_mask);
	return 0;
}

static int check_start(const struct spec *s, const struct refusal *r)
{
	const char *fake = s->fake_hdr;
	struct quote q;

	if (fake && strcmp(fake, "auto") && strcmp(fake, "always") && strcmp(fake, "never"))
		return refuse(r, "fakeHdr", "headers are made auto, always or never, not %s",
			      quote_text(&q, fake, strlen(fake)));
	if (s->skb_data_offset && !s->skb_data)
		return refuse(r, "skbDataOffset",
			      "an offset of %jd bytes from skb->data needs skbData to be true",
			      (intmax_t)s->skb_data_offset);
	return 0;
}

int spec_check_packets(const char *packets, char *why, size_t size)
{
	struct quote q;

	if (!packets || !strcmp(packets, "skb") || !strcmp(packets, "xdp"))
		return 0;
	snprintf(why, size, "the packets %s are not known: give skb or xdp",
		 quote_text(&q, packets, strlen(packets)));
	return -EINVAL;
}

static int check_packets(const struct spec *s, const struct refusal *r)
{
	if (spec_check_packets(s->packets, r->why, r->size)) {
		*r->field = "packets";
		return -EINVAL;
	}
	if (spec_is_xdp(s) && s->mark_mask)
		return refuse(r, "mark", "packets of XDP have no mark yet: leave it out");
	if (spec_is_xdp(s) && (s->fake_hdr || s->skb_data))
		return refuse(r, s->skb_data ? "skbData" : "fakeHdr",
			      "packets of XDP have all their headers, and begin with them: leave it out");
	return 0;
}

bool spec_is_xdp(const struct spec *s)
{
	return s->packets && !strcmp(s->packets, "xdp");
}

static int check_track(const struct spec *s, const struct refusal *r)
{
	if (s->track_ends && !s->track)
		return refuse(r, "trackEnds", "the end of packets is told of those that are followed: "
			      "trackEnds needs track to be true");
	if (s->track_size != DEFAULT_TRACK_SIZE && !s->track)
		return refuse(r, "trackSize", "a size of %jd packets that are followed needs track to be true",
			      (intmax_t)s->track_size);
	if (s->track && spec_is_xdp(s))
		return refuse(r, "track", "packets of XDP are not followed: leave it out");
	return 0;
}

bool spec_has_xdp(const struct spec *s)
{
	for (size_t i = 0; i < s->points.count; i++)
		if (!strncmp(s->points.items[i], "xdp:", 4))
			return true;
	return spec_is_xdp(s);
}

bool spec_gathers_by_track(const struct spec *s)
{
	return s->gather && !strcmp(s->gather, "track");
}

/* What makes sense only with gather. */
static int check_no_gather(const struct spec *s, const struct refusal *r)
{
	const char *field = s->gather_timeout_ms != DEFAULT_GATHER_TIMEOUT ? "gatherTimeoutMs" :
			    s->gather_size != DEFAULT_GATHER_SIZE	    ? "gatherSize" :
			    s->slower_ns				    ? "slowerNs" :
			    s->histogram				    ? "histogram" :
			    s->gather_summary				    ? "gatherSummary" :
									      NULL;

	return field ? refuse(r, field, "this says how ways of packets are gathered: it needs gather") : 0;
}

static int check_gather(const struct spec *s, const struct refusal *r)
{
	struct quote q;

	if (!s->gather)
		return check_no_gather(s, r);
	if (strcmp(s->gather, "track") && strcmp(s->gather, "pointer") && strcmp(s->gather, "content"))
		return refuse(r, "gather", "packets are told apart by track, pointer or content, not %s",
			      quote_text(&q, s->gather, strlen(s->gather)));
	if (spec_has_xdp(s) && strcmp(s->gather, "content"))
		return refuse(r, "gather", "packets of XDP can be told apart by their content only: give content");
	if (s->track)
		return refuse(r, "track", "gathering follows packets itself: give gather \"track\", without track");
	if (s->histogram && (s->slower_ns || s->stack || s->count))
		return refuse(r, s->stack ? "stack" : s->count ? "count" : "slowerNs",
			      "with histogram no packets are sent, and so none that are slow, counted, or with stacks: leave "
			      "one of them out");
	return 0;
}

static int check_user(const struct spec *s, const struct refusal *r)
{
	bool wanted = s->user_filter || s->user_action;

	if (wanted && !s->user_code)
		return refuse(r, "userCode", "a filter or action of the user's needs an object with it: give userCode");
	if (s->user_code && !wanted)
		return refuse(r, "userCode", "the object may have a filter and an action: say by userFilter and "
			      "userAction which is wanted");
	if (s->user_log && !s->user_code)
		return refuse(r, "userLog", "there is no user code that the verifier could say something about: give "
			      "userCode, or leave userLog out");
	return 0;
}

int spec_from_json(struct spec *s, struct json_object *parameters, const char **field, char *why,
		   size_t size)
{
	const struct refusal refusal = {.field = field, .why = why, .size = size};
	int r = jsonstrict_read(parameters, fields, s, field, why, size);

	if (!r)
		r = check_points(s, &refusal);
	if (!r)
		r = check_filter(s, &refusal);
	if (!r)
		r = check_interface(s, &refusal);
	if (!r)
		r = check_mark(s, parameters, &refusal);
	if (!r)
		r = check_start(s, &refusal);
	if (!r)
		r = check_packets(s, &refusal);
	if (!r)
		r = check_track(s, &refusal);
	if (!r)
		r = check_gather(s, &refusal);
	if (!r)
		r = check_user(s, &refusal);
	if (!r)
		r = spec_read_process(s, field, why, size);
	s->raw_sites = s->raw_mbuf = NULL; /* which are the parameters' */
	return r;
}

static struct json_object *strings_to_json(const struct jsonstrict_strings *strings)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < strings->count; i++) {
		struct json_object *item = json_object_new_string(strings->items[i]);

		if (!item || json_object_array_add(array, item)) {
			json_object_put(item);
			json_object_put(array);
			return NULL;
		}
	}
	return array;
}

/* False: f has its default, and is left out. */
static bool worth_saying(const struct jsonstrict_field *f, const struct spec *s,
			 const struct spec *defaults)
{
	const char *value = (const char *)s + f->offset;

	switch (f->type) {
	case JSONSTRICT_STRING:
		return *(char *const *)value;
	case JSONSTRICT_INTEGER:
		/* A mark of 0 means something once there is a mask. */
		if (f->offset == offsetof(struct spec, mark))
			return s->mark || s->mark_mask;
		return memcmp(value, (const char *)defaults + f->offset, sizeof(int64_t));
	case JSONSTRICT_BOOLEAN:
		return *(const bool *)value;
	case JSONSTRICT_STRINGS:
		return true;
	case JSONSTRICT_OBJECT: /* add_sites() does these */
	case JSONSTRICT_ARRAY:
		break;
	}
	return false;
}

static struct json_object *field_to_json(const struct jsonstrict_field *f, const struct spec *s)
{
	const char *value = (const char *)s + f->offset;

	switch (f->type) {
	case JSONSTRICT_STRING:
		return json_object_new_string(*(char *const *)value);
	case JSONSTRICT_INTEGER:
		return json_object_new_int64(*(const int64_t *)value);
	case JSONSTRICT_BOOLEAN:
		return json_object_new_boolean(*(const bool *)value);
	case JSONSTRICT_STRINGS:
		return strings_to_json((const struct jsonstrict_strings *)value);
	case JSONSTRICT_OBJECT:
	case JSONSTRICT_ARRAY:
		break;
	}
	return NULL;
}

/* Takes over value. False: out of memory. */
static bool add(struct json_object *object, const char *name, struct json_object *value)
{
	if (value && !json_object_object_add(object, name, value))
		return true;
	json_object_put(value);
	return false;
}

static bool add_process(struct json_object *object, const struct spec *s)
{
	return (!s->sites.count || add(object, "sites", uprobesite_list_to_json(&s->sites))) &&
	       (!s->has_mbuf || add(object, "mbufLayout", mbuflayout_to_json(&s->mbuf)));
}

struct json_object *spec_to_json(const struct spec *s)
{
	struct json_object *object = json_object_new_object();
	struct spec defaults;
	bool ok = object != NULL;

	spec_init(&defaults);
	for (const struct jsonstrict_field *f = fields; ok && f->name; f++)
		ok = !worth_saying(f, s, &defaults) || add(object, f->name, field_to_json(f, s));
	if (ok && add_process(object, s))
		return object;
	json_object_put(object);
	return NULL;
}
