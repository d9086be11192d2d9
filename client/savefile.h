/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture file that is well formed at any moment that it could be looked at: records are added
 * whole, and when the disk is full the file is cut back to the last whole one.
 */
#ifndef SAVEFILE_H
#define SAVEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"

struct savefile {
	int fd;              /* owned unless standard output; -1: none */
	char *path;          /* owned */
	bool pcap;           /* classic pcap, else pcapng */
	bool regular;        /* a regular file, which can be cut */
	bool created;        /* it did not exist before */
	bool begun;          /* something was added: what was in the file before is gone */
	struct buf pending;  /* whole records, not written yet */
	uint64_t bytes;      /* written; ends at a record */
	uint64_t packets;    /* written, in the file */
	uint64_t waiting;    /* packets in pending */
};

/*
 * Opens path ("-": standard output) for writing, mode 0600 if it does not exist, without touching
 * what is in it: that goes when the first record comes. 0 or negative errno.
 */
int savefile_open(struct savefile *f, const char *path, bool pcap);
/* The same for a file that must be new; one of that name is replaced. */
int savefile_create(struct savefile *f, const char *path, bool pcap);
/*
 * Adds one whole record (a block, a file header, a packet with its header). 0 or negative errno:
 * then the file holds f->packets packets, and nothing more may be added.
 */
int savefile_add(struct savefile *f, const void *record, size_t len, bool packet);
/* Writes what is pending. As above. */
int savefile_flush(struct savefile *f);
/* Closes it, without a flush. What savefile_open() created is removed if it is still empty. */
void savefile_close(struct savefile *f);

/*
 * Copies records of the file at path: all packets but the first skip ones, and, with others, those
 * that are no packets except the section and interface blocks or the file header. 0 or negative
 * errno; -EBADMSG: the file is not what was written.
 */
int savefile_copy(struct savefile *to, const char *path, uint64_t skip, bool others);

#endif
