/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints one JSON object a line for each packet. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base64.h"
#include "exitcode.h"
#include "journey.h"
#include "message.h"
#include "output.h"
#include "sink.h"
#include "stamp.h"
#include "text.h"
#include "usertext.h"

struct jsonsink {
	struct sink sink; /* first */
	struct journey journey; /* of the packet that is being printed; its strings: */
	char journey_store[JOURNEY_TEXT_MAX];
};

/* Names come from the kernel and hold any byte; JSON holds UTF-8. NULL values are left out. */
static void add_text(struct json_object *o, const char *name, const char *value)
{
	char *utf8 = value ? text_utf8(value) : NULL;

	if (utf8)
		json_object_object_add(o, name, json_object_new_string(utf8));
	free(utf8);
}

static void add_number(struct json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

static void add_texts(struct json_object *o, const char *name, const char *const *texts, unsigned count)
{
	struct json_object *array = json_object_new_array();

	for (unsigned i = 0; i < count; i++) {
		char *utf8 = text_utf8(texts[i]);

		json_object_array_add(array, json_object_new_string(utf8 ? utf8 : "?"));
		free(utf8);
	}
	json_object_object_add(o, name, array);
}

/* What C would take for a number, and nobody said is text. */
static bool is_number(const char *value, uint64_t *number, bool *negative)
{
	*negative = *value == '-';
	return (value[*negative] != '0' || !value[*negative + 1] || value[*negative + 1] == 'x') &&
	       text_number(value + *negative, UINT64_MAX, false, number);
}

static void add_user(struct json_object *o, const char *text)
{
	struct json_object *user = text ? json_object_new_object() : NULL;
	struct usertext t = {.rest = text};
	uint64_t number;
	bool negative;

	if (!user)
		return;
	while (usertext_next(&t)) {
		if (t.quoted || !is_number(t.value, &number, &negative))
			add_text(user, t.name, t.value);
		else if (negative)
			json_object_object_add(user, t.name, json_object_new_int64((int64_t)(0 - number)));
		else
			add_number(user, t.name, number);
	}
	json_object_object_add(o, "user", user);
}

static void add_meta(struct json_object *o, const struct meta *m)
{
	add_text(o, "point", m->point);
	add_text(o, "reason", m->reason);
	add_text(o, "location", m->location);
	add_text(o, "ret", m->ret);
	if (m->took_ns)
		add_number(o, "took_ns", m->took_ns);
	add_text(o, "dev", m->dev);
	if (m->ifindex)
		add_number(o, "ifindex", m->ifindex);
	if (m->netns)
		add_number(o, "netns", m->netns);
	add_number(o, "cpu", m->cpu);
	add_number(o, "pid", m->pid);
	add_number(o, "tid", m->tid);
	add_text(o, "comm", m->comm);
	if (m->mark)
		add_number(o, "mark", m->mark);
	add_number(o, "protocol", m->protocol);
	add_text(o, "tunnel", m->tunnel);
	add_text(o, "made", m->made);
	if (m->track)
		add_number(o, "track", m->track);
	add_user(o, m->user);
	if (m->partial)
		json_object_object_add(o, "partial", json_object_new_boolean(1));
}

static void add_place(struct json_object *o, const struct packet_place *place)
{
	if (!place)
		return;
	add_number(o, "events", place->events);
	add_number(o, "event", place->number);
	if (place->number > 1)
		add_number(o, "since_ns", place->since_ns);
}

/* since_last_ns: since the step before. */
static struct json_object *step_object(const struct journey *j, const struct journey_step *s, int64_t since_last_ns)
{
	struct json_object *o = json_object_new_object();
	char skb[32];

	add_text(o, "point", s->point);
	add_number(o, "since_first_ns", s->since_ns);
	json_object_object_add(o, "since_last_ns", json_object_new_int64(since_last_ns));
	add_number(o, "cpu", s->cpu);
	add_text(o, "dev", s->dev);
	if (s->ifindex)
		add_number(o, "ifindex", s->ifindex);
	if (s->netns)
		add_number(o, "netns", s->netns);
	if (s->pid)
		add_number(o, "pid", s->pid);
	add_text(o, "reason", s->reason);
	add_text(o, "location", s->location);
	add_text(o, "ret", s->ret);
	if (s->took_ns)
		add_number(o, "took_ns", s->took_ns);
	snprintf(skb, sizeof(skb), "0x%" PRIx64, s->skb);
	add_text(o, "skb", s->skb ? skb : NULL);
	if (s->frames)
		add_texts(o, "stack", j->frames + s->first_frame, s->frames);
	return o;
}

static struct json_object *journey_object(const struct journey *j)
{
	struct json_object *o = json_object_new_object(), *steps = json_object_new_array();

	add_text(o, "end", journey_end_name(j->end));
	for (unsigned i = 0; i < j->count; i++) {
		const struct journey_step *s = &j->steps[i];
		int64_t since_last_ns = i ? (int64_t)(s->since_ns - s[-1].since_ns) : 0;

		json_object_array_add(steps, step_object(j, s, since_last_ns));
	}
	json_object_object_add(o, "steps", steps);
	if (j->more)
		add_number(o, "more", j->more);
	add_texts(o, "missing", j->missing, j->missing_count);
	if (j->unsure)
		json_object_object_add(o, "unsure", json_object_new_boolean(1));
	return o;
}

/* null stands for what cannot be read: a newer daemon's, perhaps. */
static void add_journey(struct jsonsink *s, struct json_object *o, const struct pcapng_packet *b)
{
	bool readable;

	if (!b->journey)
		return;
	readable = !journey_parse(&s->journey, b->journey, b->journey_len, s->journey_store);
	json_object_object_add(o, "journey", readable ? journey_object(&s->journey) : NULL);
}

static int add_data(struct json_object *o, const struct pcapng_packet *b)
{
	char *text = base64_encode(b->data, b->cap_len);

	if (!text)
		return -ENOMEM;
	json_object_object_add(o, "data", json_object_new_string(text));
	free(text);
	return 0;
}

static int jsonsink_take(struct sink *sink, const struct pcapng_event *e, const struct packet *p)
{
	struct json_object *o;
	char time[64];
	int err;

	if (!p)
		return 0;
	o = json_object_new_object();
	if (!o) {
		message("out of memory.");
		return -ENOMEM;
	}
	stamp_rfc3339(p->block->time_ns, time, sizeof(time));
	json_object_object_add(o, "time", json_object_new_string(time));
	add_number(o, "time_ns", p->block->time_ns);
	add_meta(o, &p->meta);
	add_place(o, p->place);
	add_number(o, "length", p->block->wire_len);
	add_number(o, "caplen", p->block->cap_len);
	add_text(o, "link", pcapng_link_name(p->link));
	if (p->meta.frames)
		add_texts(o, "stack", p->meta.stack, p->meta.frames);
	add_journey((struct jsonsink *)sink, o, p->block);
	err = add_data(o, p->block);
	if (err)
		message("out of memory.");
	else
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	if (err)
		return err;
	sink->packets++;
	return output_check();
}

static int jsonsink_flush(struct sink *s)
{
	return output_flush();
}

static void jsonsink_free(struct sink *s)
{
	free(s);
}

struct sink *jsonsink_new(const struct options *o, int *code)
{
	struct jsonsink *s = calloc(1, sizeof(*s));

	*code = s ? EXITCODE_OK : EXITCODE_FAILED;
	if (!s) {
		message("out of memory.");
		return NULL;
	}
	s->sink = (struct sink){
		.take = jsonsink_take,
		.flush = jsonsink_flush,
		.finish = jsonsink_flush,
		.free = jsonsink_free,
		.wants_meta = true,
	};
	return &s->sink;
}
