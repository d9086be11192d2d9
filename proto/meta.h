/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metadata of one captured packet, and its text form: the pcapng comment. The grammar is
 *
 *     comment = field *( " " field )
 *     field   = key "=" value          key: [a-z][a-z0-9_]*
 *
 * where in a value every byte that is not a printable ASCII character, and each of space, "%", ","
 * and "=" , is written %XX (upper-case hexadecimal). Lists (the stack) are values joined by ",".
 * Fields that are unknown to the reader are skipped; fields that do not apply are left out.
 * docs/protocol.md lists the keys.
 */
#ifndef META_H
#define META_H

#include <stddef.h>
#include <stdint.h>

#define META_MAX_FRAMES 64
#define META_TEXT_MAX   8192 /* bytes of a comment, NUL included */

struct meta {
	const char *point;    /* "tracepoint:skb:kfree_skb"; never NULL once parsed */
	const char *reason;   /* "NETFILTER_DROP", or NULL */
	const char *location; /* "nf_hook_slow+0xa3", where the packet was freed, or NULL */
	const char *ret;      /* what the function returned: "-12", "true", "NF_ACCEPT"; or NULL */
	uint64_t took_ns;     /* from the call of the function to its return; 0: not known */
	const char *dev;      /* device name, or NULL */
	const char *comm;     /* current task's name, or NULL */
	const char *link;     /* "ethernet", "raw", "none" */
	const char *tunnel;   /* what the packet was found in: "vxlan", "ipip+gre"; or NULL */
	const char *made;     /* headers that the stack had not written yet: "ip+udp"; or NULL */
	uint32_t ifindex;     /* 0: none */
	uint32_t netns;       /* inode number, 0: unknown */
	uint32_t cpu;
	uint32_t pid;         /* process, 0: idle or kernel */
	uint32_t tid;
	uint32_t mark;        /* 0: none (left out) */
	uint16_t protocol;    /* EtherType, host order */
	uint64_t skb;         /* address, an identity while the packet lives */
	uint8_t partial;      /* 1: page fragments could not be read, bytes are missing */
	const char *user;     /* what the user's action wrote, "a:0x1;x1:'M'"; or NULL */
	uint64_t track;       /* number of the packet in the session, 0: it is not followed */
	unsigned frames;      /* entries in stack[] */
	const char *stack[META_MAX_FRAMES]; /* "symbol+0xoffset", innermost first */
};

/*
 * Writes the comment into text (size bytes, NUL-terminated) and returns its length, -ENOBUFS (text
 * then holds what fitted), or -EINVAL (no point, or more frames than META_MAX_FRAMES).
 */
int meta_format(const struct meta *m, char *text, size_t size);
/*
 * Reads a comment of len bytes. The strings of m point into store (size bytes), which must live as
 * long as m. 0, -EBADMSG (not this grammar, a known field twice or out of range, or no point) or
 * -ENOBUFS (store too small: META_TEXT_MAX is always enough for what meta_format() wrote).
 */
int meta_parse(struct meta *m, const char *text, size_t len, char *store, size_t size);

#endif
