/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/configfile.h"
#include "daemon/jsonmake.h"
#include "daemon/log.h"
#include "daemon/roles.h"
#include "limit.h"

#define DROPINS_MOST   64
#define ENTRIES_MOST   64 /* of a list */
#define PATTERN_BYTES  128
#define SECTIONS       4 /* objects in the file */
#define SECTION_FIELDS 10

/* What a file says goes in here before it counts. */
struct draft {
	struct config config;
	struct json_object *objects[SECTIONS]; /* borrowed from the file */
};

/* A member of the file, with what it is if no file has it, and for lists what an entry may be. */
struct member {
	struct jsonstrict_field field;
	int64_t standard;
	const char *unit; /* of a number */
	const char *(*check)(const char *entry);
};

/* An object in the file; the first is the file itself. */
struct section {
	const char *name;
	struct member members[SECTION_FIELDS];
};

static const char *check_pattern(const char *entry);

#define PLACE(place) offsetof(struct draft, config.place)
#define FLAG(name, place, standard)                                                                \
	{                                                                                          \
		{name, JSONSTRICT_BOOLEAN, PLACE(place), false, 0, 0}, standard, NULL, NULL        \
	}
#define NUMBER(name, place, min, max, standard, unit)                                              \
	{                                                                                          \
		{name, JSONSTRICT_INTEGER, PLACE(place), false, min, max}, standard, unit, NULL    \
	}
#define LIST(name, place, check)                                                                   \
	{                                                                                          \
		{name, JSONSTRICT_STRINGS, PLACE(place), false, 0, ENTRIES_MOST}, 0, NULL, check   \
	}
#define OBJECT(name, index)                                                                        \
	{                                                                                          \
		{name, JSONSTRICT_OBJECT, offsetof(struct draft, objects[index]), false, 0, 0}, 0, \
		    NULL, NULL                                                                     \
	}

static const struct section sections[1 + SECTIONS] = {
    {NULL,
     {
	 FLAG("ledger", ledger, true),
	 OBJECT("journal", 0),
	 OBJECT("limits", 1),
	 OBJECT("roles", 2),
	 OBJECT("metrics", 3),
     }},
    {"journal",
     {
	 FLAG("drops", journal.drops, true),
	 NUMBER("interval", journal.interval, 10, 86400, 60, "seconds"),
	 NUMBER("linesPerMinute", journal.lines_per_minute, 1, 6000, 60, "lines a minute"),
	 NUMBER("threshold", journal.threshold, 1, 1LL << 40, 1, "packets in an interval"),
	 LIST("ignore", journal.ignore, check_pattern),
     }},
    {"limits",
     {
	 /* one more than are kept for administrators */
	 NUMBER("connections", limits.connections, QUOTA_CONNECTIONS_ADMIN + 1,
		QUOTA_CONNECTIONS_MOST, QUOTA_CONNECTIONS, "connections"),
	 NUMBER("connectionsPerUser", limits.connections_uid, 1, QUOTA_CONNECTIONS_MOST,
		QUOTA_CONNECTIONS_UID, "connections"),
	 NUMBER("sessions", limits.sessions, 1, QUOTA_SESSIONS_MOST, QUOTA_SESSIONS, "sessions"),
	 NUMBER("sessionsPerUser", limits.sessions_uid, 1, QUOTA_SESSIONS_MOST, QUOTA_SESSIONS_UID,
		"sessions"),
	 NUMBER("tracePoints", limits.points, 1, QUOTA_POINTS_MOST, QUOTA_POINTS, "trace points"),
	 NUMBER("tracePointsPerUser", limits.points_uid, 1, QUOTA_POINTS_MOST, QUOTA_POINTS_UID,
		"trace points"),
	 NUMBER("ringBytes", limits.ring_bytes, LIMIT_RING_MIN, QUOTA_RINGS_MOST, QUOTA_RINGS,
		"bytes"),
	 NUMBER("ringBytesPerUser", limits.ring_bytes_uid, LIMIT_RING_MIN, QUOTA_RINGS_MOST,
		QUOTA_RINGS_UID, "bytes"),
     }},
    {"roles",
     {
	 LIST("admin", roles[PEER_ADMIN], roles_check),
	 LIST("capturer", roles[PEER_CAPTURER], roles_check),
	 LIST("observer", roles[PEER_OBSERVER], roles_check),
     }},
    {"metrics",
     {
	 FLAG("enabled", metrics.enabled, false),
     }},
};

