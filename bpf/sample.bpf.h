/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Samples of what is dropped: for a kind its first packets, then one a second at most, with the beginning of the packet
 * and the kernel stack. The daemon takes them out when it reads the counts: nothing wakes it for them.
 */
#ifndef NETCAP_SAMPLE_BPF_H
#define NETCAP_SAMPLE_BPF_H

#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "ledger.h"
#include "locate.bpf.h"
#include "record.h"

#define SAMPLE_SECOND 1000000000ULL /* nanoseconds */

/* packet_locate() asks how packets are to be found: as everywhere, by their headers. */
const volatile struct netcap_config netcap_config SEC(".rodata.sample") = {};

/* Only its zero is used. */
struct netcap_control netcap_control SEC(".data.sample");

extern struct ledger_control ledger_control;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LEDGER_SAMPLE_RING);
} netcap_samples SEC(".maps");

/*
 * Whether there may be one more in this second, in which case it counts. CPUs that ask at the same time may get a
 * few more. Half of a second's are for the first of their kind, so that one kind on many CPUs does not have them
 * all.
 */
static __always_inline bool sample_allowed(struct ledger_value *row, __u64 now)
{
	volatile struct ledger_control *c = &ledger_control;

	if ((__s64)(now - c->sampling_since) >= (__s64)SAMPLE_SECOND) {
		c->sampling_since = now;
		c->sampled = 0;
	}
	if (c->sampled >= (row->samples < LEDGER_SAMPLES_FIRST ? LEDGER_SAMPLES : LEDGER_SAMPLES / 2))
		return false;
	__sync_fetch_and_add(&ledger_control.sampled, 1);
	row->samples++;
	if (row->samples >= LEDGER_SAMPLES_FIRST)
		row->sample_after = now + SAMPLE_SECOND;
	return true;
}

static __always_inline void sample_describe(struct netcap_record *r, struct sk_buff *skb, struct net_device *dev,
					    const struct ledger_key *key)
{
	__u64 task = bpf_get_current_pid_tgid();

	r->skb = (__u64)skb;
	r->location = key->location;
	r->reason = key->reason;
	r->ifindex = key->ifindex;
	r->netns = key->netns;
	r->protocol = key->protocol;
	r->mark = BPF_CORE_READ(skb, mark);
	r->pkt_type = BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);
	r->cpu = bpf_get_smp_processor_id();
	r->pid = task >> 32;
	r->tid = task;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	if (dev)
		bpf_core_read(r->dev, sizeof(r->dev), &dev->name);
}

/* The packet's first bytes, as far as they are in its linear part: that is where headers are. */
static __always_inline void sample_bytes(struct netcap_record *r, __u8 *data, struct sk_buff *skb,
					 struct net_device *dev)
{
	struct netcap_packet pkt;
	const void *direct;
	__u32 tag, want, most;
	__u64 have;

	packet_locate(skb, dev, &pkt, &direct, false);
	tag = packet_tag_len(pkt.vlan);
	r->wire_len = pkt.wire_len - tag;
	r->link = pkt.link;
	r->vlan_tpid = pkt.vlan >> 16;
	r->vlan_tci = pkt.vlan;
	r->flags |= tag ? NETCAP_F_VLAN : 0;
	most = LEDGER_SAMPLE_BYTES - tag; /* the daemon puts the tag back */
	if (pkt.link == NETCAP_LINK_NONE && packet_is_message(skb, false))
		most = 0;
	want = r->wire_len < most ? r->wire_len : most;
	have = pkt.linear < 0 ? 0 : want < pkt.linear ? want : pkt.linear;
	VERIFIER_OPAQUE(have);
	if (have > LEDGER_SAMPLE_BYTES)
		have = LEDGER_SAMPLE_BYTES;
	if (bpf_probe_read_kernel(data, have, direct))
		have = 0;
	r->cap_len = have;
	r->flags |= have < want ? NETCAP_F_PARTIAL : 0;
}

/*
 * Apart, so that the others do not make room for it. Without bpf_rdonly_cast() the program must not have
 * subprograms: it has plain loads from addresses that may be bad, see cast.bpf.h.
 */
#ifdef NETCAP_CAST
#define SAMPLE_FUNCTION static __noinline
#else
#define SAMPLE_FUNCTION static __always_inline
#endif

/*
 * All members are read as from an address only: what is rare may take its time, and every verifier takes it. now:
 * CLOCK_BOOTTIME, which is the sample's time.
 */
SAMPLE_FUNCTION int sample_take(__u64 *ctx, struct sk_buff *skb, struct net_device *dev,
				  const struct ledger_key *key, __u64 now)
{
	struct netcap_record *r = bpf_ringbuf_reserve(&netcap_samples, LEDGER_SAMPLE_RECORD, 0);
	long got;

	if (!r)
		return 0;
	__builtin_memset(r, 0, sizeof(*r));
	r->time_ns = now;
	sample_describe(r, skb, dev, key);
	sample_bytes(r, (__u8 *)&r->stack[NETCAP_STACK_FRAMES], skb, dev);
	got = bpf_get_stack(ctx, r->stack, NETCAP_STACK_FRAMES * sizeof(__u64), 0);
	r->flags |= NETCAP_F_STACK;
	r->stack_bytes = got > 0 ? got : 0;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
