/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "daemon/userlayout.h"
#include "userformat.h"

#define STRUCT     "struct xcap_user_extend"
#define NAME_BYTES 96 /* of a value, "in.addr[3]" */
#define DEPTH_MOST 8  /* structures in structures */
#define USER_PARAM 3  /* which parameter of the action points to the structure, from 0 */

struct job {
	const struct btf *btf;
	const char *formats;
	struct userlayout *layout;
	struct strpool *strings;
	char *why;
	size_t size;
	const char *member;       /* of the outermost structure, that is being looked at */
	char format[USERFORMAT_BYTES]; /* its */
};

static int __attribute__((format(printf, 2, 3))) refuse(const struct job *j, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(j->why, j->size, format, args);
	va_end(args);
	return -EINVAL;
}

static const char *text_at(const struct job *j, uint32_t offset)
{
	const char *text = btf__name_by_offset(j->btf, offset);

	return text ? text : "";
}

/* Without typedef, const and the like. NULL: the types are damaged. */
static const struct btf_type *strip(const struct job *j, uint32_t id, uint32_t *stripped)
{
	const struct btf_type *t = btf__type_by_id(j->btf, id);

	for (int i = 0; t && i < 32; i++) {
		*stripped = id;
		if (!btf_is_mod(t) && !btf_is_typedef(t) && !btf_is_type_tag(t))
			return t;
		id = t->type;
		t = btf__type_by_id(j->btf, id);
	}
	return NULL;
}

/* ---- formats ---- */

static int take_format(struct job *j)
{
	size_t len = strlen(j->member);
	const char *line = j->formats;
	struct userformat format;
	char why[256];

	j->format[0] = '\0';
	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		size_t rest = strcspn(line, "\n");

		if (rest <= len || strncmp(line, j->member, len) || line[len] != '=')
			continue;
		snprintf(j->format, sizeof(j->format), "%.*s", (int)(rest - len - 1), line + len + 1);
		if (rest - len - 1 < sizeof(j->format) && !userformat_parse(j->format, &format, why, sizeof(why)))
			return 0;
		return refuse(j, "the field %s of " STRUCT ": %s", j->member,
			      rest - len - 1 < sizeof(j->format) ? why : "its format is too long");
	}
	return 0;
}

/* ---- values ---- */

static int add_enums(struct job *j, const struct btf_type *t, struct usercode_field *f)
{
	struct userlayout *l = j->layout;
	uint32_t count = btf_vlen(t);

	if (count > USERCODE_ENUMERATORS - l->enum_count)
		return refuse(j, "the enumerations of " STRUCT " have more than %d names in all", USERCODE_ENUMERATORS);
	f->kind = USERCODE_ENUM;
	f->is_signed = btf_kflag(t);
	f->enums = l->enum_count;
	f->enum_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct usercode_enum *e = &l->enums[l->enum_count++];

		if (btf_is_enum(t)) {
			e->name = strpool_add(j->strings, text_at(j, btf_enum(t)[i].name_off));
			e->value = f->is_signed ? (int64_t)btf_enum(t)[i].val : (int64_t)(uint32_t)btf_enum(t)[i].val;
		} else {
			e->name = strpool_add(j->strings, text_at(j, btf_enum64(t)[i].name_off));
			e->value = btf_enum64_value(&btf_enum64(t)[i]);
		}
	}
	return 0;
}

static int unsupported(const struct job *j, const char *name, const char *what)
{
	return refuse(j,
		      "the field %s of " STRUCT
		      " is %s, which cannot be shown: use whole numbers, characters, enumerations, "
		      "pointers, and arrays and structures of these",
		      name, what);
}

/* Sets what the type says. 0, or a refusal. */
static int classify(struct job *j, const struct btf_type *t, const char *name, struct usercode_field *f)
{
	if (btf_is_any_enum(t))
		return add_enums(j, t, f);
	if (btf_is_ptr(t)) {
		f->kind = USERCODE_POINTER;
		return 0;
	}
	if (btf_is_float(t))
		return unsupported(j, name, "a floating-point number");
	if (!btf_is_int(t))
		return unsupported(j, name,
				   btf_is_fwd(t) ? "of a type that is not complete" : "of a type without values");
	if (t->size > 8)
		return unsupported(j, name, "a number of 128 bits");
	f->is_signed = !!(btf_int_encoding(t) & BTF_INT_SIGNED);
	f->kind = btf_int_encoding(t) & BTF_INT_BOOL ? USERCODE_BOOL
		  : f->is_signed		     ? USERCODE_SIGNED
						     : USERCODE_UNSIGNED;
	return 0;
}