static const char *check_pattern(const char *entry)
{
	size_t len = strlen(entry), ats = 0;

	if (len > PATTERN_BYTES)
		return "the pattern is longer than 128 bytes: make it shorter, with *";
	for (size_t i = 0; i < len; i++)
		ats += entry[i] == '@';
	if (ats > 2 || *entry == '@' || entry[len - 1] == '@' || strstr(entry, "@@"))
		return "this is no pattern of drops: write REASON, REASON@LOCATION or "
		       "REASON@LOCATION@DEVICE, with * where any will do";
	return NULL;
}

/* ---- one file ---- */

static const struct member *find_member(const struct section *section, const char *name)
{
	for (const struct member *m = section->members; m->field.name; m++)
		if (!strcmp(m->field.name, name))
			return m;
	return NULL;
}

/* Entries that are new: their sentence can tell the line of the entry. */
static int check_entries(const struct configfile *f, const struct section *section,
			 const struct draft *draft, struct config_error *e)
{
	for (const struct member *m = section->members; m->field.name; m++) {
		const struct jsonstrict_strings *list;

		if (m->field.type != JSONSTRICT_STRINGS)
			continue;
		list = (const void *)((const char *)draft + m->field.offset);
		for (size_t i = 0; i < list->count; i++) {
			const char *wrong = m->check(list->items[i]);

			if (wrong)
				return configfile_refuse(f, section->name, m->field.name, i + 1,
							 wrong, NULL, e);
		}
	}
	return 0;
}

static int read_section(const struct configfile *f, const struct section *section,
			struct json_object *object, struct draft *draft, struct config_error *e)
{
	struct jsonstrict_field fields[SECTION_FIELDS + 1] = {};
	const struct member *member;
	const char *field = "";
	char wrong[512];
	int r;

	for (size_t i = 0; section->members[i].field.name; i++)
		fields[i] = section->members[i].field;
	r = jsonstrict_read(object, fields, draft, &field, wrong, sizeof(wrong));
	if (r == -EINVAL) {
		member = find_member(section, field);
		return configfile_refuse(f, section->name, field, 0, wrong,
					 member ? member->unit : NULL, e);
	}
	return r ? r : check_entries(f, section, draft, e);
}

static int read_file(struct draft *draft, const char *path, struct config_error *e)
{
	struct configfile f;
	int r = configfile_open(&f, path, e);

	if (r)
		return r;
	memset(draft->objects, 0, sizeof(draft->objects));
	r = read_section(&f, &sections[0], f.root, draft, e);
	for (size_t i = 0; !r && i < SECTIONS; i++)
		if (draft->objects[i])
			r = read_section(&f, &sections[1 + i], draft->objects[i], draft, e);
	configfile_close(&f);
	return r;
}

/* ---- all files ---- */

/* "*.json", as a shell would read it: hidden files are none. */
static int is_dropin(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return *entry->d_name != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".json");
}

static int read_dropin(struct draft *draft, const char *directory, const char *name,
		       struct config_error *e)
{
	char *path;
	int r;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	r = read_file(draft, path, e);
	free(path);
	return r;
}

static int read_listed(struct draft *draft, const char *directory, struct dirent **entries,
		       int count, struct config_error *e)
{
	int r = 0;

	if (count > DROPINS_MOST) {
		snprintf(e->why, sizeof(e->why), "%s holds %d files: keep at most %d", directory,
			 count, DROPINS_MOST);
		return -E2BIG;
	}
	for (int i = 0; !r && i < count; i++)
		r = read_dropin(draft, directory, entries[i]->d_name, e);
	return r;
}

