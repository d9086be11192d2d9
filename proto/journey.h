/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of one packet through the trace points of a session that gathers, and its text form: the second comment of
 * the packet's block, which is written when the way is over. Made of fieldtext.h's words:
 *
 *     journey=END           why it is over (enum journey_end)
 *     step=POINT,NS,CPU     for each time that it was seen, in the order of time: where, nanoseconds since the first
 *         *(,NAME:VALUE)    time, and on which CPU; and what else is known (docs/protocol.md). Of dev, ifindex,
 *                           netns, pid and skb only what is not as in the step before
 *     stack=FRAME,FRAME     behind the step that it is of
 *     more=N                so many steps were seen that are not kept
 *     missing=POINT,POINT   trace points of the session that it was not seen at
 *     unsure=1              records were lost meanwhile, so it may have been seen there
 */
#ifndef JOURNEY_H
#define JOURNEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNEY_POINTS_MOST 64    /* trace points of a session that gathers */
#define JOURNEY_STEPS_MOST  128   /* kept of one packet */
#define JOURNEY_FRAMES_MOST 4096  /* of all its stacks */
#define JOURNEY_TEXT_MAX    65536 /* bytes, NUL included: what a pcapng option holds */

enum journey_end {
	JOURNEY_FREED,   /* the packet and all of its copies are freed */
	JOURNEY_IDLE,    /* it was not seen for as long as the session waits */
	JOURNEY_EVICTED, /* room was needed for others */
	JOURNEY_STOPPED, /* the session ended */
	JOURNEY_ENDS
};

/* Strings are NULL and numbers 0 where there is nothing to say. */
struct journey_step {
	const char *point;
	uint64_t since_ns;    /* since the first step */
	uint32_t cpu;
	uint32_t ifindex;
	uint32_t netns;
	uint32_t pid;
	const char *dev;
	const char *reason;   /* as in meta.h, like the others */
	const char *location;
	const char *ret;
	uint64_t took_ns;
	uint64_t skb;         /* which of the packet's sk_buffs */
	unsigned frames;      /* of its stack, */
	unsigned first_frame; /* which begins there in journey.frames */
};

struct journey {
	enum journey_end end;
	bool unsure;
	uint64_t more;
	unsigned count;
	struct journey_step steps[JOURNEY_STEPS_MOST];
	unsigned missing_count;
	const char *missing[JOURNEY_POINTS_MOST];
	unsigned frame_count;
	const char *frames[JOURNEY_FRAMES_MOST];
};

/* "freed", "idle", "evicted" or "stopped". */
const char *journey_end_name(enum journey_end end);
/* Empties it. */
void journey_clear(struct journey *j);
/*
 * Writes it into text, of JOURNEY_TEXT_MAX bytes. Stacks that there is no room for are left out, and then the last
 * steps, which count as more. The length.
 */
int journey_format(const struct journey *j, char *text);
/*
 * Reads what journey_format() wrote. Strings point into store, of JOURNEY_TEXT_MAX bytes, which must live as long as
 * j. 0 or -EBADMSG.
 */
int journey_parse(struct journey *j, const char *text, size_t len, char *store);

#endif
