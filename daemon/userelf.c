/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gelf.h>

#include "bpf/user_abi.h"
#include "daemon/userelf.h"

struct job {
	Elf *elf;
	size_t names;
	struct userelf *out;
	char *why;
	size_t size;
};

static int __attribute__((format(printf, 2, 3))) refuse(const struct job *j, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(j->why, j->size, format, args);
	va_end(args);
	return -EINVAL;
}

static const char *section_name(const struct job *j, Elf_Scn *section, GElf_Shdr *header)
{
	const char *name = section && gelf_getshdr(section, header) ? elf_strptr(j->elf, j->names, header->sh_name) : NULL;

	return name ? name : "";
}

static int take_formats(const struct job *j, Elf_Scn *section)
{
	Elf_Data *data = elf_getdata(section, NULL);

	if (j->out->formats)
		return 0;
	if (!data || !data->d_buf)
		return refuse(j, "the object is damaged: its section " NETCAP_USER_FORMATS " is empty");
	j->out->formats = strndup(data->d_buf, data->d_size);
	return j->out->formats ? 0 : -ENOMEM;
}

static int take_ext(const struct job *j, Elf_Scn *section)
{
	Elf_Data *data = elf_getdata(section, NULL);

	if (j->out->ext || !data || !data->d_buf)
		return refuse(j, "the object is damaged: its section .BTF.ext is empty, or not the only one");
	j->out->ext = malloc(data->d_size);
	if (!j->out->ext)
		return -ENOMEM;
	memcpy(j->out->ext, data->d_buf, data->d_size);
	j->out->ext_bytes = data->d_size;
	return 0;
}

/* libbpf leaves such addresses 0, and says nothing. */
static int check_relocations(const struct job *j, const GElf_Shdr *relocations)
{
	GElf_Shdr header;
	const char *name = section_name(j, elf_getscn(j->elf, relocations->sh_info), &header);

	if (strncmp(name, ".rodata", 7) && strncmp(name, ".data", 5))
		return 0;
	return refuse(j, "a table outside of its functions has addresses in it, which are not known in the kernel: use "
		      "numbers, or texts of a fixed length, as in static const char names[][8]");
}

/* What libbpf would make maps of, and some of it without care. */
static bool is_foreign(const char *name)
{
	return !strncmp(name, ".struct_ops", 11) || !strcmp(name, ".maps") || !strcmp(name, "maps");
}

static int look_through(struct job *j)
{
	Elf_Scn *section = NULL;
	int r = 0;

	if (elf_getshdrstrndx(j->elf, &j->names))
		return refuse(j, "the object is damaged: %s", elf_errmsg(-1));
	while (!r && (section = elf_nextscn(j->elf, section))) {
		GElf_Shdr header;
		const char *name = section_name(j, section, &header);

		if (is_foreign(name))
			r = refuse(j, "the object has a section %s, as maps and parts of the kernel have: user code has no "
				      "such data; use local variables", name);
		else if (!strcmp(name, NETCAP_USER_FORMATS))
			r = take_formats(j, section);
		else if (!strcmp(name, ".BTF.ext"))
			r = take_ext(j, section);
		else if (*name && (header.sh_type == SHT_REL || header.sh_type == SHT_RELA))
			r = check_relocations(j, &header);
	}
	return r;
}

int userelf_read(const void *object, size_t bytes, struct userelf *out, char *why, size_t size)
{
	struct job j = { .out = out, .why = why, .size = size };
	GElf_Ehdr header;
	int r;

	memset(out, 0, sizeof(*out));
	elf_version(EV_CURRENT);
	j.elf = elf_memory((char *)object, bytes);
	if (!j.elf || !gelf_getehdr(j.elf, &header) || header.e_machine != EM_BPF || header.e_type != ET_REL ||
	    gelf_getclass(j.elf) != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		r = refuse(&j, "this is no object of netcapctl compile: it is no ELF file for BPF");
	else
		r = look_through(&j);
	elf_end(j.elf);
	return r;
}

void userelf_clear(struct userelf *u)
{
	free(u->formats);
	free(u->ext);
	memset(u, 0, sizeof(*u));
}