static int read_directory(struct draft *draft, const char *directory, struct config_error *e)
{
	struct dirent **entries;
	/* by their bytes: nobody has called setlocale() */
	int count = scandir(directory, &entries, is_dropin, alphasort), r;

	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0) {
		r = -errno;
		snprintf(e->why, sizeof(e->why), "%s cannot be read: %s", directory, strerror(-r));
		return r;
	}
	r = read_listed(draft, directory, entries, count, e);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return r;
}

static int read_files(struct draft *draft, const struct config_source *source,
		      struct config_error *e)
{
	char *directory;
	int r = read_file(draft, source->path, e);

	if (r && (r != -ENOENT || source->required))
		return r;
	*e = (struct config_error){};
	if (asprintf(&directory, "%s.d", source->path) < 0)
		return -ENOMEM;
	r = read_directory(draft, directory, e);
	free(directory);
	return r;
}

static void set_defaults(struct draft *draft)
{
	*draft = (struct draft){};
	for (size_t i = 0; i <= SECTIONS; i++) {
		for (const struct member *m = sections[i].members; m->field.name; m++) {
			void *place = (char *)draft + m->field.offset;

			if (m->field.type == JSONSTRICT_INTEGER)
				*(int64_t *)place = m->standard;
			else if (m->field.type == JSONSTRICT_BOOLEAN)
				*(bool *)place = m->standard;
		}
	}
}

int config_load(struct config *c, const struct config_source *source, struct config_error *e)
{
	struct draft draft;
	int r;

	*e = (struct config_error){};
	set_defaults(&draft);
	r = source->path ? read_files(&draft, source, e) : 0;
	if (!r)
		r = roles_resolve(draft.config.roles, &draft.config.rules, &draft.config.unknown);
	*c = draft.config;
	if (r)
		config_clear(c);
	if (r && !e->why[0])
		snprintf(e->why, sizeof(e->why), "%s cannot be read: %s", source->path,
			 strerror(-r));
	return r;
}

/* ---- what was read ---- */

void config_move(struct config *to, struct config *from)
{
	config_clear(to);
	*to = *from;
	*from = (struct config){};
}

void config_warn(const struct config *c)
{
	for (size_t i = 0; i < c->unknown.count; i++)
		log_warning("%s", c->unknown.items[i]);
}

static struct json_object *list_to_json(const struct jsonstrict_strings *list)
{
	struct json_object *array = json_object_new_array();
	bool ok = array;

	for (size_t i = 0; ok && i < list->count; i++)
		ok = jsonmake_append(array, json_object_new_string(list->items[i]));
	return jsonmake_whole(array, ok);
}

static struct json_object *section_to_json(const struct section *section, const void *draft)
{
	struct json_object *object = json_object_new_object();
	bool ok = object;

	for (const struct member *m = section->members; ok && m->field.name; m++) {
		const void *place = (const char *)draft + m->field.offset;
		struct json_object *value = NULL;

		if (m->field.type == JSONSTRICT_OBJECT)
			continue;
		if (m->field.type == JSONSTRICT_BOOLEAN)
			value = json_object_new_boolean(*(const bool *)place);
		else if (m->field.type == JSONSTRICT_INTEGER)
			value = json_object_new_int64(*(const int64_t *)place);
		else
			value = list_to_json(place);
		ok = jsonmake_add(object, m->field.name, value);
	}
	return jsonmake_whole(object, ok);
}

struct json_object *config_to_json(const struct config *c)
{
	const struct draft draft = {.config = *c};
	struct json_object *all = section_to_json(&sections[0], &draft);
	bool ok = all;

	for (size_t i = 1; ok && i <= SECTIONS; i++)
		ok = jsonmake_add(all, sections[i].name, section_to_json(&sections[i], &draft));
	return jsonmake_whole(all, ok);
}

void config_clear(struct config *c)
{
	if (!c)
		return;
	jsonstrict_strings_clear(&c->journal.ignore);
	jsonstrict_strings_clear(&c->unknown);
	for (int role = 0; role < PEER_ROLES; role++)
		jsonstrict_strings_clear(&c->roles[role]);
	free(c->rules.items);
	*c = (struct config){};
}
