/* SPDX-License-Identifier: BSD-2-Clause */
#include "mbufdwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <string.h>

#include "elfdebug.h"
#include "mbufmembers.h"

/* A number, or in DWARF 2 an expression that adds one. */
static bool read_offset(Dwarf_Die *member, Dwarf_Word *offset)
{
	Dwarf_Attribute attribute;
	Dwarf_Op *expression;
	size_t count;

	*offset = 0;
	if (!dwarf_attr(member, DW_AT_data_member_location, &attribute))
		return true; /* of a union */
	if (!dwarf_formudata(&attribute, offset))
		return true;
	if (dwarf_getlocation(&attribute, &expression, &count) || count != 1 ||
	    expression[0].atom != DW_OP_plus_uconst)
		return false;
	*offset = expression[0].number;
	return true;
}

static bool find_type(Dwarf_Die *member, Dwarf_Die *type)
{
	Dwarf_Attribute attribute;

	return dwarf_formref_die(dwarf_attr(member, DW_AT_type, &attribute), type) && !dwarf_peel_type(type, type) &&
	       (dwarf_tag(type) == DW_TAG_structure_type || dwarf_tag(type) == DW_TAG_union_type);
}

static void collect(Dwarf_Die *structure, uint64_t at, unsigned depth, struct mbufmembers *m)
{
	Dwarf_Die member, type;
	Dwarf_Word offset;

	if (depth == MBUFMEMBERS_DEPTH || dwarf_child(structure, &member))
		return;
	do {
		const char *name = dwarf_diename(&member);

		if (dwarf_tag(&member) != DW_TAG_member || dwarf_hasattr(&member, DW_AT_bit_size) ||
		    !read_offset(&member, &offset) || offset > MBUFLAYOUT_MOST)
			continue;
		if (name)
			mbufmembers_note(m, name, at + offset);
		else if (find_type(&member, &type))
			collect(&type, at + offset, depth + 1, m);
	} while (!dwarf_siblingof(&member, &member));
}

static bool find_in_unit(Dwarf_Die *unit, struct mbuf_layout *l)
{
	Dwarf_Die die;

	if (dwarf_child(unit, &die))
		return false;
	do {
		struct mbufmembers m = { .seen = 0 };
		const char *name = dwarf_tag(&die) == DW_TAG_structure_type ? dwarf_diename(&die) : NULL;

		if (!name || strcmp(name, MBUFMEMBERS_STRUCT) || dwarf_hasattr(&die, DW_AT_declaration))
			continue;
		collect(&die, 0, 0, &m);
		*l = m.layout;
		if (mbufmembers_complete(&m))
			return true;
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

static bool find_in_all(Dwarf *dwarf, struct mbuf_layout *l)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;

	while (!dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, NULL))
		if (find_in_unit(&die, l))
			return true;
	return false;
}

/* Attaches the common file, which must be before anything is read that refers to it. */
static Dwarf *attach_common(Dwarf *dwarf, const struct elffile *f, int root, struct elffile *common)
{
	const char *name;
	const void *id;
	ssize_t id_len = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id);
	Dwarf *alternative;

	*common = (struct elffile){ .fd = -1 };
	if (id_len <= 0 || elfdebug_open_common(common, f, root, name, id, (size_t)id_len))
		return NULL;
	alternative = dwarf_begin_elf(common->elf, DWARF_C_READ, NULL);
	if (alternative)
		dwarf_setalt(dwarf, alternative);
	return alternative;
}

bool mbufdwarf_find(const struct elffile *f, int root, struct mbuf_layout *l)
{
	Dwarf *dwarf = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL), *alternative;
	struct elffile common;
	bool found;

	if (!dwarf)
		return false;
	alternative = attach_common(dwarf, f, root, &common);
	found = (alternative && find_in_all(alternative, l)) || find_in_all(dwarf, l);
	dwarf_end(dwarf);
	if (alternative)
		dwarf_end(alternative);
	elffile_close(&common);
	return found;
}
