/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program or shared object of x86-64, by descriptor. What is in it is a stranger's: every place is checked against
 * the file's size.
 */
#ifndef ELFFILE_H
#define ELFFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <gelf.h>

struct elffile {
	int fd;       /* owned; read only */
	char *path;   /* owned; as the target sees it, for sentences */
	Elf *elf;     /* owned */
	uint64_t size; /* of the file */
};

/* The bytes of a section as they are in the file; not owned, gone with the file. */
struct elffile_bytes {
	const uint8_t *bytes;
	size_t size;
	uint64_t address;
};

/*
 * Opens a path below the directory root, as a process sees it whose root that is: symbolic links in it do not lead out.
 * -1: the caller's own root. O_RDONLY, O_CLOEXEC, regular files only. The descriptor, or negative errno.
 */
int elffile_open_path(int root, const char *path);
/*
 * Takes over fd, and closes it if it fails. 0, or -EINVAL: no program or shared object of x86-64, -ENOMEM, with a
 * sentence in why (size bytes).
 */
int elffile_take(struct elffile *f, int fd, const char *path, char *why, size_t size);
/* The two together. Negative errno as above, with a sentence. */
int elffile_open(struct elffile *f, int root, const char *path, char *why, size_t size);
/* The same of a file that has only data for others, as debug files: nothing of it need be loaded by a program. */
int elffile_open_data(struct elffile *f, int root, const char *path, char *why, size_t size);
/* Takes one that is closed or zeroed, too. */
void elffile_close(struct elffile *f);

/*
 * Where in the file a byte is that is loaded to this address (PT_LOAD); executable: only if it may be executed there.
 * False: it is nowhere in the file.
 */
bool elffile_offset(const struct elffile *f, uint64_t address, bool executable, uint64_t *offset);
/* A section by its name, with bytes in the file, 0 too. False: there is none. */
bool elffile_section(const struct elffile *f, const char *name, struct elffile_bytes *b);
/* The first section of this type (SHT_...), with its header. NULL: there is none. */
Elf_Scn *elffile_section_of_type(const struct elffile *f, uint32_t type, GElf_Shdr *header);
/* The build-id (NT_GNU_BUILD_ID), len bytes. NULL: it has none. */
const uint8_t *elffile_build_id(const struct elffile *f, size_t *len);

#endif
