/* SPDX-License-Identifier: BSD-2-Clause */
/* Any comment is refused or read; what was read comes out of meta_format() and goes in again alike. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static void check_same_text(const char *a, const char *b)
{
	check(!a == !b);
	if (a)
		check(strcmp(a, b) == 0);
}

static void check_same(const struct meta *a, const struct meta *b)
{
	check_same_text(a->point, b->point);
	check_same_text(a->reason, b->reason);
	check_same_text(a->location, b->location);
	check_same_text(a->dev, b->dev);
	check_same_text(a->comm, b->comm);
	check_same_text(a->link, b->link);
	check(a->ifindex == b->ifindex && a->netns == b->netns && a->cpu == b->cpu);
	check(a->pid == b->pid && a->tid == b->tid && a->mark == b->mark);
	check(a->protocol == b->protocol && a->skb == b->skb && a->partial == b->partial);
	check(a->frames == b->frames);
	for (unsigned i = 0; i < a->frames; i++)
		check_same_text(a->stack[i], b->stack[i]);
}

static void check_round_trip(const struct meta *m)
{
	char text[META_TEXT_MAX], store[META_TEXT_MAX];
	int len = meta_format(m, text, sizeof(text));
	struct meta again;

	if (len == -ENOBUFS)
		return;
	check(len > 0 && text[len] == '\0');
	check(meta_parse(&again, text, (size_t)len, store, sizeof(store)) == 0);
	check_same(m, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As large as promised to be enough, to the byte, for the address sanitizer to watch. */
	char *store = malloc(size + 1);
	struct meta m;
	int err;

	check(store != NULL);
	err = meta_parse(&m, (const char *)data, size, store, size);
	check(err == 0 || err == -EBADMSG);
	if (err == 0)
		check_round_trip(&m);
	if (size && meta_parse(&m, (const char *)data, size, store, data[0] % size) == 0)
		check(err == 0);
	free(store);
	return 0;
}
