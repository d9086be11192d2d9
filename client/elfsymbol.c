/* SPDX-License-Identifier: BSD-2-Clause */
#include "elfsymbol.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cppname.h"
#include "quote.h"
#include "text.h"

static int __attribute__((format(printf, 4, 5))) refuse(int err, char *why, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return err;
}

/* ---- walking ---- */

typedef void (*take_symbol)(void *arg, const char *name, const GElf_Sym *symbol);

static void walk_table(const struct elffile *f, uint32_t type, take_symbol take, void *arg)
{
	GElf_Shdr header;
	Elf_Scn *section = elffile_section_of_type(f, type, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	size_t count = data && data->d_buf ? data->d_size / sizeof(Elf64_Sym) : 0;
	GElf_Sym symbol;

	for (size_t i = 1; i < count && i < INT32_MAX; i++) {
		const char *name = gelf_getsym(data, (int)i, &symbol) ?
			elf_strptr(f->elf, header.sh_link, symbol.st_name) : NULL;

		if (name && name[0])
			take(arg, name, &symbol);
	}
}

static void walk(const struct elffile *f, const struct elffile *debug, take_symbol take, void *arg)
{
	walk_table(f, SHT_SYMTAB, take, arg);
	walk_table(f, SHT_DYNSYM, take, arg);
	if (debug)
		walk_table(debug, SHT_SYMTAB, take, arg);
}

/* What assembler code defines has often no type. */
static bool is_function(const GElf_Sym *symbol)
{
	unsigned type = GELF_ST_TYPE(symbol->st_info);

	return type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC;
}

/* ---- finding by name ---- */

struct match {
	uint64_t address, bytes;
	bool is_ifunc;
	char *shown; /* owned: the name as in the source, NULL: the wanted one */
};

struct search {
	const struct elffile *f;
	const char *wanted;
	size_t len;
	bool cpp;          /* look at names of C++ */
	bool is_imported;  /* the name is there, but of a function of another object */
	size_t count;      /* may be more than those kept */
	struct match matches[ELFSYMBOL_MOST];
};

/* In .symtab a version stands behind the name: "read@@GLIBC_2.2.5". */
static bool has_name(const char *name, const struct search *s)
{
	return !strncmp(name, s->wanted, s->len) && (!name[s->len] || name[s->len] == '@');
}

static bool is_match(const struct search *s, const char *name, char **shown)
{
	*shown = NULL;
	if (!s->cpp)
		return has_name(name, s);
	if (!cppname_may_match(name, s->wanted) || !(*shown = cppname_demangle(name)))
		return false;
	if (cppname_matches(*shown, s->wanted))
		return true;
	free(*shown);
	*shown = NULL;
	return false;
}

static bool is_known(const struct search *s, uint64_t address)
{
	for (size_t i = 0; i < s->count && i < ELFSYMBOL_MOST; i++)
		if (s->matches[i].address == address)
			return true;
	return false;
}

static void take_match(void *arg, const char *name, const GElf_Sym *symbol)
{
	struct search *s = arg;
	uint64_t offset;
	char *shown;

	if (!is_function(symbol) || !is_match(s, name, &shown))
		return;
	if (symbol->st_shndx == SHN_UNDEF)
		s->is_imported = true;
	else if (elffile_offset(s->f, symbol->st_value, true, &offset) && !is_known(s, symbol->st_value)) {
		if (s->count < ELFSYMBOL_MOST) {
			s->matches[s->count] = (struct match){ symbol->st_value, symbol->st_size,
							       GELF_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC, shown };
			shown = NULL;
		}
		s->count++;
	}
	free(shown);
}

static int refuse_several(const struct search *s, char *why, size_t size)
{
	struct quote q, shown;
	size_t n;

	snprintf(why, size, "%zu functions of %s have the name %s", s->count, s->f->path,
		 quote_text(&q, s->wanted, s->len));
	for (size_t i = 0; i < s->count && i < ELFSYMBOL_MOST; i++) {
		const char *name = s->matches[i].shown;

		n = strlen(why);
		snprintf(why + n, size - n, "%s 0x%" PRIx64 "%s%s", i ? "," : ":", s->matches[i].address,
			 name ? " " : "", name ? quote_text(&shown, name, strlen(name)) : "");
	}
	n = strlen(why);
	return refuse(-ENOTUNIQ, why + n, size - n, "%s; give the address of one instead of the name",
		      s->count > ELFSYMBOL_MOST ? ", and more" : "");
}

static int refuse_none(const struct search *s, const struct elffile *debug, char *why, size_t size)
{
	struct quote q, near;
	struct nearest best;
	size_t n;

	quote_text(&q, s->wanted, s->len);
	if (s->is_imported)
		return refuse(-ENOENT, why, size, "%s calls %s, which is in another object: give the object that has "
			      "it", s->f->path, q.text);
	nearest_init(&best, 3);
	elfsymbol_offer(s->f, debug, s->wanted, &best);
	if (!best.count)
		return refuse(-ENOENT, why, size, "%s has no symbols of its functions, so %s is not found in it: "
			      "install its debug symbols, or give an address, as in 0x1139", s->f->path, q.text);
	refuse(0, why, size, "%s has no function %s", s->f->path, q.text);
	if (!cppname_available() && strstr(s->wanted, "::"))
		return refuse(-ENOENT, why + strlen(why), size - strlen(why), ", and names of C++ are not understood "
			      "without libstdc++.so.6: install libstdc++6");
	for (size_t i = 0; i < best.count; i++) {
		n = strlen(why);
		snprintf(why + n, size - n, "%s%s", i ? ", " : "; there are ",
			 quote_text(&near, best.names[i], strlen(best.names[i])));
	}
	return -ENOENT;
}

static int pick(const struct search *s, const struct elffile *debug, uint64_t into, struct elfsymbol *found, char *why,
		size_t size)
{
	const struct match *m = &s->matches[0];
	struct quote q;

	quote_text(&q, s->wanted, s->len);
	if (!s->count)
		return refuse_none(s, debug, why, size);
	if (s->count > 1)
		return refuse_several(s, why, size);
	if (m->is_ifunc)
		return refuse(-EOPNOTSUPP, why, size, "%s of %s is chosen as the program starts (IFUNC): give the "
			      "function that is chosen, as in %.*s_avx2", q.text, s->f->path, (int)s->len, s->wanted);
	if (m->bytes && into >= m->bytes)
		return refuse(-EINVAL, why, size, "%s of %s has %" PRIu64 " bytes: give an offset that is less than "
			      "that", q.text, s->f->path, m->bytes);
	found->address = m->address + into;
	found->into = into;
	if (!elffile_offset(s->f, found->address, true, &found->offset))
		return refuse(-EINVAL, why, size, "%s+%" PRIu64 " is not in the code of %s: give a smaller offset",
			      q.text, into, s->f->path);
	return 0;
}

/* ---- the three forms ---- */

static void take_around(void *arg, const char *name, const GElf_Sym *symbol)
{
	struct elfsymbol *found = arg;

	(void)name;
	if (is_function(symbol) && symbol->st_shndx != SHN_UNDEF && found->address >= symbol->st_value &&
	    found->address - symbol->st_value < symbol->st_size)
		found->into = found->address - symbol->st_value;
}

static int find_address(const struct elffile *f, const struct elffile *debug, const char *text, struct elfsymbol *found,
			char *why, size_t size)
{
	struct quote q;

	if (!text_number(text, UINT64_MAX, false, &found->address))
		return refuse(-EINVAL, why, size, "%s is no address: give one as in 0x1139",
			      quote_text(&q, text, strlen(text)));
	if (!elffile_offset(f, found->address, true, &found->offset))
		return refuse(-EINVAL, why, size, "the address %s is not in the code of %s: give one that 'objdump -d' "
			      "or its symbol table shows", quote_text(&q, text, strlen(text)), f->path);
	found->into = 0;
	walk(f, debug, take_around, found);
	return 0;
}

/* C++ has operator+ and operator++. */
static bool is_operator(const char *text, const char *plus)
{
	size_t len = strlen("operator");

	plus -= plus > text && plus[-1] == '+';
	return (size_t)(plus - text) >= len && !strncmp(plus - len, "operator", len);
}

/* "NAME+NUMBER" */
static int split(const char *text, size_t *len, uint64_t *into, char *why, size_t size)
{
	const char *plus = strrchr(text, '+');
	struct quote q;

	*len = strlen(text);
	*into = 0;
	if (plus && !is_operator(text, plus)) {
		*len = (size_t)(plus - text);
		if (!text_number(plus + 1, INT32_MAX, false, into))
			return refuse(-EINVAL, why, size, "%s has no number of bytes behind its \"+\": give one as in "
				      "NAME+0x10", quote_text(&q, text, strlen(text)));
	}
	if (!*len)
		return refuse(-EINVAL, why, size, "%s is no name of a function: give one as in NAME, NAME+0x10 or "
			      "0x1139", quote_text(&q, text, strlen(text)));
	return 0;
}

int elfsymbol_find(const struct elffile *f, const struct elffile *debug, const char *text, struct elfsymbol *found,
		   char *why, size_t size)
{
	struct search s = { .f = f };
	uint64_t into;
	char *name;
	int err;

	if (!strncmp(text, "0x", 2))
		return find_address(f, debug, text, found, why, size);
	err = split(text, &s.len, &into, why, size);
	if (err)
		return err;
	s.wanted = name = strndup(text, s.len);
	if (!name)
		return refuse(-ENOMEM, why, size, "out of memory");
	walk(f, debug, take_match, &s);
	if (!s.count && !s.is_imported) {
		s.cpp = true;
		walk(f, debug, take_match, &s);
	}
	err = pick(&s, debug, into, found, why, size);
	for (size_t i = 0; i < s.count && i < ELFSYMBOL_MOST; i++)
		free(s.matches[i].shown);
	free(name);
	return err;
}

/* ---- names like it ---- */

struct offer {
	const char *wanted;
	struct nearest *nearest;
};

static void take_offer(void *arg, const char *name, const GElf_Sym *symbol)
{
	struct offer *o = arg;

	if (symbol->st_shndx == SHN_UNDEF || GELF_ST_TYPE(symbol->st_info) != STT_FUNC)
		return;
	for (size_t i = 0; i < o->nearest->count; i++) /* of both tables */
		if (!strcmp(o->nearest->names[i], name))
			return;
	nearest_offer(o->nearest, o->wanted, name);
}

void elfsymbol_offer(const struct elffile *f, const struct elffile *debug, const char *wanted, struct nearest *nearest)
{
	struct offer o = { wanted, nearest };

	walk(f, debug, take_offer, &o);
}
