/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts the events of a session that gathers together: the ways of packets through its trace points, from the first
 * record until the packet is gone, was not seen for a while, or had to make room. Each event costs the same, however
 * many ways are open.
 */
#ifndef GATHER_H
#define GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bpf/record.h"
#include "journey.h"

#define GATHER_BYTES_MOST (64 << 20) /* of all open ways of a session */
#define GATHER_WAY_BYTES  1024       /* what a way takes, beside its packet's bytes */

/* A packet was seen at a trace point. */
struct gather_step {
	struct netcap_step event; /* without its stack */
	uint64_t *stack;          /* owned, event.stack_bytes of it; NULL: none */
	uint64_t back_ns;         /* when the function returned, CLOCK_MONOTONIC; 0: it is none, or was not seen to */
	uint64_t value;           /* what it returned */
};

/* When it was, CLOCK_MONOTONIC: of a function when it returned, if that was seen. */
static inline uint64_t gather_step_ns(const struct gather_step *s)
{
	return s->back_ns ? s->back_ns : s->event.time_ns;
}

/* A packet and its way. */
struct gather_packet {
	TAILQ_ENTRY(gather_packet) age;
	LIST_ENTRY(gather_packet) bucket;
	uint64_t number;   /* 0: it is not followed, and has this one step */
	uint64_t seen_ns;  /* last; CLOCK_MONOTONIC */
	uint64_t lost;     /* the session's count of lost steps before it began */
	enum journey_end end;
	uint64_t visited;  /* a bit for each trace point that it was at, kept as a step or not */
	bool freed;        /* as soon as its functions have returned, it is over */
	bool unsure;       /* steps may be missing, since records were lost */
	unsigned calls;    /* steps whose function has not returned */
	unsigned count;
	unsigned size;
	uint64_t more;     /* steps that were not kept */
	struct gather_step *steps; /* owned; in the order of time when it is over */
	size_t bytes;      /* of all of it */
	struct netcap_record record; /* the last member: the first event, as it came, with its stack and bytes */
};

struct gather;
struct spec;

struct gather_callbacks {
	/* A way is over. The packet is gone after it. */
	void (*over)(void *arg, struct gather_packet *p);
	/* An event of a packet that has no open way: it is lost. first: it was the packet's first record. */
	void (*unplaced)(void *arg, uint32_t point, bool first);
	/* One of a packet that has too many steps: its way only counts it. */
	void (*not_kept)(void *arg, uint32_t point);
	/* A first record of a packet that had one already: it is a step. */
	void (*surplus)(void *arg);
};

struct gather_counts {
	uint64_t begun;    /* packets */
	uint64_t open;
	uint64_t evicted;
	uint64_t unplaced; /* events */
};

/*
 * size: ways that are open at a time. timeout_ns: how long a packet may not be seen. lost: the session's count of lost
 * steps, in its control page. NULL: out of memory.
 */
struct gather *gather_new(size_t size, uint64_t timeout_ns, const __u64 *lost,
			  const struct gather_callbacks *callbacks, void *arg);
/* Ways that are open go without a word. Takes NULL. */
void gather_free(struct gather *g);
/* The first record of a packet, of len bytes. */
void gather_record(struct gather *g, const struct netcap_record *r, size_t len);
/* It was seen again. len: bytes, with the stack. */
void gather_step(struct gather *g, const struct netcap_step *s, size_t len);
/* It was slow, and had been at these trace points before. */
void gather_history(struct gather *g, const struct netcap_history *h);
void gather_return(struct gather *g, const struct netcap_return *back);
/* All of it is freed. */
void gather_freed(struct gather *g, const struct netcap_end *end);
/* Ends the way of one packet that was not seen for the timeout, as of now_ns. False: there is none. */
bool gather_expire(struct gather *g, uint64_t now_ns);
/* Nothing is left to read of what happened until the session had lost so many steps. */
void gather_caught_up(struct gather *g, uint64_t lost);
/* When the next one is to be ended so, CLOCK_MONOTONIC; 0: none is open. */
uint64_t gather_due_ns(const struct gather *g);
/* Ends the oldest way that is open, at the end of a session. False: there is none. */
bool gather_drain(struct gather *g);
/* Bytes that the open ways of such a session take at most. */
uint64_t gather_most_bytes(const struct spec *spec);
void gather_counts(const struct gather *g, struct gather_counts *counts);

#endif
