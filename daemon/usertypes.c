/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/usertypes.h"

static bool is_type(const struct btf *btf, uint32_t id)
{
	return id < btf__type_cnt(btf); /* 0 is void */
}

static bool members_are_good(const struct btf *btf, const struct btf_type *t)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (!is_type(btf, btf_members(t)[i].type))
			return false;
	return true;
}

static bool parameters_are_good(const struct btf *btf, const struct btf_type *t)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (!is_type(btf, btf_params(t)[i].type))
			return false;
	return is_type(btf, t->type);
}

static bool variables_are_good(const struct btf *btf, const struct btf_type *t)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (!is_type(btf, btf_var_secinfos(t)[i].type))
			return false;
	return true;
}

static bool is_good(const struct btf *btf, const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FWD:
		return true;
	case BTF_KIND_ARRAY:
		return is_type(btf, btf_array(t)->type) && is_type(btf, btf_array(t)->index_type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return members_are_good(btf, t);
	case BTF_KIND_FUNC_PROTO:
		return parameters_are_good(btf, t);
	case BTF_KIND_DATASEC:
		return variables_are_good(btf, t);
	default: /* that lead to one */
		return is_type(btf, t->type);
	}
}

int usertypes_check(const struct btf *btf, char *why, size_t size)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		if (is_good(btf, btf__type_by_id(btf, id)))
			continue;
		snprintf(why, size, "the object is damaged: its type %u leads to one that is not there", id);
		return -EINVAL;
	}
	return 0;
}
