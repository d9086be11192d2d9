/* SPDX-License-Identifier: BSD-2-Clause */
#include "interfaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct interfaces_entry {
	uint16_t link;
	char *description; /* owned, or NULL */
};

int interfaces_add(struct interfaces *all, const struct pcapng_interface *i)
{
	struct interfaces_entry *entries =
		realloc(all->entries, (all->count + 1) * sizeof(*entries));
	char *description = i->description ? strdup(i->description) : NULL;

	if (entries)
		all->entries = entries;
	if (!entries || (i->description && !description)) {
		free(description);
		return -ENOMEM;
	}
	entries[all->count++] = (struct interfaces_entry){i->link, description};
	return 0;
}

uint16_t interfaces_link(const struct interfaces *all, uint32_t index)
{
	return index < all->count ? all->entries[index].link : PCAPNG_LINK_USER0;
}

const char *interfaces_description(const struct interfaces *all, uint32_t index)
{
	if (index >= all->count || !all->entries[index].description)
		return "?";
	return all->entries[index].description;
}

static void read_meta(const struct interfaces *all, const struct pcapng_packet *b, struct meta *m, char *store)
{
	if (b->comment && !meta_parse(m, b->comment, b->comment_len, store, META_TEXT_MAX))
		return;
	/* Not of this grammar: a newer daemon's, perhaps. The packet is worth showing. */
	memset(m, 0, offsetof(struct meta, stack));
	m->point = interfaces_description(all, b->interface);
}

void interfaces_packet(const struct interfaces *all, const struct pcapng_packet *block, char *store,
		       struct packet *p)
{
	p->block = block;
	p->meta.point = NULL;
	p->place = NULL;
	p->link = interfaces_link(all, block->interface);
	if (store)
		read_meta(all, block, &p->meta, store);
}

void interfaces_clear(struct interfaces *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->entries[i].description);
	free(all->entries);
	*all = (struct interfaces){NULL, 0};
}
