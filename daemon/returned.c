/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include <bpf/btf.h>

#include "bpf/record.h"
#include "daemon/btftype.h"
#include "daemon/returned.h"

#define SLOT_BYTES 8

/* Structures that are passed by value take one slot for each 8 bytes (Linux 6.0, 720e6a435194). */
static unsigned slots_of(const struct btf *btf, uint32_t type)
{
	int64_t size = btf__resolve_size(btf, type);

	return size > SLOT_BYTES ? (size + SLOT_BYTES - 1) / SLOT_BYTES : 1;
}

void returned_init(struct returned *r, const struct function *f)
{
	const struct btf_type *proto = function_proto(f);
	unsigned slot = 0;

	*r = (struct returned){ .btf = f->btf, .slot = NETCAP_NO_ARG };
	if (!proto)
		return;
	r->type = btftype_strip(f->btf, proto->type);
	if (!r->type)
		return;
	for (unsigned i = 0; i < f->args; i++)
		slot += slots_of(f->btf, btf_params(proto)[i].type);
	r->slot = slot;
}

void returned_init_verdict(struct returned *r, const struct btf *kernel, const struct function *f, bool xdp)
{
	int names = xdp ? btf__find_by_name_kind(kernel, "xdp_action", BTF_KIND_ENUM) : 0;

	returned_init(r, f);
	r->tc = !xdp;
	if (names <= 0)
		return;
	r->btf = kernel;
	r->type = names;
}

/* TC_ACT_UNSPEC, which is -1, and those that follow (linux/pkt_cls.h). */
static const char *tc_verdict(uint64_t value)
{
	static const char *const names[] = {
		"TC_ACT_UNSPEC", "TC_ACT_OK",	  "TC_ACT_RECLASSIFY", "TC_ACT_SHOT",	  "TC_ACT_PIPE",
		"TC_ACT_STOLEN", "TC_ACT_QUEUED", "TC_ACT_REPEAT",     "TC_ACT_REDIRECT", "TC_ACT_TRAP",
	};
	uint32_t at = (uint32_t)value + 1;

	return at < sizeof(names) / sizeof(*names) ? names[at] : NULL;
}

/* The bits that a type of so many bytes has, its sign carried on. */
static uint64_t narrow(uint64_t value, unsigned bytes, bool is_signed)
{
	unsigned shift = bytes < sizeof(value) ? 8 * (sizeof(value) - bytes) : 0;

	value <<= shift;
	return is_signed ? (uint64_t)((int64_t)value >> shift) : value >> shift;
}

static void put_integer(uint64_t value, bool is_signed, char *text, size_t size)
{
	if (is_signed)
		snprintf(text, size, "%" PRId64, (int64_t)value);
	else
		snprintf(text, size, "%" PRIu64, value);
}

static const char *enumerator(const struct btf *btf, const struct btf_type *t, uint64_t value)
{
	for (int i = 0; i < btf_vlen(t); i++) {
		if (btf_is_enum(t) && (uint32_t)btf_enum(t)[i].val == (uint32_t)value)
			return btf__name_by_offset(btf, btf_enum(t)[i].name_off);
		if (btf_is_enum64(t) && btf_enum64_value(&btf_enum64(t)[i]) == value)
			return btf__name_by_offset(btf, btf_enum64(t)[i].name_off);
	}
	return NULL;
}

static void put_enumeration(const struct returned *r, const struct btf_type *t, uint64_t value, char *text,
			    size_t size)
{
	const char *name = enumerator(r->btf, t, value);

	if (name)
		snprintf(text, size, "%s", name);
	else
		put_integer(narrow(value, t->size, true), true, text, size);
}

const char *returned_text(const struct returned *r, uint64_t value, char *text, size_t size)
{
	const struct btf_type *t = r->type ? btf__type_by_id(r->btf, r->type) : NULL;
	bool is_signed;

	if (!t)
		return NULL;
	if (r->tc && tc_verdict(value))
		return tc_verdict(value);
	if (btf_is_any_enum(t)) {
		put_enumeration(r, t, value, text, size);
	} else if (!btf_is_int(t)) {
		snprintf(text, size, "0x%" PRIx64, value);
	} else if (btf_int_encoding(t) & BTF_INT_BOOL) {
		snprintf(text, size, "%s", value & 0xff ? "true" : "false");
	} else {
		is_signed = btf_int_encoding(t) & BTF_INT_SIGNED;
		put_integer(narrow(value, t->size, is_signed), is_signed, text, size);
	}
	return text;
}
