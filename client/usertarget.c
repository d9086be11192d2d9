/* SPDX-License-Identifier: BSD-2-Clause */
#include "usertarget.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfdebug.h"
#include "mbufdwarf.h"
#include "mbuffind.h"

/* ---- its files ---- */

static int out_of_memory(struct usertarget *t, char *why, size_t size)
{
	usertarget_close(t);
	snprintf(why, size, "out of memory");
	return -ENOMEM;
}

int usertarget_open_process(struct usertarget *t, pid_t pid, char *why, size_t size)
{
	int err;

	*t = (struct usertarget){ .process.root = -1 };
	err = process_open(&t->process, pid, why, size);
	if (err)
		return err;
	t->files = calloc(t->process.count, sizeof(*t->files));
	if (!t->files)
		return out_of_memory(t, why, size);
	for (size_t i = 0; i < t->process.count; i++) {
		t->files[i] = (struct usertarget_file){ .path = strdup(t->process.files[i].path),
							.mapped = &t->process.files[i] };
		t->count++;
		if (!t->files[i].path)
			return out_of_memory(t, why, size);
	}
	return 0;
}

int usertarget_open_file(struct usertarget *t, const char *path, char *why, size_t size)
{
	char *real = realpath(path, NULL);
	int err;

	*t = (struct usertarget){ .process.root = -1 };
	if (!real) {
		err = -errno;
		snprintf(why, size, "%s cannot be opened: %s", path, strerror(errno));
		return err;
	}
	t->files = calloc(1, sizeof(*t->files));
	if (!t->files) {
		free(real);
		return out_of_memory(t, why, size);
	}
	t->files[0].path = real;
	t->count = 1;
	err = usertarget_file(t, &t->files[0], why, size);
	if (err)
		usertarget_close(t);
	return err;
}

void usertarget_close(struct usertarget *t)
{
	for (size_t i = 0; i < t->count; i++) {
		elffile_close(&t->files[i].elf);
		elffile_close(&t->files[i].debug);
		free(t->files[i].path);
	}
	free(t->files);
	process_close(&t->process);
	*t = (struct usertarget){ .process.root = -1 };
}

int usertarget_file(struct usertarget *t, struct usertarget_file *file, char *why, size_t size)
{
	int err;

	if (file->state == USERTARGET_OPEN)
		return 0;
	if (file->mapped)
		err = process_open_file(&t->process, file->mapped, &file->elf, why, size);
	else
		err = elffile_open(&file->elf, -1, file->path, why, size);
	file->state = err ? USERTARGET_FAILED : USERTARGET_OPEN;
	return err;
}

const struct elffile *usertarget_debug(struct usertarget *t, struct usertarget_file *file)
{
	char note[sizeof(file->debug_note)];

	if (file->state != USERTARGET_OPEN)
		return NULL;
	if (!file->debug_tried &&
	    elfdebug_open(&file->debug, &file->elf, t->process.root, file->debug_note, sizeof(file->debug_note)) &&
	    t->process.root >= 0) /* of a container; debug symbols may be on the host only */
		elfdebug_open(&file->debug, &file->elf, -1, note, sizeof(note));
	file->debug_tried = true;
	return file->debug.elf ? &file->debug : NULL;
}

/* ---- layout of mbufs ---- */

/* Files that may know it; others may have gigabytes of DWARF. */
static bool may_know(const struct usertarget *t, const struct usertarget_file *file, const char *hint)
{
	const char *slash = strrchr(file->path, '/'), *base = slash ? slash + 1 : file->path;

	return file == t->files || (hint && !strcmp(file->path, hint)) || strstr(base, "rte_") || strstr(base, "dpdk");
}

static bool by_types(struct usertarget *t, struct usertarget_file *file, struct mbuf_layout *l, char *from, size_t size)
{
	const struct elffile *debug = usertarget_debug(t, file), *f = &file->elf;

	if (mbufdwarf_find(f, t->process.root, l) || (debug && mbufdwarf_find(debug, t->process.root, l))) {
		snprintf(from, size, "DWARF of %s", file->path);
		return true;
	}
	if (mbuffind_by_btf(f, l) || (debug && mbuffind_by_btf(debug, l))) {
		snprintf(from, size, "BTF of %s", file->path);
		return true;
	}
	return false;
}

static int by_version(unsigned abi, const char *path, struct mbuf_layout *l, char *from, size_t size, char *why,
		      size_t why_size)
{
	const char *versions;

	if (mbuffind_by_abi(abi, l, &versions)) {
		snprintf(from, size, "the version of DPDK, %s, by %s", versions, path);
		return 0;
	}
	snprintf(why, why_size, "%s is of a version of DPDK whose struct rte_mbuf is not known here (ABI %u): install "
		 "its debug symbols, or give --mbuf-layout", path, abi);
	return -ENOENT;
}

int usertarget_mbuf_layout(struct usertarget *t, const char *hint, struct mbuf_layout *l, char *from, size_t size,
			   char *why, size_t why_size)
{
	unsigned abi;

	for (size_t i = 0; i < t->count; i++)
		if (may_know(t, &t->files[i], hint) && !usertarget_file(t, &t->files[i], why, why_size) &&
		    by_types(t, &t->files[i], l, from, size))
			return 0;
	for (size_t i = 0; i < t->count; i++)
		if ((abi = mbuffind_abi_of_name(t->files[i].path)))
			return by_version(abi, t->files[i].path, l, from, size, why, why_size);
	for (size_t i = 0; i < t->count; i++)
		if (may_know(t, &t->files[i], hint) && !usertarget_file(t, &t->files[i], why, why_size) &&
		    (abi = mbuffind_abi_of_file(&t->files[i].elf)))
			return by_version(abi, t->files[i].path, l, from, size, why, why_size);
	snprintf(why, why_size, "nothing in %s says where the members of struct rte_mbuf are: it has neither debug "
		 "symbols nor BTF, and names no version of DPDK; install its debug symbols, or give --mbuf-layout",
		 t->files[0].path);
	return -ENOENT;
}
