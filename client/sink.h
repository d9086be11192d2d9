/* SPDX-License-Identifier: BSD-2-Clause */
/* Where packets go: tcpdump and the terminal, JSON lines, or a file. */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stdint.h>
#include "meta.h"
#include "options.h"
#include "pcapng.h"

/* Where an event stands among those of one packet (--group). */
struct packet_place {
	uint64_t track;    /* number of the packet */
	unsigned events;   /* of it, all of which follow one another, */
	unsigned number;   /* and which of them this is, from 1 */
	uint64_t since_ns; /* since the last one; 0: it is the first */
};

/* A packet with what is known about it. */
struct packet {
	const struct pcapng_packet *block;
	uint16_t link;    /* PCAPNG_LINK_* of its interface */
	const struct packet_place *place; /* NULL: packets come as they are captured */
	/* For sinks that want it, else only point is set, to NULL; strings live as long as the packet. */
	struct meta meta;
};

/* Blocks of other types than packets come with a NULL packet. */
struct sink {
	/* 0; or negative errno, after which the sink takes nothing more. -EPIPE: the reader of the
	 * output went away, which is no failure; for all others the sentence is printed. */
	int (*take)(struct sink *s, const struct pcapng_event *e, const struct packet *p);
	/* Nothing more to read for now: what was taken must not stay in memory. As above. */
	int (*flush)(struct sink *s);
	/* In how many milliseconds flush must be called if nothing comes; -1 or NULL: it need not. */
	int (*wait_ms)(const struct sink *s);
	/* The stream is over. As above. */
	int (*finish)(struct sink *s);
	/* Takes a half-built one; the sink is gone after it. */
	void (*free)(struct sink *s);
	bool wants_meta;  /* it looks at packets' metadata */
	uint64_t packets; /* packets printed or written */
	uint64_t skipped; /* packets that the file's format cannot hold */
};

/*
 * Each makes its sink, or prints a sentence, stores an exit code and returns NULL. None of them
 * needs the daemon, so that what is wrong shows before anything is attached.
 */
struct sink *textsink_new(const struct options *o, int *code);
struct sink *jsonsink_new(const struct options *o, int *code);
struct sink *filesink_new(const struct options *o, int *code);
/* Gives events of one packet to another sink together, which it takes over, too if it fails. NULL: as above. */
struct sink *groupsink_new(struct sink *to);

#endif
