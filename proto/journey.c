/* SPDX-License-Identifier: BSD-2-Clause */
#include "journey.h"

#include <errno.h>
#include <string.h>

#include "fieldtext.h"

#define MORE_ROOM 32 /* for " more=" and a number */

/* What else a step says: NAME:VALUE. */
struct word {
	const char *name;
	size_t len;
	enum { WORD_TEXT, WORD_DECIMAL, WORD_HEX } type;
	bool stays;    /* until another step says otherwise; else it is 0, or NULL, where it is not said */
	size_t offset; /* in struct journey_step */
	size_t size;   /* bytes of a number */
};

#define WORD(member, type, stays)                                                      \
	{#member, sizeof(#member) - 1, type, stays, offsetof(struct journey_step, member), \
	 sizeof(((struct journey_step *)NULL)->member)}

static const struct word words[] = {
	WORD(dev, WORD_TEXT, true),	    WORD(ifindex, WORD_DECIMAL, true),	WORD(netns, WORD_DECIMAL, true),
	WORD(pid, WORD_DECIMAL, true),	    WORD(skb, WORD_HEX, true),		WORD(reason, WORD_TEXT, false),
	WORD(location, WORD_TEXT, false),   WORD(ret, WORD_TEXT, false),	WORD(took_ns, WORD_DECIMAL, false),
};

#define WORD_COUNT (sizeof(words) / sizeof(*words))

static const char *const end_names[JOURNEY_ENDS] = {
	[JOURNEY_FREED] = "freed",
	[JOURNEY_IDLE] = "idle",
	[JOURNEY_EVICTED] = "evicted",
	[JOURNEY_STOPPED] = "stopped",
};

const char *journey_end_name(enum journey_end end)
{
	return end_names[end];
}

void journey_clear(struct journey *j)
{
	j->end = JOURNEY_STOPPED;
	j->unsure = false;
	j->more = 0;
	j->count = j->missing_count = j->frame_count = 0;
}

static uint64_t get_number(const struct journey_step *s, const struct word *w)
{
	const void *member = (const char *)s + w->offset;

	return w->size == sizeof(uint32_t) ? *(const uint32_t *)member : *(const uint64_t *)member;
}

static void put_word(struct fieldtext_writer *w, const char *name, size_t len)
{
	fieldtext_char(w, ',');
	fieldtext_bytes(w, name, len);
	fieldtext_char(w, ':');
}

static const char *get_text(const struct journey_step *s, const struct word *w)
{
	const char *text;

	memcpy(&text, (const char *)s + w->offset, sizeof(text));
	return text ? text : "";
}

/* Is it to be said of this step? */
static bool is_news(const struct journey_step *s, const struct journey_step *before, const struct word *w)
{
	if (w->type == WORD_TEXT) {
		const char *text = get_text(s, w), *old = w->stays ? get_text(before, w) : "";

		return text != old && strcmp(text, old);
	}
	return get_number(s, w) != (w->stays ? get_number(before, w) : 0);
}

static void put_words(struct fieldtext_writer *w, const struct journey_step *s, const struct journey_step *before)
{
	for (const struct word *word = words; word < words + WORD_COUNT; word++) {
		if (!is_news(s, before, word))
			continue;
		put_word(w, word->name, word->len);
		if (word->type == WORD_TEXT)
			fieldtext_value(w, get_text(s, word));
		else if (word->type == WORD_HEX)
			fieldtext_hex(w, get_number(s, word));
		else
			fieldtext_decimal(w, get_number(s, word));
	}
}

static void put_step(struct fieldtext_writer *w, const struct journey_step *s, const struct journey_step *before)
{
	fieldtext_key(w, "step", 4);
	fieldtext_value(w, s->point);
	fieldtext_char(w, ',');
	fieldtext_decimal(w, s->since_ns);
	fieldtext_char(w, ',');
	fieldtext_decimal(w, s->cpu);
	put_words(w, s, before);
}

static void put_list(struct fieldtext_writer *w, const char *key, const char *const *items, unsigned count)
{
	fieldtext_key(w, key, strlen(key));
	for (unsigned i = 0; i < count; i++) {
		if (i)
			fieldtext_char(w, ',');
		fieldtext_value(w, items[i]);
	}
}

/* Takes back what did not fit. */
static bool fits(struct fieldtext_writer *w, char *before)
{
	if (!w->full)
		return true;
	w->at = before;
	w->full = false;
	return false;
}

/* Before the first step. */
static const struct journey_step nowhere;

/* How many of the steps there was room for. */
static unsigned put_steps(struct fieldtext_writer *w, const struct journey *j)
{
	for (unsigned i = 0; i < j->count; i++) {
		const struct journey_step *s = &j->steps[i];
		char *before = w->at;

		put_step(w, s, i ? s - 1 : &nowhere);
		if (!fits(w, before))
			return i;
		before = w->at;
		if (s->frames) {
			put_list(w, "stack", j->frames + s->first_frame, s->frames);
			fits(w, before);
		}
	}
	return j->count;
}

static void put_head(struct fieldtext_writer *w, const struct journey *j)
{
	fieldtext_key(w, "journey", 7);
	fieldtext_value(w, end_names[j->end]);
}

static void put_tail(struct fieldtext_writer *w, const struct journey *j)
{
	if (j->missing_count)
		put_list(w, "missing", j->missing, j->missing_count);
	if (j->unsure) {
		fieldtext_key(w, "unsure", 6);
		fieldtext_char(w, '1');
	}
}

