/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Puts what a test wants into a ring, as the capture programs do. Run by BPF_PROG_TEST_RUN. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "ringfeed.h"

#define TURNS  (1 << 23) /* the most that bpf_loop() takes */
#define ROUNDS 256       /* so many TURNS are seconds: longer than a test needs to go on */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

__u8 record[RINGFEED_RECORD_BYTES] __attribute__((aligned(8)));
struct netcap_return back;
__u32 begun, may_end;

SEC("raw_tp")
int feed(void *ctx)
{
	return bpf_ringbuf_output(&ring, record, sizeof(record), 0);
}

static long wait_turn(__u32 turn, void *context)
{
	return *(volatile __u32 *)&may_end & 1;
}

static long wait_round(__u32 round, void *context)
{
	bpf_loop(TURNS, wait_turn, context, 0);
	return *(volatile __u32 *)&may_end & 1;
}

/* Is at its record until the test says may_end. */
SEC("raw_tp")
int feed_slowly(void *ctx)
{
	struct netcap_return *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r)
		return 1;
	*(volatile __u32 *)&begun = 1;
	bpf_loop(ROUNDS, wait_round, 0, 0);
	*r = back;
	bpf_ringbuf_submit(r, 0);
	return 0;
}
