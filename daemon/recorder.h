/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flight recorder: the samples of what was dropped, in bounded memory that is a file (bootfile.h).
 *
 * A quarter of it is for the first sample of each (reason, location), which stays; when that is full, and for all other
 * samples, the rest is a ring in which the oldest give way. Times are nanoseconds of CLOCK_BOOTTIME.
 */
#ifndef RECORDER_H
#define RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/ledger.h"
#include "daemon/bootfile.h"
#include "daemon/sample.h"

#define RECORDER_NAME         "samples" /* in the directory of the socket */
#define RECORDER_FIRSTS_BYTES 262144
#define RECORDER_RING_BYTES   786432

/* The file. What it holds are struct recorder_entry of 8 * n bytes each, without gaps. */
struct recorder_data {
	struct bootfile_header header; /* a unit is a byte */
	uint64_t firsts_bytes;         /* in use */
	uint64_t head, tail;           /* of the ring: bytes that were ever written, and that gave way */
	uint8_t firsts[RECORDER_FIRSTS_BYTES];
	uint8_t ring[RECORDER_RING_BYTES];
};

struct recorder_entry {
	uint64_t bytes; /* of the entry; 0: the ring goes on at its start */
	struct netcap_record record; /* behind it stack_bytes of stack, then cap_len bytes of the packet */
};

struct recorder;

/* As bootfile_open(), with the same why. NULL: out of memory. */
struct recorder *recorder_new(const char *path, uint64_t now, char *why, size_t size);
/* As it is now, in memory without a file. NULL: out of memory. */
struct recorder *recorder_copy(const struct recorder *r);
/* The file stays. Takes NULL. */
void recorder_free(struct recorder *r);

/* Keeps a sample, which is as LEDGER_SAMPLE_RECORD says. What is no such record is left out. */
void recorder_add(struct recorder *r, const struct netcap_record *sample);

/*
 * Hands over the samples from since to until, both included, the oldest first, in the same form; they are valid during
 * the call. take may end it with false. Returns how many it took.
 */
size_t recorder_each(const struct recorder *r, uint64_t since, uint64_t until,
		     bool (*take)(void *arg, const struct netcap_record *sample), void *arg);

/*
 * The newest sample of drops like this key's: reason, location, netns and ifindex are the same. False: there is
 * none. Else *sample is for droplog_feed(), and points into text.
 */
bool recorder_latest(const struct recorder *r, const struct ledger_key *key, const struct symbols *symbols,
		     struct sample_text *text, struct droplog_sample *sample);

#endif
