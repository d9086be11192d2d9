/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/strpool.h"

static uint32_t append(struct strpool *p, const char *text)
{
	size_t len = strlen(text) + 1;

	if (p->len + len > p->room) {
		size_t room = 2 * p->room + len + 256;
		char *bytes = realloc(p->bytes, room);

		if (!bytes) {
			p->error = -ENOMEM;
			return 0;
		}
		p->bytes = bytes;
		p->room = room;
	}
	memcpy(p->bytes + p->len, text, len);
	p->len += len;
	return p->len - len;
}

uint32_t strpool_add(struct strpool *p, const char *text)
{
	if (p->error)
		return 0;
	if (!p->len)
		append(p, "");
	for (size_t at = 0; at < p->len; at += strlen(p->bytes + at) + 1)
		if (!strcmp(p->bytes + at, text))
			return at;
	return append(p, text);
}

void strpool_clear(struct strpool *p)
{
	free(p->bytes);
	*p = (struct strpool){};
}
