/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is a mapped file, so that it is always current and outlives the daemon, however that ends. It does not
 * outlive the boot: addresses and CLOCK_BOOTTIME begin anew.
 */
#ifndef BOOTFILE_H
#define BOOTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOTFILE_BOOT_BYTES 40

/* What the memory begins with. */
struct bootfile_header {
	char magic[8];
	uint32_t version;
	uint32_t unit_bytes; /* of what it holds: as the kind says */
	uint32_t units;
	char boot[BOOTFILE_BOOT_BYTES]; /* /proc/sys/kernel/random/boot_id */
};

/* One kind of such a file. */
struct bootfile_kind {
	char magic[9];
	uint32_t version, unit_bytes, units;
	size_t bytes;     /* all of it, with the header */
	const char *name; /* "drop history", in sentences */
	/* Writes what empty memory has beside the header, if that is not all 0. now: CLOCK_BOOTTIME, nanoseconds. */
	void (*begin)(void *data, uint64_t now);
	/* Whether all behind the header of a file of this boot may be used. */
	bool (*check)(const void *data, uint64_t now);
};

struct bootfile {
	void *data;   /* mapped */
	size_t bytes; /* of data */
	int fd;       /* locked; -1: memory without a file */
};

/*
 * Opens the file at path, or makes it; now: nanoseconds of CLOCK_BOOTTIME. What is there and is not of this
 * boot is emptied; what is no such file is set aside as path.bad, which is logged. When there can be no
 * file, or path is NULL, it is memory that ends with the daemon; why (size bytes) then says why, else it is
 * "". 0 or -ENOMEM.
 */
int bootfile_open(struct bootfile *f, const struct bootfile_kind *kind, const char *path, uint64_t now, char *why,
		  size_t size);
/* Takes one that was moved, whose fd is -1. */
void bootfile_close(struct bootfile *f);

#endif
