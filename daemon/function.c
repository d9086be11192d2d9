/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "daemon/btftype.h"
#include "daemon/function.h"

static const struct btf_type *prototype(const struct btf *btf, const struct btf_type *function)
{
	const struct btf_type *t = btf__type_by_id(btf, function->type);

	return t && btf_is_func_proto(t) ? t : NULL;
}

/* struct sk_buff *, const or not; and, with *indirect, struct sk_buff **. */
static bool is_skb(const struct btf *btf, uint32_t type, bool *indirect)
{
	const struct btf_type *t;

	*indirect = false;
	if (btftype_is_pointer_to(btf, type, "sk_buff"))
		return true;
	t = btf__type_by_id(btf, btftype_strip(btf, type));
	*indirect = t && btf_is_ptr(t) && btftype_is_pointer_to(btf, t->type, "sk_buff");
	return *indirect;
}

static enum source_kind xdp_kind(const struct btf *btf, uint32_t type)
{
	if (btftype_is_pointer_to(btf, type, "xdp_buff"))
		return SOURCE_XDP_BUFF;
	return btftype_is_pointer_to(btf, type, "xdp_frame") ? SOURCE_XDP_FRAME : SOURCE_SKB;
}

static void fill(const struct btf *btf, uint32_t id, const struct btf_type *t, struct function *f)
{
	const struct btf_type *proto = prototype(btf, t);

	*f = (struct function){ .name = btf__name_by_offset(btf, t->name_off), .btf = btf,
				.id = id, .skb = FUNCTION_NO_ARG, .xdp = FUNCTION_NO_ARG };
	if (!proto)
		return;
	f->args = btf_vlen(proto);
	for (unsigned i = 0; i < f->args && i < FUNCTION_MAX_ARGS; i++) {
		uint32_t type = btf_params(proto)[i].type;

		if (f->skb == FUNCTION_NO_ARG && is_skb(btf, type, &f->indirect))
			f->skb = i;
		else if (f->xdp == FUNCTION_NO_ARG && xdp_kind(btf, type))
			f->xdp = i;
	}
}

void function_init(struct function *f, const struct btf *btf, uint32_t id)
{
	fill(btf, id, btf__type_by_id(btf, id), f);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct function *)a)->name, ((const struct function *)b)->name);
}

static uint32_t first_id(const struct btf *base)
{
	return base ? btf__type_cnt(base) : 1;
}

int function_list(const struct btf *btf, const struct btf *base, struct function_list *list)
{
	uint32_t types = btf__type_cnt(btf);
	size_t size = 0;

	memset(list, 0, sizeof(*list));
	for (uint32_t id = first_id(base); id < types; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		struct function f;

		if (!btf_is_func(t))
			continue;
		fill(btf, id, t, &f);
		if (f.skb == FUNCTION_NO_ARG && f.xdp == FUNCTION_NO_ARG)
			continue;
		if (list->count == size) {
			struct function *more;

			size = size ? 2 * size : 256;
			more = realloc(list->items, size * sizeof(*more));
			if (!more) {
				function_list_clear(list);
				return -ENOMEM;
			}
			list->items = more;
		}
		list->items[list->count++] = f;
	}
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	return 0;
}

void function_list_clear(struct function_list *list)
{
	if (!list)
		return;
	free(list->items);
	memset(list, 0, sizeof(*list));
}

const struct function *function_list_find(const struct function_list *list, const char *name)
{
	const struct function key = { .name = name };

	if (!list->count)
		return NULL;
	return bsearch(&key, list->items, list->count, sizeof(key), compare);
}

int function_find(const struct btf *btf, const struct btf *base, const char *name,
		  struct function *f)
{
	uint32_t types = btf__type_cnt(btf);

	for (uint32_t id = first_id(base); id < types; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!btf_is_func(t) || strcmp(btf__name_by_offset(btf, t->name_off), name))
			continue;
		fill(btf, id, t, f);
		return 0;
	}
	return -ENOENT;
}

const struct btf_type *function_proto(const struct function *f)
{
	return prototype(f->btf, btf__type_by_id(f->btf, f->id));
}

bool function_is_skb(const struct function *f, unsigned argument, bool *indirect)
{
	const struct btf_type *proto = function_proto(f);

	return proto && argument < f->args &&
	       is_skb(f->btf, btf_params(proto)[argument].type, indirect);
}

uint8_t function_pointer(const struct function *f, const char *const *names)
{
	const struct btf_type *proto = function_proto(f);
	unsigned found = proto ? btftype_find_pointer(f->btf, btf_params(proto), f->args, names) : f->args;

	return found < f->args ? found : FUNCTION_NO_ARG;
}

enum source_kind function_xdp(const struct function *f, unsigned argument)
{
	const struct btf_type *proto = function_proto(f);

	return proto && argument < f->args ? xdp_kind(f->btf, btf_params(proto)[argument].type) :
					     SOURCE_SKB;
}

uint8_t function_packet(const struct function *f, bool xdp)
{
	return xdp ? f->xdp : f->skb;
}

int function_prototype(const struct function *f, char *text, size_t size)
{
	const struct btf_type *proto = function_proto(f);
	char type[128];
	size_t used;

	if (!proto)
		return snprintf(text, size, "%s(?)", f->name);
	used = snprintf(text, size, "%s %s(", btftype_text(f->btf, proto->type, type, sizeof(type)),
			f->name);
	for (unsigned i = 0; i < f->args && used < size; i++)
		used += snprintf(text + used, size - used, "%s%s %s", i ? ", " : "",
				 btftype_text(f->btf, btf_params(proto)[i].type, type, sizeof(type)),
				 btf__name_by_offset(f->btf, btf_params(proto)[i].name_off));
	if (used < size)
		used += snprintf(text + used, size - used, "%s)", f->args ? "" : "void");
	return used < size ? (int)used : -ENOBUFS;
}
