/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface blocks of the data stream so far: what packets refer to by index. */
#ifndef INTERFACES_H
#define INTERFACES_H

#include <stddef.h>
#include <stdint.h>
#include "pcapng.h"
#include "sink.h"

struct interfaces {
	struct interfaces_entry *entries; /* owned */
	size_t count;
};

/* Takes a copy of what is needed. 0 or -ENOMEM. */
int interfaces_add(struct interfaces *all, const struct pcapng_interface *i);
/* PCAPNG_LINK_* of an interface; PCAPNG_LINK_USER0 for one that is not known. */
uint16_t interfaces_link(const struct interfaces *all, uint32_t index);
/* Its trace point, or "?". Lives as long as the collection. */
const char *interfaces_description(const struct interfaces *all, uint32_t index);
/*
 * Makes a packet of a block, which it points to. store (META_TEXT_MAX bytes) is for the strings of its metadata;
 * NULL: that is not wanted.
 */
void interfaces_packet(const struct interfaces *all, const struct pcapng_packet *block, char *store,
		       struct packet *p);
void interfaces_clear(struct interfaces *all);

#endif
