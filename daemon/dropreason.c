/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "daemon/dropreason.h"

#define SUBSYSTEM_SHIFT  16
#define SUBSYSTEM_PREFIX "SKB_DROP_REASON_SUBSYS_"
#define ENUM_SUFFIX      "drop_reason" /* mac80211_drop_reason, ovs_drop_reason */
#define MODULES          "/sys/kernel/btf"

bool dropreason_is_foreign(uint32_t reason)
{
	return reason >> SUBSYSTEM_SHIFT;
}

/* The name that an enum has for a number, or NULL. */
static const char *name_in(const struct btf *btf, const struct btf_type *t, uint32_t number)
{
	const struct btf_enum *e = btf_enum(t);

	for (int i = 0; i < btf_vlen(t); i++)
		if ((uint32_t)e[i].val == number)
			return btf__name_by_offset(btf, e[i].name_off);
	return NULL;
}

const struct btf_type *dropreason_subsystems(const struct kernel *k)
{
	int id = btf__find_by_name_kind(k->btf, "skb_drop_reason_subsys", BTF_KIND_ENUM);

	return id > 0 ? btf__type_by_id(k->btf, id) : NULL;
}

const char *dropreason_subsystem(const struct kernel *k, const struct btf_type *subsystems, uint32_t reason,
				 char *text, size_t size)
{
	uint32_t number = reason >> SUBSYSTEM_SHIFT;
	const char *name = subsystems ? name_in(k->btf, subsystems, number) : NULL;

	if (!number) {
		snprintf(text, size, "core");
	} else if (name && !strncmp(name, SUBSYSTEM_PREFIX, strlen(SUBSYSTEM_PREFIX))) {
		snprintf(text, size, "%s", name + strlen(SUBSYSTEM_PREFIX));
		for (char *c = text; *c; c++)
			*c = tolower(*c);
	} else {
		snprintf(text, size, "subsystem_%u", number);
	}
	return text;
}

static bool is_reason_enum(const struct btf *btf, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(btf, t->name_off);
	size_t length = strlen(name), suffix = strlen(ENUM_SUFFIX);

	return length >= suffix && !strcmp(name + length - suffix, ENUM_SUFFIX);
}

/* Looks through the types from the number first on. */
static bool find(const struct btf *btf, uint32_t first, uint32_t reason, char *text, size_t size)
{
	for (uint32_t id = first; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name;

		if (!btf_is_enum(t) || !is_reason_enum(btf, t))
			continue;
		name = name_in(btf, t, reason);
		if (!name)
			continue;
		snprintf(text, size, "%s", name);
		return true;
	}
	return false;
}

static bool find_in_module(struct btf *kernel, const char *module, uint32_t reason, char *text, size_t size)
{
	struct btf *btf = btf__load_module_btf(module, kernel);
	bool found = btf && find(btf, btf__type_cnt(kernel), reason, text, size);

	btf__free(btf);
	return found;
}

void dropreason_search(const struct kernel *k, uint32_t reason, char *text, size_t size)
{
	DIR *directory = opendir(MODULES);
	bool found = find(k->btf, 1, reason, text, size);
	struct dirent *entry;

	while (directory && !found && (entry = readdir(directory)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "vmlinux"))
			found = find_in_module(k->btf, entry->d_name, reason, text, size);
	if (directory)
		closedir(directory);
	if (!found)
		snprintf(text, size, "REASON_0x%x", reason);
}
