/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The capture programs. Each is a template: the daemon takes its relocated instructions once and
 * makes, for every trace point of every session, a copy with that session's maps, constants and
 * filter (daemon/template.c).
 */
#include "packet.bpf.h"
#include "record.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct netcap_config netcap_config SEC(".rodata.config") = {
	.location_arg = NETCAP_NO_ARG,
	.reason_arg = NETCAP_NO_ARG,
	.stack = 1,
	.filtered = 1,
	.snaplen = 1,
};

struct netcap_control netcap_control SEC(".data.control");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct netcap_counters);
} netcap_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} netcap_ring SEC(".maps");

/* One load with its offset in the instruction: the verifier takes no other access to the context. */
#define LOAD_ARGUMENT(value, ctx, index) \
	asm volatile("%0 = *(u64 *)(%1 + 8 * " #index ")" : "=r"(value) : "r"(ctx))

/* An argument of the trace point. The index is constant in each copy: only one load remains. */
static __always_inline __u64 argument(const __u64 *ctx, __u8 index)
{
	__u64 value = 0;

	switch (index) {
	case 0:
		LOAD_ARGUMENT(value, ctx, 0);
		break;
	case 1:
		LOAD_ARGUMENT(value, ctx, 1);
		break;
	case 2:
		LOAD_ARGUMENT(value, ctx, 2);
		break;
	case 3:
		LOAD_ARGUMENT(value, ctx, 3);
		break;
	case 4:
		LOAD_ARGUMENT(value, ctx, 4);
		break;
	case 5:
		LOAD_ARGUMENT(value, ctx, 5);
		break;
	}
	return value;
}

/*
 * By probe reads even where the type is known: on Linux 6.2 and later the verifier searches all of BTF
 * for each pointer that it follows from a trusted one (btf_nested_type_is_trusted()), a millisecond
 * each.
 */
static __always_inline __u32 netns_of(struct sk_buff *skb, struct net_device *dev)
{
	struct sock *sk;

	if (dev)
		return BPF_CORE_READ(dev, nd_net.net, ns.inum);
	sk = BPF_CORE_READ(skb, sk);
	return sk ? BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum) : 0;
}

static __always_inline bool same_name(const volatile char *want, const char *have)
{
	const volatile __u64 *a = (const volatile __u64 *)want;
	const __u64 *b = (const __u64 *)have;

	return a[0] == b[0] && a[1] == b[1];
}

static __always_inline bool dev_matches(struct net_device *dev)
{
	char name[NETCAP_DEV_LEN] __attribute__((aligned(8))) = {};

	if (!dev || bpf_core_read_str(name, sizeof(name), &dev->name) < 0)
		return false;
	return same_name(netcap_config.dev, name);
}

static __always_inline bool comm_matches(void)
{
	char comm[NETCAP_COMM_LEN] __attribute__((aligned(8))) = {};

	bpf_get_current_comm(comm, sizeof(comm));
	return same_name(netcap_config.comm, comm);
}

/* Everything that is asked of a packet but the tcpdump filter. */
static __always_inline bool wanted(struct sk_buff *skb, struct net_device *dev, bool typed)
{
	if (netcap_config.mark_mask &&
	    (PACKET_GET(typed, skb, mark) & netcap_config.mark_mask) != netcap_config.mark)
		return false;
	if (netcap_config.pid && bpf_get_current_pid_tgid() >> 32 != netcap_config.pid)
		return false;
	if (netcap_config.netns && netns_of(skb, dev) != netcap_config.netns)
		return false;
	if (netcap_config.match_dev && !dev_matches(dev))
		return false;
	if (netcap_config.match_comm && !comm_matches())
		return false;
	return true;
}

static __always_inline void describe(struct netcap_record *r, void *ctx, struct sk_buff *skb,
				     struct net_device *dev, const struct netcap_packet *pkt,
				     bool typed)
{
	__u64 task = bpf_get_current_pid_tgid();

	r->time_ns = bpf_ktime_get_ns();
	r->skb = packet_number(pkt->skb);
	r->location = argument(ctx, netcap_config.location_arg);
	r->reason = argument(ctx, netcap_config.reason_arg);
	r->point = netcap_config.point;
	r->wire_len = pkt->vlan ? pkt->wire_len - VLAN_HLEN : pkt->wire_len;
	r->netns = netns_of(skb, dev);
	r->mark = PACKET_GET(typed, skb, mark);
	r->protocol = bpf_ntohs(PACKET_GET(typed, skb, protocol));
	r->cpu = bpf_get_smp_processor_id();
	r->pid = task >> 32;
	r->tid = task;
	r->vlan_tpid = pkt->vlan >> 16;
	r->vlan_tci = pkt->vlan;
	r->link = pkt->link;
	r->flags = pkt->vlan ? NETCAP_F_VLAN : 0;
	r->cap_len = 0;
	r->stack_bytes = 0;
	r->pkt_type = typed ? BPF_CORE_READ_BITFIELD(skb, pkt_type) :
			      BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);
	__builtin_memset(r->pad, 0, sizeof(r->pad));
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	r->ifindex = dev ? PACKET_GET(typed, dev, ifindex) : 0;
	r->dev[0] = 0;
	if (dev)
		bpf_core_read_str(r->dev, sizeof(r->dev), &dev->name);
}

