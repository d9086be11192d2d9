/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netcounter.h"

int netcounter_list_init(struct netcounter_list *list)
{
	*list = (struct netcounter_list){};
	list->counters = malloc(NETCOUNTER_MOST * sizeof(*list->counters));
	return list->counters ? 0 : -ENOMEM;
}

void netcounter_list_clear(struct netcounter_list *list)
{
	if (!list)
		return;
	free(list->counters);
	*list = (struct netcounter_list){};
}

void netcounter_add(struct netcounter_list *list, const struct netcounter *counter)
{
	if (!counter->value)
		return;
	if (list->count < NETCOUNTER_MOST) {
		list->counters[list->count++] = *counter;
		return;
	}
	list->left_out++;
	list->partial[counter->layer] = true;
}

void netcounter_malformed(struct netcounter_list *list, enum netcounter_layer layer)
{
	list->malformed++;
	list->partial[layer] = true;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By what makes a counter the same one at another time: a device may be renamed meanwhile. */
static int by_identity(const void *left, const void *right)
{
	const struct netcounter *a = left, *b = right;

	return compare(a->layer, b->layer) ?: compare(a->ifindex, b->ifindex) ?:
	       compare(a->instance, b->instance) ?: strcmp(a->name, b->name);
}

static int by_row(const void *left, const void *right)
{
	const struct netcounter *a = left, *b = right;

	return compare(a->layer, b->layer) ?: strcmp(a->device, b->device) ?:
	       strcmp(a->name, b->name);
}

static int by_loss(const void *left, const void *right)
{
	const struct netcounter *a = left, *b = right;

	return compare(b->since, a->since) ?: compare(b->value, a->value) ?: by_row(a, b);
}

static void sort(struct netcounter_list *list, int (*order)(const void *, const void *))
{
	if (list->count)
		qsort(list->counters, list->count, sizeof(*list->counters), order);
}

void netcounter_finish(struct netcounter_list *list)
{
	/* at least one: realloc(p, 0) would free it, or not */
	size_t bytes = (list->count ?: 1) * sizeof(*list->counters);
	struct netcounter *smaller = realloc(list->counters, bytes);

	if (smaller)
		list->counters = smaller;
	sort(list, by_identity);
}

static uint64_t counted_since(const struct netcounter *now, const struct netcounter_list *before)
{
	const struct netcounter *then = NULL;

	if (before->count)
		then = bsearch(now, before->counters, before->count, sizeof(*before->counters),
			       by_identity);
	if (!then)
		return before->partial[now->layer] ? 0 : now->value;
	return now->value < then->value ? now->value : now->value - then->value;
}

void netcounter_subtract(struct netcounter_list *list, const struct netcounter_list *before)
{
	for (size_t i = 0; i < list->count; i++)
		list->counters[i].since = counted_since(&list->counters[i], before);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	uint64_t result;

	return __builtin_add_overflow(a, b, &result) ? UINT64_MAX : result;
}

void netcounter_merge(struct netcounter_list *list)
{
	struct netcounter *last = NULL;
	size_t count = list->count;

	sort(list, by_row);
	list->count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct netcounter *c = &list->counters[i];

		if (last && !by_row(last, c)) {
			last->value = sum(last->value, c->value);
			last->since = sum(last->since, c->since);
			continue;
		}
		last = &list->counters[list->count++];
		*last = *c;
	}
	sort(list, by_loss);
}

const char *netcounter_layer_name(enum netcounter_layer layer)
{
	static const char *const names[] = {
	    [NETCOUNTER_DEVICE] = "device",
	    [NETCOUNTER_SOFTNET] = "softnet",
	    [NETCOUNTER_QDISC] = "qdisc",
	    [NETCOUNTER_PROTOCOL] = "protocol",
	};

	return names[layer];
}
