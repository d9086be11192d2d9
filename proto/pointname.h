/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trace points as they are typed: [kind:]name[@arg[@arg2]]. For tracepoints the name is
 * group:event. Lists are separated by commas.
 */
#ifndef POINTNAME_H
#define POINTNAME_H

#include <stddef.h>

enum pointname_kind {
	POINTNAME_FUNCTION,   /* no kind given */
	POINTNAME_TRACEPOINT,
};

struct pointname {
	enum pointname_kind kind;
	char group[64];  /* tracepoints: "skb" */
	char name[128];  /* "kfree_skb", "icmp_rcv" */
	int arg;         /* @N, from 1; 0: not given */
	int arg2;        /* second @N, from 1; 0: not given */
};

/*
 * Parses one trace point. 0, or -EINVAL with a sentence in why (size bytes): what is wrong, the
 * value, what to do.
 */
int pointname_parse(const char *text, struct pointname *p, char *why, size_t size);
/* "tracepoint:skb:kfree_skb", without @N: the name that output uses. Length, or -ENOBUFS. */
int pointname_format(const struct pointname *p, char *text, size_t size);

#endif
