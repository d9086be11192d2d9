/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of the drop history: a file that is mapped (bootfile.h). */
#ifndef HISTORYFILE_H
#define HISTORYFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/ledger.h"
#include "daemon/bootfile.h"

#define HISTORYFILE_NAME       "ledger" /* in the directory of the socket */
#define HISTORYFILE_ROWS       1024
#define HISTORYFILE_TEXT_BYTES 64

/* Time is kept in three rings of bins: 120 seconds, 180 minutes, 48 hours. */
#define HISTORYFILE_SECONDS 120
#define HISTORYFILE_MINUTES 180
#define HISTORYFILE_HOURS   48
#define HISTORYFILE_BINS    (HISTORYFILE_SECONDS + HISTORYFILE_MINUTES + HISTORYFILE_HOURS)

/* Drops of one kind. Times are nanoseconds of CLOCK_BOOTTIME. */
struct historyfile_row {
	struct ledger_key key; /* generation is 0 */
	uint64_t packets, bytes;
	uint64_t first, last;
	uint64_t second;       /* the bins' present, in seconds */
	char location[HISTORYFILE_TEXT_BYTES]; /* function+0xoffset; "": not known yet */
	char reason[HISTORYFILE_TEXT_BYTES];   /* the name; "": not known yet, or there is none */
	char device[LEDGER_NAME_LEN];          /* "": none, or not known */
	uint64_t bin_bytes[HISTORYFILE_BINS];
	uint32_t bin_packets[HISTORYFILE_BINS]; /* stay at 4,294,967,295 when there are more */
};

struct historyfile_data {
	struct bootfile_header header; /* units are rows */
	uint64_t began; /* nanoseconds of CLOCK_BOOTTIME */
	uint64_t count; /* rows in use, from the first */
	struct historyfile_row overflow; /* drops of kinds that have no row (any more) */
	struct historyfile_row row[HISTORYFILE_ROWS];
};

struct historyfile {
	struct bootfile file;          /* owned */
	struct historyfile_data *data; /* in it */
};

/* As bootfile_open(). */
int historyfile_open(struct historyfile *f, const char *path, uint64_t now, char *why, size_t size);
void historyfile_close(struct historyfile *f);
#endif
