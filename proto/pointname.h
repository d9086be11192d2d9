/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trace points as they are typed:
 *
 *     tracepoint:GROUP:EVENT           [kind:][MODULE:]FUNCTION, kind is kprobe, fentry or fexit
 *     kind:[ID:]PROGRAM, a BPF program, kind is prog or progexit
 *     xdp: and one of the last two: its packets are those of XDP, whatever the others' are
 *     memory:[kind:][OBJECT:]FUNCTION or memory:usdt:[PROVIDER:]PROBE in user space; memory is mbuf, for packets in DPDK's
 *     mbufs, or raw, for plain bytes; kind is uprobe or uretprobe
 *
 * each with [@arg[@arg2]] behind. Names in the kernel may be patterns of glob(7); "all" stands for "*". A function in user
 * space may also be SYMBOL+0xOFFSET or an address, 0x.... Lists are separated by commas.
 */
#ifndef POINTNAME_H
#define POINTNAME_H

#include <stdbool.h>
#include <stddef.h>

enum pointname_kind {
	POINTNAME_FUNCTION,   /* its entry, in whatever way is best */
	POINTNAME_TRACEPOINT,
	POINTNAME_KPROBE,     /* its entry, by kprobe or kprobe.multi */
	POINTNAME_FENTRY,     /* its entry, by fentry */
	POINTNAME_FEXIT,      /* its return, by fexit */
	POINTNAME_PROG,       /* a BPF program's entry */
	POINTNAME_PROGEXIT,   /* its return */
	POINTNAME_UPROBE,     /* the entry of a function in user space */
	POINTNAME_URETPROBE,  /* its return */
	POINTNAME_USDT,       /* a probe that is built into a program (sys/sdt.h) */
};

/* Which packets the prefix says that there are. */
enum pointname_packets {
	POINTNAME_AS_SESSION, /* there is none */
	POINTNAME_XDP,
	POINTNAME_MBUF,
	POINTNAME_RAW,
};

struct pointname {
	enum pointname_kind kind;
	char group[64];  /* tracepoints: "skb"; functions: the module or object, programs: the id, USDT: the provider; or "" */
	char name[192];  /* "kfree_skb", "icmp_rcv" */
	enum pointname_packets packets;
	int arg;         /* @N, from 1; 0: not given */
	int arg2;        /* second @N, from 1; 0: not given */
};

/*
 * Parses one trace point. 0, or -EINVAL with a sentence in why (size bytes): what is wrong, the
 * value, what to do.
 */
int pointname_parse(const char *text, struct pointname *p, char *why, size_t size);
/*
 * "tracepoint:skb:kfree_skb", "icmp_rcv", "fentry:nf_tables:nft_do_chain", without @N: the name that
 * output uses. Length, or -ENOBUFS.
 */
int pointname_format(const struct pointname *p, char *text, size_t size);
/*
 * Does the text begin with a word that says on which side it is: xdp, mbuf, raw, or a kind that only the kernel has? Others are of
 * the side that is meant where they are typed.
 */
bool pointname_says_side(const char *text);
/* Is it in user space? */
bool pointname_is_process(const struct pointname *p);
/* Is a name a pattern, which may stand for several trace points? */
bool pointname_is_pattern(const struct pointname *p);

#endif
