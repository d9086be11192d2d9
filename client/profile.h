/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A profile: a file that names the trace points that packets of one kind pass, in that order.
 *
 *     # the first comment says what it is for
 *     tracepoint:net:netif_receive_skb    # a trace point a line, as -f takes it
 *     ip_rcv_core | ip_rcv                # the first that this kernel has
 *     ?icmp_echo                          # used where there is one
 */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#define PROFILE_FILE_BYTES 65536
#define PROFILE_LINE_BYTES 512

struct profile_point {
	char *text;    /* owned; as in pointchoice.h */
	char *comment; /* owned; the lines above it and what stands behind it, NULL: none */
	unsigned line; /* of the file, from 1 */
};

struct profile {
	char *description; /* owned; one line, NULL: none */
	char *notes;       /* owned; the comment below it up to the first empty line, NULL: none */
	struct profile_point *points; /* owned; at least one, LIMIT_POINTS at most */
	size_t count;
};

/*
 * Reads len bytes of text. 0, or -EINVAL with the line in *line (0: the whole text) and a sentence in why (size
 * bytes), or -ENOMEM. profile_clear() is needed in either case.
 */
int profile_parse(struct profile *p, const char *text, size_t len, unsigned *line, char *why, size_t size);
/* The same with a file. Other errors that open(2) and read(2) have leave why empty. */
int profile_read(struct profile *p, const char *path, unsigned *line, char *why, size_t size);
void profile_clear(struct profile *p);

#endif
