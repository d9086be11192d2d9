/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "daemon/configfile.h"
#include "jsoncomments.h"
#include "limit.h"
#include "quote.h"

/* Where a value begins. */
struct configfile_place {
	const struct json_object *parent;
	char *name; /* owned; NULL: an entry of an array */
	size_t at;
};

/* Adds a place, or loses it: then a message names line 1. */
static void note_place(void *arg, const struct json_object *parent, const char *name, size_t at)
{
	struct configfile *f = arg;
	struct configfile_place *place;

	if (f->place_count == f->place_room) {
		size_t room = f->place_room ? 2 * f->place_room : 64;

		place = reallocarray(f->places, room, sizeof(*place));
		if (!place)
			return;
		f->places = place;
		f->place_room = room;
	}
	place = &f->places[f->place_count++];
	*place = (struct configfile_place){parent, name ? strdup(name) : NULL, at};
}

/* entry: of the array parent, from 1, or 0: name is a member of the object parent. */
static size_t find_place(const struct configfile *f, const struct json_object *parent,
			 const char *name, size_t entry)
{
	for (size_t i = 0; i < f->place_count; i++) {
		const struct configfile_place *p = &f->places[i];

		if (p->parent != parent)
			continue;
		if (entry ? !--entry : p->name && !strcmp(p->name, name))
			return p->at;
	}
	return 0;
}

static unsigned line_of(const struct configfile *f, size_t at)
{
	unsigned line = 1;

	for (size_t i = 0; i < at && i < f->length; i++)
		line += f->text[i] == '\n';
	return line;
}

static int refuse_at(const struct configfile *f, size_t at, const char *wrong,
		     struct config_error *e)
{
	e->field[0] = '\0';
	snprintf(e->why, sizeof(e->why), "%s:%u: %s", f->path, line_of(f, at), wrong);
	return -EINVAL;
}

/* " = VALUE", for values that are short enough to be shown. */
static void show_value(char *text, size_t size, struct json_object *value)
{
	struct quote q;

	*text = '\0';
	if (json_object_is_type(value, json_type_string))
		snprintf(text, size, " = %s",
			 quote_text(&q, json_object_get_string(value),
				    json_object_get_string_len(value)));
	else if (value && !json_object_is_type(value, json_type_object) &&
		 !json_object_is_type(value, json_type_array))
		snprintf(text, size, " = %s", json_object_get_string(value));
}

int configfile_refuse(const struct configfile *f, const char *section, const char *name,
		      size_t entry, const char *wrong, const char *unit, struct config_error *e)
{
	struct json_object *parent = f->root, *value = NULL;
	char shown[256];
	struct quote q;
	size_t at;

	if (section)
		json_object_object_get_ex(f->root, section, &parent);
	json_object_object_get_ex(parent, name, &value);
	at = find_place(f, parent, name, 0);
	if (entry) {
		at = find_place(f, value, NULL, entry);
		value = json_object_array_get_idx(value, entry - 1);
	}
	/* without its quotes; it may be any text, if it is not known */
	quote_text(&q, name, strlen(name));
	snprintf(e->field, sizeof(e->field), "%s%s%.*s", section ?: "", section ? "." : "",
		 (int)strlen(q.text) - 2, q.text + 1);
	show_value(shown, sizeof(shown), value);
	snprintf(e->why, sizeof(e->why), "%s:%u: %s%s: %s%s%s%s", f->path, line_of(f, at), e->field,
		 shown, wrong, unit ? " (" : "", unit ?: "", unit ? ")" : "");
	return -EINVAL;
}

static int refuse_file(const char *path, int err, const char *wrong, struct config_error *e)
{
	e->field[0] = '\0';
	snprintf(e->why, sizeof(e->why), "%s cannot be read: %s", path,
		 wrong ? wrong : strerror(-err));
	return err;
}

/* Reads up to one byte more than may be. Negative errno. */
static int read_bytes(struct configfile *f, int fd)
{
	ssize_t n = 1;

	f->text = malloc(CONFIGFILE_BYTES + 1);
	if (!f->text)
		return -ENOMEM;
	while (n && f->length <= CONFIGFILE_BYTES) {
		n = read(fd, f->text + f->length, CONFIGFILE_BYTES + 1 - f->length);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			f->length += n;
	}
	return 0;
}

static int read_file(struct configfile *f, struct config_error *e)
{
	/* a FIFO would block, and is refused */
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r;
	struct stat st;

	if (fd < 0)
		return refuse_file(f->path, -errno, NULL, e);
	r = fstat(fd, &st) ? -errno : 0;
	if (!r && !S_ISREG(st.st_mode)) {
		close(fd);
		return refuse_file(f->path, -EINVAL, "it is no regular file", e);
	}
	if (!r)
		r = read_bytes(f, fd);
	close(fd);
	if (r)
		return refuse_file(f->path, r, NULL, e);
	if (f->length > CONFIGFILE_BYTES)
		return refuse_file(f->path, -EFBIG, "it is longer than 64 KiB: make it shorter", e);
	return 0;
}

static int parse(struct configfile *f, struct config_error *e)
{
	struct jsonstrict_places places = {.place = note_place, .arg = f};
	char wrong[512];
	size_t at;

	if (jsoncomments_blank(f->text, f->length, &at))
		return refuse_at(f, at, "this comment has no end: close it with */", e);
	f->root = jsonstrict_parse_places(f->text, f->length, LIMIT_JSON_DEPTH, &places, wrong,
					  sizeof(wrong));
	if (!f->root)
		return refuse_at(f, places.end, wrong, e);
	if (!json_object_is_type(f->root, json_type_object))
		return refuse_at(f, 0, "the configuration is no object: put it in braces {}", e);
	return 0;
}

int configfile_open(struct configfile *f, const char *path, struct config_error *e)
{
	int r;

	*f = (struct configfile){.path = path};
	r = read_file(f, e);
	if (!r)
		r = parse(f, e);
	if (r)
		configfile_close(f);
	return r;
}

void configfile_close(struct configfile *f)
{
	for (size_t i = 0; i < f->place_count; i++)
		free(f->places[i].name);
	free(f->places);
	free(f->text);
	json_object_put(f->root);
	*f = (struct configfile){};
}