static int add_value(struct job *j, const struct btf_type *t, const char *name, uint32_t bit, uint32_t bits, bool text)
{
	struct userlayout *l = j->layout;
	struct usercode_field *f = &l->fields[l->field_count];
	int r = 0;

	if (l->field_count == USERCODE_FIELDS)
		return refuse(j, STRUCT " has more than %d values: show fewer", USERCODE_FIELDS);
	*f = (struct usercode_field){ .bit = bit, .bits = bits, .kind = USERCODE_TEXT };
	if (!text)
		r = classify(j, t, name, f);
	f->name = strpool_add(j->strings, name);
	f->format = text ? 0 : strpool_add(j->strings, j->format);
	l->field_count++;
	return r;
}

static int add_type(struct job *j, uint32_t id, const char *name, uint32_t bit, uint32_t bits, int depth);

static bool is_char(const struct job *j, const struct btf_type *t)
{
	return btf_is_int(t) && t->size == 1 && !strcmp(text_at(j, t->name_off), "char");
}

static int add_array(struct job *j, const struct btf_type *t, const char *name, uint32_t bit, int depth)
{
	const struct btf_array *array = btf_array(t);
	char item[NAME_BYTES];
	uint32_t stripped;
	const struct btf_type *of = strip(j, array->type, &stripped);
	int64_t bytes = of ? btf__resolve_size(j->btf, stripped) : -1;
	int r = 0;

	if (bytes <= 0)
		return unsupported(j, name, "an array of what has no size");
	if (is_char(j, of) && !*j->format)
		return array->nelems ? add_value(j, of, name, bit, 8 * array->nelems, true) : 0;
	for (uint32_t i = 0; !r && i < array->nelems; i++) {
		snprintf(item, sizeof(item), "%s[%u]", name, i);
		r = add_type(j, array->type, item, bit + 8 * bytes * i, 0, depth);
	}
	return r;
}

static int add_members(struct job *j, const struct btf_type *t, const char *name, uint32_t bit, int depth)
{
	char inner[NAME_BYTES];
	int r = 0;

	if (depth == DEPTH_MOST)
		return unsupported(j, name, "too deep in other structures");
	for (int i = 0; !r && i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *own = text_at(j, m->name_off);

		snprintf(inner, sizeof(inner), "%s%s%s", name, *name && *own ? "." : "", own);
		if (!depth) {
			j->member = own;
			r = take_format(j);
		}
		if (!r)
			r = add_type(j, m->type, inner, bit + btf_member_bit_offset(t, i),
				     btf_member_bitfield_size(t, i), depth + 1);
	}
	return r;
}

/* bits: of a bit field, else 0. */
static int add_type(struct job *j, uint32_t id, const char *name, uint32_t bit, uint32_t bits, int depth)
{
	uint32_t stripped;
	const struct btf_type *t = strip(j, id, &stripped);
	int64_t bytes = t ? btf__resolve_size(j->btf, stripped) : -1;

	if (!t || bytes < 0)
		return unsupported(j, name, "of a type that is not complete");
	if (btf_is_array(t))
		return add_array(j, t, name, bit, depth);
	if (btf_is_composite(t))
		return add_members(j, t, name, bit, depth);
	/* a bit field in the numbers of old compilers (BTF_INT_BITS) is none that clang makes */
	return add_value(j, t, name, bit, bits ? bits : 8 * bytes, false);
}

static int find_structure(const struct job *j, const char *function, const struct btf_type **found)
{
	int id = btf__find_by_name_kind(j->btf, function, BTF_KIND_FUNC);
	const struct btf_type *t = id > 0 ? btf__type_by_id(j->btf, id) : NULL;
	uint32_t stripped;

	t = t ? btf__type_by_id(j->btf, t->type) : NULL;
	if (t && btf_is_func_proto(t) && btf_vlen(t) > USER_PARAM)
		t = strip(j, btf_params(t)[USER_PARAM].type, &stripped);
	else
		t = NULL;
	t = t && btf_is_ptr(t) ? strip(j, t->type, &stripped) : NULL;
	if (!t || !btf_is_struct(t))
		return refuse(j, "the action has no " STRUCT " that its types describe");
	*found = t;
	return 0;
}

int userlayout_make(const struct btf *btf, const char *function, const char *formats, struct userlayout *layout,
		    struct strpool *strings, char *why, size_t size)
{
	struct job j = {
		.btf = btf, .formats = formats, .layout = layout, .strings = strings, .why = why, .size = size
	};
	const struct btf_type *t = NULL;
	int r = find_structure(&j, function, &t);

	layout->field_count = layout->enum_count = 0;
	if (r)
		return r;
	if (t->size > USERCODE_BYTES)
		return refuse(&j, STRUCT " has %u bytes, and %d are the most: show fewer or smaller values", t->size,
			      USERCODE_BYTES);
	layout->bytes = t->size;
	r = add_members(&j, t, "", 0, 0);
	return r ? r : strings->error;
}
