/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/roles.h"
#include "quote.h"

#define NAME_BYTES 64

const char *roles_check(const char *name)
{
	size_t len;

	if (*name == '@')
		name++;
	len = strlen(name);
	if (!len)
		return "there is no name behind the @: write \"USER\" or \"@GROUP\"";
	if (len > NAME_BYTES)
		return "the name is longer than 64 bytes: write \"USER\" or \"@GROUP\"";
	if (strpbrk(name, ":,@ \t\n"))
		return "no name of a user or group looks so: write one \"USER\" or \"@GROUP\" an "
		       "entry";
	return NULL;
}

/* A number that stands for itself; that of an id that chown() takes for none is none. */
static bool parse_id(const char *name, id_t *id)
{
	char *rest;
	unsigned long number;

	if (*name < '0' || *name > '9')
		return false;
	errno = 0;
	number = strtoul(name, &rest, 10);
	*id = number;
	return !*rest && !errno && number < (id_t)-1;
}

static bool find_user(FILE *file, const char *name, id_t *id)
{
	const struct passwd *user;

	while ((user = fgetpwent(file)))
		if (!strcmp(user->pw_name, name)) {
			*id = user->pw_uid;
			return true;
		}
	return false;
}

static bool find_group(FILE *file, const char *name, id_t *id)
{
	const struct group *group;

	while ((group = fgetgrent(file)))
		if (!strcmp(group->gr_name, name)) {
			*id = group->gr_gid;
			return true;
		}
	return false;
}

static bool find_id(const char *name, bool is_group, id_t *id)
{
	FILE *file = fopen(is_group ? ROLES_GROUPS : ROLES_USERS, "re");
	bool found = file && (is_group ? find_group : find_user)(file, name, id);

	if (file)
		fclose(file);
	return found || parse_id(name, id);
}

static int add_rule(struct peer_rules *rules, const struct peer_rule *rule)
{
	struct peer_rule *items = reallocarray(rules->items, rules->count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	rules->items = items;
	items[rules->count++] = *rule;
	return 0;
}

static int add_unknown(struct jsonstrict_strings *unknown, const char *name, bool is_group)
{
	char **items = reallocarray(unknown->items, unknown->count + 1, sizeof(*items));
	struct quote q;

	if (!items)
		return -ENOMEM;
	unknown->items = items;
	if (asprintf(&items[unknown->count], "there is no %s %s in %s: nobody gets a role by it",
		     is_group ? "group" : "user", quote_text(&q, name, strlen(name)),
		     is_group ? ROLES_GROUPS : ROLES_USERS) < 0)
		return -ENOMEM;
	unknown->count++;
	return 0;
}

int roles_resolve(const struct jsonstrict_strings *names, struct peer_rules *rules,
		  struct jsonstrict_strings *unknown)
{
	int r = 0;

	for (int role = 0; role < PEER_ROLES; role++) {
		for (size_t i = 0; !r && i < names[role].count; i++) {
			const char *name = names[role].items[i];
			struct peer_rule rule = {.is_group = *name == '@', .role = role};

			name += rule.is_group;
			r = find_id(name, rule.is_group, &rule.id)
				? add_rule(rules, &rule)
				: add_unknown(unknown, name, rule.is_group);
		}
	}
	return r;
}
