/* SPDX-License-Identifier: BSD-2-Clause */
#include "elffile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SEGMENTS_MOST 4096 /* of hostile files; the linker makes a dozen */

static int __attribute__((format(printf, 3, 4))) refuse(char *why, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return -EINVAL;
}

/* ---- opening ---- */

int elffile_open_path(int root, const char *path)
{
	/* O_NONBLOCK: a FIFO must not keep us waiting */
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };
	struct stat st;
	int fd, err = 0;

	if (root < 0)
		fd = open(path, (int)how.flags);
	else {
		how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int check_header(const struct elffile *f, char *why, size_t size)
{
	const char *ident = elf_getident(f->elf, NULL);
	GElf_Ehdr header;

	if (elf_kind(f->elf) != ELF_K_ELF || !ident)
		return refuse(why, size, "%s is no ELF file: give a program or a shared object, and not a script that "
			      "starts one", f->path);
	if (ident[EI_CLASS] == ELFCLASS32)
		return refuse(why, size, "%s is a 32-bit program, and only 64-bit ones can be traced: use its 64-bit "
			      "build", f->path);
	if (ident[EI_CLASS] != ELFCLASS64 || !gelf_getehdr(f->elf, &header))
		return refuse(why, size, "%s has an ELF header that is cut short: install it anew", f->path);
	if (ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64)
		return refuse(why, size, "%s is for another machine (ELF number %u), and only programs for x86-64 can "
			      "be traced: use its x86-64 build", f->path, header.e_machine);
	return 0;
}

static bool has_segments(const struct elffile *f)
{
	size_t count;
	GElf_Phdr segment;

	if (elf_getphdrnum(f->elf, &count) || count > SEGMENTS_MOST)
		return false;
	for (size_t i = 0; i < count; i++)
		if (gelf_getphdr(f->elf, (int)i, &segment) && segment.p_type == PT_LOAD)
			return true;
	return false;
}

static int check_program(const struct elffile *f, char *why, size_t size)
{
	GElf_Ehdr header;

	gelf_getehdr(f->elf, &header);
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return refuse(why, size, "%s is neither a program nor a shared object (ELF type %u): give what it is "
			      "linked into", f->path, header.e_type);
	if (!has_segments(f))
		return refuse(why, size, "%s has no part that is loaded into memory: give a program or a shared object",
			      f->path);
	return 0;
}

static int take(struct elffile *f, int fd, const char *path, char *why, size_t size)
{
	struct stat st;
	int err;

	*f = (struct elffile){ .fd = fd, .path = strdup(path) };
	if (!f->path || fstat(fd, &st) || elf_version(EV_CURRENT) == EV_NONE) {
		refuse(why, size, "%s cannot be read: out of memory", path);
		elffile_close(f);
		return -ENOMEM;
	}
	f->size = (uint64_t)st.st_size;
	f->elf = elf_begin(fd, ELF_C_READ, NULL);
	err = f->elf ? check_header(f, why, size) :
		       refuse(why, size, "%s cannot be read as an ELF file: %s", path, elf_errmsg(-1));
	if (err)
		elffile_close(f);
	return err;
}

int elffile_take(struct elffile *f, int fd, const char *path, char *why, size_t size)
{
	int err = take(f, fd, path, why, size);

	if (!err)
		err = check_program(f, why, size);
	if (err)
		elffile_close(f);
	return err;
}

int elffile_open_data(struct elffile *f, int root, const char *path, char *why, size_t size)
{
	int fd = elffile_open_path(root, path);

	*f = (struct elffile){ .fd = -1 };
	if (fd >= 0)
		return take(f, fd, path, why, size);
	if (fd == -EINVAL)
		refuse(why, size, "%s is no regular file: give a program or a shared object", path);
	else
		refuse(why, size, "%s cannot be opened: %s", path, strerror(-fd));
	return fd;
}

int elffile_open(struct elffile *f, int root, const char *path, char *why, size_t size)
{
	int err = elffile_open_data(f, root, path, why, size);

	if (!err)
		err = check_program(f, why, size);
	if (err)
		elffile_close(f);
	return err;
}

void elffile_close(struct elffile *f)
{
	if (f->elf)
		elf_end(f->elf);
	if (f->fd > 0 || (f->fd == 0 && f->path)) /* 0 in one that is zeroed is no descriptor */
		close(f->fd);
	free(f->path);
	*f = (struct elffile){ .fd = -1 };
}

/* ---- places ---- */

bool elffile_offset(const struct elffile *f, uint64_t address, bool executable, uint64_t *offset)
{
	GElf_Phdr s;
	size_t count;

	if (elf_getphdrnum(f->elf, &count) || count > SEGMENTS_MOST)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(f->elf, (int)i, &s) || s.p_type != PT_LOAD || (executable && !(s.p_flags & PF_X)))
			continue;
		if (address < s.p_vaddr || address - s.p_vaddr >= s.p_filesz)
			continue;
		if (s.p_offset >= f->size || address - s.p_vaddr >= f->size - s.p_offset)
			continue;
		*offset = s.p_offset + (address - s.p_vaddr);
		return true;
	}
	return false;
}

static bool take_bytes(Elf_Scn *section, const GElf_Shdr *header, struct elffile_bytes *b)
{
	Elf_Data *data = header->sh_type == SHT_NOBITS ? NULL : elf_rawdata(section, NULL);

	if (!data || (!data->d_buf && data->d_size))
		return false;
	*b = (struct elffile_bytes){ data->d_size ? data->d_buf : "", data->d_size, header->sh_addr };
	return true;
}

bool elffile_section(const struct elffile *f, const char *name, struct elffile_bytes *b)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(f->elf, &names))
		return false;
	while ((section = elf_nextscn(f->elf, section))) {
		const char *called = gelf_getshdr(section, &header) ? elf_strptr(f->elf, names, header.sh_name) : NULL;

		if (called && !strcmp(called, name) && take_bytes(section, &header, b))
			return true;
	}
	return false;
}

Elf_Scn *elffile_section_of_type(const struct elffile *f, uint32_t type, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(f->elf, section)))
		if (gelf_getshdr(section, header) && header->sh_type == type)
			return section;
	return NULL;
}

/* ---- its identity ---- */

static const uint8_t *find_build_id(Elf_Data *data, size_t *len)
{
	GElf_Nhdr note;
	size_t at = 0, next, name, desc;

	while ((next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
		    !memcmp((const char *)data->d_buf + name, "GNU", sizeof("GNU"))) {
			*len = note.n_descsz;
			return (const uint8_t *)data->d_buf + desc;
		}
		at = next;
	}
	return NULL;
}

const uint8_t *elffile_build_id(const struct elffile *f, size_t *len)
{
	Elf_Scn *section = NULL;
	const uint8_t *id = NULL;
	GElf_Shdr header;

	while (!id && (section = elf_nextscn(f->elf, section))) {
		Elf_Data *data = gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE ?
			elf_getdata(section, NULL) : NULL;

		if (data && data->d_buf)
			id = find_build_id(data, len);
	}
	return id;
}
