/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain.h"

#include <stdlib.h>
#include <string.h>

static const struct explain_table *const tables[] = {
	&reasons_core,
	&reasons_sockets,
	&reasons_mac80211_monitor,
	&reasons_mac80211_unusable,
	&reasons_openvswitch,
	&reasons_qdisc,
};

static int compare(const void *reason, const void *entry)
{
	return strcmp(reason, ((const struct explain_entry *)entry)->reason);
}

static const struct explain_entry *find(const char *subsystem, const char *reason)
{
	const struct explain_table *table;
	const struct explain_entry *found = NULL;

	for (size_t i = 0; !found && (table = explain_table(i)); i++)
		if (!strcmp(table->subsystem, subsystem))
			found = bsearch(reason, table->entries, table->count, sizeof(*found), compare);
	return found;
}

const char *explain_meaning(const char *subsystem, const char *reason)
{
	const struct explain_entry *entry = find(subsystem, reason);

	return entry ? entry->meaning : NULL;
}

const char *explain_next(const char *subsystem, const char *reason)
{
	const struct explain_entry *entry = find(subsystem, reason);

	return entry ? entry->next : NULL;
}

size_t explain_count(void)
{
	const struct explain_table *table;
	size_t count = 0;

	for (size_t i = 0; (table = explain_table(i)); i++)
		count += table->count;
	return count;
}

const struct explain_table *explain_table(size_t i)
{
	return i < sizeof(tables) / sizeof(*tables) ? tables[i] : NULL;
}
