/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "daemon/btftype.h"

#define MAX_CHAIN 16 /* qualifiers and pointers of one type; the kernel has no more than 4 */

static bool is_alias(const struct btf_type *t)
{
	return btf_is_mod(t) || btf_is_typedef(t);
}

uint32_t btftype_strip(const struct btf *btf, uint32_t id)
{
	for (int i = 0; i < MAX_CHAIN; i++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!t || !is_alias(t))
			break;
		id = t->type;
	}
	return id;
}

bool btftype_is_pointer_to(const struct btf *btf, uint32_t id, const char *name)
{
	const struct btf_type *t = btf__type_by_id(btf, btftype_strip(btf, id));

	if (!t || !btf_is_ptr(t))
		return false;
	t = btf__type_by_id(btf, btftype_strip(btf, t->type));
	return t && btf_is_struct(t) && !strcmp(btf__name_by_offset(btf, t->name_off), name);
}

unsigned btftype_find_pointer(const struct btf *btf, const struct btf_param *params, unsigned count,
			      const char *const *names)
{
	for (unsigned i = 0; i < count; i++)
		for (const char *const *name = names; *name; name++)
			if (btftype_is_pointer_to(btf, params[i].type, *name))
				return i;
	return count;
}

static const char *keyword(const struct btf_type *t)
{
	if (btf_is_struct(t))
		return "struct ";
	if (btf_is_union(t))
		return "union ";
	if (btf_is_any_enum(t))
		return "enum ";
	if (btf_is_fwd(t))
		return btf_kflag(t) ? "union " : "struct ";
	return "";
}

bool btftype_has_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* Qualifiers stand in front of what is pointed to, stars behind, as the kernel writes them. */
const char *btftype_text(const struct btf *btf, uint32_t id, char *text, size_t size)
{
	char stars[MAX_CHAIN + 1] = "", front[32] = "";
	const struct btf_type *t = NULL;
	size_t n = 0;

	for (int i = 0; i < MAX_CHAIN && id; i++, id = t->type) {
		t = btf__type_by_id(btf, id);
		if (!t)
			break;
		if (btf_is_ptr(t))
			stars[n++] = '*';
		else if (btf_is_const(t))
			snprintf(front, sizeof(front), "const ");
		else if (!btf_is_mod(t) || btf_is_func_proto(t))
			break;
	}
	stars[n] = 0;
	if (!id || !t)
		snprintf(text, size, "%svoid%s%s", front, n ? " " : "", stars);
	else if (btf_is_func_proto(t))
		snprintf(text, size, "void (*)()");
	else
		snprintf(text, size, "%s%s%s%s%s", front, keyword(t),
			 btf__name_by_offset(btf, t->name_off), n ? " " : "", stars);
	return text;
}