int journey_format(const struct journey *j, char *text)
{
	struct fieldtext_writer w;
	size_t tail;
	uint64_t more;

	/* what comes behind the steps is written twice: to know how much room is left for them */
	fieldtext_begin(&w, text, JOURNEY_TEXT_MAX);
	put_head(&w, j);
	put_tail(&w, j);
	tail = (size_t)(w.at - w.start) + MORE_ROOM;
	fieldtext_begin(&w, text, JOURNEY_TEXT_MAX - tail);
	put_head(&w, j);
	more = j->more + j->count - put_steps(&w, j);
	w.end += tail;
	if (more) {
		fieldtext_key(&w, "more", 4);
		fieldtext_decimal(&w, more);
	}
	put_tail(&w, j);
	return fieldtext_end(&w);
}

static int read_word(struct journey_step *s, struct fieldtext_span text, struct fieldtext_store *to)
{
	struct fieldtext_span name;
	const char *value;
	uint64_t number;
	int err;

	if (!fieldtext_split(&text, ':', &name) || !text.at)
		return -EBADMSG;
	for (const struct word *w = words; w < words + WORD_COUNT; w++) {
		void *member = (char *)s + w->offset;

		if (!fieldtext_is(&name, w->name))
			continue;
		if (w->type == WORD_TEXT) {
			err = fieldtext_read(text, to, &value);
			if (!err && !*value)
				value = NULL;
			if (!err)
				memcpy(member, &value, sizeof(value));
			return err;
		}
		err = fieldtext_read_number(text, w->size == sizeof(uint32_t) ? UINT32_MAX : UINT64_MAX, &number);
		if (!err && w->size == sizeof(uint32_t))
			*(uint32_t *)member = (uint32_t)number;
		else if (!err)
			*(uint64_t *)member = number;
		return err;
	}
	return fieldtext_check(text);
}

static int read_item_number(struct fieldtext_span *rest, uint64_t max, uint64_t *number)
{
	struct fieldtext_span item;

	return fieldtext_split(rest, ',', &item) ? fieldtext_read_number(item, max, number) : -EBADMSG;
}

/* What stays is as it was. */
static void begin_step(struct journey_step *s, const struct journey_step *before)
{
	*s = (struct journey_step){
		.dev = before->dev,
		.ifindex = before->ifindex,
		.netns = before->netns,
		.pid = before->pid,
		.skb = before->skb,
	};
}

static int read_step(struct journey *j, struct fieldtext_span value, struct fieldtext_store *to)
{
	struct journey_step *s = &j->steps[j->count];
	struct fieldtext_span item;
	uint64_t cpu;
	int err;

	if (j->count == JOURNEY_STEPS_MOST || !fieldtext_split(&value, ',', &item))
		return -EBADMSG;
	begin_step(s, j->count ? s - 1 : &nowhere);
	err = fieldtext_read(item, to, &s->point);
	if (!err)
		err = read_item_number(&value, UINT64_MAX, &s->since_ns);
	if (!err)
		err = read_item_number(&value, UINT32_MAX, &cpu);
	if (err)
		return err;
	s->cpu = (uint32_t)cpu;
	while (!err && fieldtext_split(&value, ',', &item))
		err = read_word(s, item, to);
	j->count++;
	return err;
}

static int read_list(struct fieldtext_span value, struct fieldtext_store *to, const char **items, unsigned *count,
		     unsigned most)
{
	struct fieldtext_span item;
	int err = 0;

	while (!err && fieldtext_split(&value, ',', &item)) {
		if (*count == most)
			return -EBADMSG;
		err = fieldtext_read(item, to, &items[(*count)++]);
	}
	return err;
}

static int read_stack(struct journey *j, struct fieldtext_span value, struct fieldtext_store *to)
{
	struct journey_step *s = j->count ? &j->steps[j->count - 1] : NULL;
	int err;

	if (!s || s->frames)
		return -EBADMSG;
	s->first_frame = j->frame_count;
	err = read_list(value, to, j->frames, &j->frame_count, JOURNEY_FRAMES_MOST);
	s->frames = j->frame_count - s->first_frame;
	return err;
}

static int read_end(struct journey *j, struct fieldtext_span value)
{
	for (int end = 0; end < JOURNEY_ENDS; end++) {
		if (!fieldtext_is(&value, end_names[end]))
			continue;
		j->end = end;
		return 0;
	}
	return -EBADMSG;
}

static int read_field(struct journey *j, struct fieldtext_span text, struct fieldtext_store *to)
{
	struct fieldtext_span key;
	uint64_t unsure;
	int err;

	if (!fieldtext_split_key(&text, &key))
		return -EBADMSG;
	if (fieldtext_is(&key, "step"))
		return read_step(j, text, to);
	if (fieldtext_is(&key, "stack"))
		return read_stack(j, text, to);
	if (fieldtext_is(&key, "missing"))
		return read_list(text, to, j->missing, &j->missing_count, JOURNEY_POINTS_MOST);
	if (fieldtext_is(&key, "more"))
		return fieldtext_read_number(text, UINT64_MAX, &j->more);
	if (fieldtext_is(&key, "journey"))
		return read_end(j, text);
	if (!fieldtext_is(&key, "unsure"))
		return fieldtext_check(text);
	err = fieldtext_read_number(text, 1, &unsure);
	j->unsure = !err && unsure;
	return err;
}

int journey_parse(struct journey *j, const char *text, size_t len, char *store)
{
	struct fieldtext_store to = {store, store + JOURNEY_TEXT_MAX};
	struct fieldtext_span rest = {text, text + len}, field;
	int err = 0;

	journey_clear(j);
	if (len < 8 || memcmp(text, "journey=", 8))
		return -EBADMSG;
	while (!err && fieldtext_split(&rest, ' ', &field))
		err = read_field(j, field, &to);
	return err == -ENOBUFS ? -EBADMSG : err;
}
