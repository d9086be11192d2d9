/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes that a program's author has put into it (USDT, sys/sdt.h): a note of owner "stapsdt" and type 3 for each
 * place, with the addresses of the place, of .stapsdt.base and of a semaphore, and three texts: provider, name,
 * arguments (<https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation>). All of it is a stranger's.
 */
#ifndef USDT_H
#define USDT_H

#include "daemon/nearest.h"
#include "elffile.h"
#include "sdtarg.h"

#define USDT_PLACES_MOST 128 /* of one probe; the compiler makes one for each copy of the code around it */

/* One place of a probe. The texts live as long as the file. */
struct usdt_place {
	const char *provider, *name, *args;
	uint64_t address;
	uint64_t offset;    /* in the file */
	uint64_t semaphore; /* in the file; 0: it has none */
};

struct usdt_places {
	size_t count;
	struct usdt_place items[USDT_PLACES_MOST];
};

/*
 * All places of one probe; provider NULL: whichever has it. 0, or a sentence in why (size bytes) with -ENOENT: no such
 * probe, -ENOTUNIQ: several providers have it, which the sentence lists, -E2BIG: more places than can be traced,
 * -EINVAL: its note is damaged.
 */
int usdt_find(const struct elffile *f, const char *provider, const char *name, struct usdt_places *places, char *why,
	      size_t size);
/* Argument n, from 1, of a place. 0, or -EINVAL with a sentence: there is none, or it cannot be read. */
int usdt_argument(const struct usdt_place *place, unsigned n, char text[SDTARG_TEXT_BYTES], char *why, size_t size);
/* Offers the names of all probes; they live as long as the file. */
void usdt_offer(const struct elffile *f, const char *wanted, struct nearest *nearest);
/* Calls take for each place, in the order of the file, until it returns true; damaged notes are left out. */
void usdt_each(const struct elffile *f, bool (*take)(void *arg, const struct usdt_place *place), void *arg);

#endif