static __always_inline void keep_stack(struct netcap_record *r, void *ctx)
{
	long got;

	if (!netcap_config.stack)
		return;
	got = bpf_get_stack(ctx, r->stack, NETCAP_STACK_FRAMES * sizeof(__u64), 0);
	r->flags |= NETCAP_F_STACK;
	r->stack_bytes = got > 0 ? got : 0;
}

/* Wakes the daemon only if it sleeps: see daemon/ring.c for the other half. */
static __always_inline __u64 wake_flags(void)
{
	struct netcap_control *c = &netcap_control;

	/*
	 * The reservation must be visible before armed is read, or a daemon that is about to sleep and
	 * this program miss each other. The locked addition orders the two on x86-64.
	 */
	__sync_fetch_and_add(&c->taken, 1);
	if (!*(volatile __u32 *)&c->armed)
		return BPF_RB_NO_WAKEUP;
	*(volatile __u32 *)&c->armed = 0;
	__sync_fetch_and_add(&c->wakeups, 1);
	return BPF_RB_FORCE_WAKEUP;
}

/* Reserves a record and fills its fixed part. NULL: the ring is full. */
static __always_inline struct netcap_record *begin_record(void *ctx, struct sk_buff *skb,
							  struct net_device *dev,
							  const struct netcap_packet *pkt,
							  struct record_plan *plan, bool typed)
{
	struct netcap_record head, *r;

	/* all that has many ways through it comes before the record's size splits them */
	describe(&head, ctx, skb, dev, pkt, typed);
	record_plan(plan, pkt);
	r = record_reserve(&netcap_ring, plan);
	if (r)
		*r = head;
	return r;
}

static __always_inline void capture(void *ctx, struct sk_buff *skb, struct net_device *dev,
				    struct netcap_packet *pkt, struct netcap_counters *counters,
				    const void *direct, bool typed)
{
	struct netcap_record *r;
	struct record_plan plan;

	if (netcap_config.count &&
	    *(volatile __u64 *)&netcap_control.taken >= netcap_config.count) {
		__sync_fetch_and_add(&counters->limited, 1);
		return;
	}
	r = begin_record(ctx, skb, dev, pkt, &plan, typed);
	if (!r) {
		__sync_fetch_and_add(&counters->lost, 1);
		return;
	}
	keep_stack(r, ctx);
	record_fill(r, &plan, pkt, direct);
	__sync_fetch_and_add(&counters->captured, 1);
	bpf_ringbuf_submit(r, wake_flags());
}

/*
 * Like the call of netcap_load() in packet_matches(): it never runs, but makes libbpf append the
 * callback before the filter.
 */
static __always_inline void keep_filter_last(void)
{
#ifndef NETCAP_OLD_LOOPS
	if (netcap_config.access > NETCAP_ACCESS_DIRECT)
		bpf_loop(1, record_copy_step, NULL, 0);
#endif
}

static __always_inline int hit(__u64 *ctx, bool typed)
{
	__u32 point = netcap_config.point;
	struct netcap_counters *counters;
	struct netcap_packet pkt;
	struct net_device *dev;
	const void *direct;
	struct sk_buff *skb;

	if (!*(volatile __u32 *)&netcap_control.active)
		return 0;
	counters = bpf_map_lookup_elem(&netcap_counters, &point);
	if (!counters)
		return 0;
	__sync_fetch_and_add(&counters->hits, 1);
	skb = (void *)argument(ctx, netcap_config.skb_arg);
	if (!skb)
		goto filtered;
	dev = PACKET_GET(typed, skb, dev);
	if (!wanted(skb, dev, typed))
		goto filtered;
	packet_locate(skb, dev, &pkt, &direct, typed);
	keep_filter_last();
	if (netcap_config.filtered && !packet_matches(&pkt, direct))
		goto filtered;
	capture(ctx, skb, dev, &pkt, counters, direct, typed);
	return 0;
filtered:
	__sync_fetch_and_add(&counters->filtered, 1);
	return 0;
}

SEC("tp_btf/kfree_skb")
int netcap_tp_btf(__u64 *ctx)
{
	return hit(ctx, true);
}

SEC("raw_tp/kfree_skb")
int netcap_raw_tp(__u64 *ctx)
{
	return hit(ctx, false);
}
