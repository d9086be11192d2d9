/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes of a packet, wherever they lie. A source is the address of what holds a packet, as a number. Which pieces
 * it has, and how they are read, the file says that is included for it: kernelwalk.bpf.h, or in programs at trace points in
 * user space (NETCAP_PROCESS) processwalk.bpf.h.
 */
#ifndef NETCAP_SOURCE_BPF_H
#define NETCAP_SOURCE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "config.bpf.h"
#include "kernel.h"
#include "verifier.bpf.h"

/* The smaller one. No branch, which is two ways to the verifier. */
static __always_inline __u64 source_least(__u32 a, __u32 b)
{
	__s64 less = (__u64)a - b;
	__u64 mask = less >> 63; /* all bits: a is less */

	VERIFIER_OPAQUE(mask);
	return b + (less & mask);
}

#ifdef NETCAP_PROCESS
#include "processwalk.bpf.h"
#else
#include "kernelwalk.bpf.h"
#endif

/*
 * Copies what lies behind the linear part to places that are not known beforehand: the verifier does
 * not see that offset + length stays below a size, only that each is bounded. So there is one piece
 * of slack at the end.
 */
struct source_copy {
	struct source_walk walk;
	__u8 *data;
	__u32 done;  /* bytes of data that are good */
	__u32 want;
	__u64 room;  /* of data, constant; 8 bytes wide, or the verifier does not keep it on the stack */
};

/*
 * Copies. The state is unknown to the verifier from the start: that of Linux 6.1 looks at bpf_loop()'s callback once
 * only, with what it knows then, and takes out what it holds for dead (ab5cfac139ab changes that).
 */
#define SOURCE_COPY(copy)                                \
	do {                                             \
		SOURCE_WALK_BEGIN((copy).walk);          \
		VERIFIER_FORGET((copy).done);            \
		VERIFIER_FORGET((copy).want);            \
		VERIFIER_FORGET((copy).walk.source);     \
		VERIFIER_LOOP(source_copy_step, (copy)); \
	} while (0)

/* Most bytes that are copied at once, and the slack behind room. */
static __always_inline __u64 source_piece(__u64 room)
{
	return room > 1024 ? 4096 : room > 256 ? 256 : room;
}

VERIFIER_STEP source_copy_step(__u32 turn, void *context)
{
	struct source_copy *c = context;
	__u64 done = c->done, n;

	if (done >= c->want)
		return 1;
	if (!c->walk.len)
		return !source_walk_next(&c->walk);
	n = source_least(c->want - done, c->walk.len);
	VERIFIER_OPAQUE(n);
	VERIFIER_OPAQUE(done);
	if (n > source_piece(c->room))
		n = source_piece(c->room);
	if (done > c->room)
		return 1;
	/* what is unreadable in the kernel has an address below its own, which fails */
	if (SOURCE_READ(c->data + done, n, (void *)c->walk.addr))
		return 1;
	c->walk.addr += n;
	c->walk.len -= n;
	c->done = done + n;
	VERIFIER_FORGET(c->walk.len);
	VERIFIER_FORGET(c->done);
	return 0;
}

/*
 * n bytes (4 at most) of a packet as one number in host order, or -1. at: from source_head(), left bytes
 * before the linear part ends; negative: behind it. Global, with numbers only as arguments, so that the
 * verifier looks at it once and not at every load of the filter, and so that Linux 5.10 takes it.
 */
__noinline long source_bytes(__u64 source, __u64 at, __s64 left, __u32 n)
{
	__u64 bytes = 0, done = 0;

	if (left > 0) {
#ifdef NETCAP_PROCESS
		done = left < n ? left : n;
		bytes = process_linear(source, at, done);
		if ((__s64)bytes < 0)
			return -1;
#else
		unsigned char *head = source_head(source);

		done = left < n ? left : n;
		VERIFIER_OPAQUE(done);
		if (done > 4 || SOURCE_READ(&bytes, done, head + at))
			return -1;
#endif
	}
	VERIFIER_FORGET(done);
	VERIFIER_MEET();
	if (done < n) {
		struct source_copy copy = {
			.walk.source = source,
			.walk.skip = done - left,
			.data = (__u8 *)&bytes,
			.done = done,
			.want = n,
			.room = 4,
		};

		SOURCE_COPY(copy);
		if (copy.done < copy.want)
			return -1;
		n = copy.want;
	}
	return bpf_be64_to_cpu(bytes) >> 8 * (8 - n) % 64;
}

#endif
