/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/resolution.h"

/* Patterns overlap: what an earlier one gave is not given again. */
static bool is_there(const struct resolution *r, const char *text)
{
	for (size_t i = 0; i < r->before; i++)
		if (!strcmp(r->list->items[i].text, text))
			return true;
	return false;
}

struct probe *resolution_add(struct resolution *r, const struct pointname *name)
{
	struct probe_list *list = r->list;
	char text[PROBE_TEXT_BYTES];
	struct probe *p;

	pointname_format(name, text, sizeof(text));
	if (is_there(r, text))
		return NULL;
	if (list->count == PROBE_MOST) {
		r->error = -E2BIG;
		return NULL;
	}
	if (list->count % 64 == 0) {
		struct probe *more = realloc(list->items, (list->count + 64) * sizeof(*more));

		if (!more) {
			r->error = -ENOMEM;
			return NULL;
		}
		list->items = more;
	}
	p = &list->items[list->count];
	memset(p, 0, sizeof(*p));
	p->location = p->reason = p->sock = p->flow = p->user = NETCAP_NO_ARG;
	if (name->arg2)
		p->user = name->arg2 - 1;
	p->asked = name->kind;
	p->text = strdup(text);
	if (!p->text) {
		r->error = -ENOMEM;
		return NULL;
	}
	p->name = p->text;
	if (name->kind != POINTNAME_FUNCTION)
		p->name = strchr(p->text, ':') + 1;
	list->count++;
	return p;
}
