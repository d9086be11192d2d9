/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "daemon/userbits.h"

#define DEPTH_MOST 64 /* members in members */

/* The head of the section, as tools/lib/bpf/libbpf_internal.h has it: offsets are from its end. */
struct head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t size;
	uint32_t functions, functions_size;
	uint32_t lines, lines_size;
	uint32_t relocations, relocations_size;
};

/* One kind of records in it: for each section of code its name, how many there are, and they. */
struct records {
	const uint8_t *at;
	size_t left;
	uint32_t each;
	uint32_t name; /* of the section that the last one is of */
	uint32_t count; /* of records that follow of it */
};

struct job {
	const struct btf *btf;
	const uint8_t *ext;
	size_t bytes;
	struct head head;
};

static uint32_t number_at(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static bool begin(const struct job *j, uint32_t offset, uint32_t size, uint32_t least, struct records *r)
{
	size_t from = (size_t)j->head.size + offset;

	*r = (struct records){};
	if (!size)
		return true;
	if (from > j->bytes || size > j->bytes - from || size < sizeof(uint32_t))
		return false;
	r->each = number_at(j->ext + from);
	r->at = j->ext + from + sizeof(uint32_t);
	r->left = size - sizeof(uint32_t);
	return r->each >= least;
}

/* The next record, or NULL. */
static const uint8_t *next(struct records *r)
{
	const uint8_t *record;

	while (!r->count) {
		if (r->left < 2 * sizeof(uint32_t))
			return NULL;
		r->name = number_at(r->at);
		r->count = number_at(r->at + sizeof(uint32_t));
		r->at += 2 * sizeof(uint32_t);
		r->left -= 2 * sizeof(uint32_t);
	}
	if (r->left < r->each)
		return NULL;
	record = r->at;
	r->at += r->each;
	r->left -= r->each;
	r->count--;
	return record;
}

static const char *text_at(const struct job *j, uint32_t offset)
{
	const char *text = btf__name_by_offset(j->btf, offset);

	return text ? text : "";
}

static const struct btf_type *strip(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	for (int i = 0; t && i < DEPTH_MOST && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t)); i++)
		t = btf__type_by_id(btf, t->type);
	return t;
}

/* As compilers write it: numbers between colons. libbpf 1.1 reads beyond its arrays where one is negative. */
static bool is_path(const char *path)
{
	for (const char *at = path; *at;) {
		size_t digits = strspn(at, "0123456789");

		if (!digits || digits > 6 || (at[digits] && at[digits] != ':'))
			return false;
		at += digits + (at[digits] == ':');
	}
	return *path;
}

/* The name of the bit field that "0:5:2" leads to, NULL: it leads to something else, or nowhere. */
static const char *bit_field(const struct job *j, const struct bpf_core_relo *relo)
{
	const struct btf_type *t = strip(j->btf, relo->type_id);
	const char *path = strchr(text_at(j, relo->access_str_off), ':'), *name = NULL;

	for (int depth = 0; t && path && depth < DEPTH_MOST; depth++) {
		char *end;
		unsigned long index = strtoul(path + 1, &end, 10);

		name = NULL;
		if (end == path + 1)
			return NULL;
		path = *end == ':' ? end : NULL;
		if (btf_is_composite(t) && index < btf_vlen(t)) {
			const struct btf_member *m = &btf_members(t)[index];

			name = btf_member_bitfield_size(t, index) ? text_at(j, m->name_off) : NULL;
			t = strip(j->btf, m->type);
		} else {
			t = btf_is_array(t) ? strip(j->btf, btf_array(t)->type) : NULL;
		}
	}
	return name;
}

/* Where it is in the source, as "FILE:LINE: ", as well as it is known. */
static void name_line(const struct job *j, uint32_t section, uint32_t insn, char *place, size_t size)
{
	const uint8_t *record;
	struct records r;

	place[0] = '\0';
	if (!begin(j, j->head.lines, j->head.lines_size, sizeof(struct bpf_line_info), &r))
		return;
	while ((record = next(&r))) {
		struct bpf_line_info line;
		const char *file;

		memcpy(&line, record, sizeof(line));
		file = text_at(j, line.file_name_off);
		file = strncmp(file, "./", 2) ? file : file + 2;
		if (r.name == section && (line.insn_off <= insn || !*place) && strncmp(file, "netcap-", 7))
			snprintf(place, size, "%s:%u: ", file, BPF_LINE_INFO_LINE_NUM(line.line_col));
	}
}

/* Is the field asked for by BPF_CORE_READ_BITFIELD(), which wants to know how far to shift? */
static bool is_asked(const struct job *j, const struct bpf_core_relo *wanted)
{
	const char *path = text_at(j, wanted->access_str_off);
	const uint8_t *record;
	struct records r;

	begin(j, j->head.relocations, j->head.relocations_size, sizeof(*wanted), &r);
	while ((record = next(&r))) {
		struct bpf_core_relo relo;

		memcpy(&relo, record, sizeof(relo));
		if (relo.kind == BPF_CORE_FIELD_LSHIFT_U64 && relo.type_id == wanted->type_id &&
		    !strcmp(text_at(j, relo.access_str_off), path))
			return true;
	}
	return false;
}

static int check_all(const struct job *j, char *why, size_t size)
{
	const uint8_t *record;
	struct records r;

	if (!begin(j, j->head.relocations, j->head.relocations_size, sizeof(struct bpf_core_relo), &r)) {
		snprintf(why, size, "the object is damaged: its section .BTF.ext has places that are not in it");
		return -EINVAL;
	}
	while ((record = next(&r))) {
		struct bpf_core_relo relo;
		const char *name;
		char place[256];

		memcpy(&relo, record, sizeof(relo));
		if (!is_path(text_at(j, relo.access_str_off))) {
			snprintf(why, size, "the object is damaged: a relocation says no member");
			return -EINVAL;
		}
		name = relo.kind == BPF_CORE_FIELD_BYTE_OFFSET ? bit_field(j, &relo) : NULL;
		if (!name || is_asked(j, &relo))
			continue;
		name_line(j, r.name, relo.insn_off, place, sizeof(place));
		snprintf(why, size, "%s%s is a bit field, whose place in this kernel cannot be known so: write "
			 "BPF_CORE_READ_BITFIELD(pointer, %s)", place, name, name);
		return -EINVAL;
	}
	return 0;
}

/* As libbpf sees it, which goes on without relocations where it cannot read them. */
static bool is_readable(const void *ext, size_t bytes)
{
	struct btf_ext *parsed = NULL;

	if (bytes >= offsetof(struct head, relocations) && bytes <= UINT32_MAX)
		parsed = btf_ext__new(ext, bytes);
	btf_ext__free(parsed);
	return parsed != NULL;
}

int userbits_check(const struct btf *btf, const void *ext, size_t bytes, char *why, size_t size)
{
	struct job j = { .btf = btf, .ext = ext, .bytes = bytes };

	if (!ext)
		return 0;
	if (!is_readable(ext, bytes)) {
		snprintf(why, size, "the object is damaged: its section .BTF.ext makes no sense");
		return -EINVAL;
	}
	memcpy(&j.head, ext, bytes < sizeof(j.head) ? bytes : sizeof(j.head));
	if (j.head.size < sizeof(j.head))
		j.head.relocations_size = 0; /* of a compiler that knows none */
	return check_all(&j, why, size);
}
