/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The capture programs at trace points in user space: functions and USDT probes of processes that have packets in their
 * own memory, as mbufs of DPDK or as plain bytes. Templates, as those of netcap.bpf.c.
 */
#include "sections.h"
#include "process.bpf.h"
#include "describe.bpf.h"
#include "inner.bpf.h"
#include "ring.bpf.h"
#include "gather.bpf.h"
#include "user.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct netcap_config netcap_config SEC(".rodata.config") = {
	.location_arg = NETCAP_NO_ARG,
	.reason_arg = NETCAP_NO_ARG,
	.user_filter = NETCAP_USER_CTX,
	.user_action = NETCAP_USER_CTX,
	.user_words = 1,
	.match_dev = 1,
	.filtered = 1,
	.inner = 1,
	.track = 1,
	.gather = NETCAP_GATHER_CONTENT,
	.slower_ns = 1,
	.snaplen = 1,
	.process = NETCAP_PROCESS_MBUFS,
	.packet = { .kind = NETCAP_VALUE_REGISTER, .size = 8, .reg = 14 },
	.length = { .kind = NETCAP_VALUE_REGISTER, .size = 8, .reg = 13 },
};

struct netcap_control netcap_control SEC(".data.control");

/*
 * Where the array is that a function was called with which fills it, until it returns. Who leaves a function in another
 * way leaves an entry here, and the oldest go.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct netcap_entered);
	__type(value, __u64);
} netcap_entered SEC(".maps");

/* Is anything asked of a packet but the tcpdump filter? */
static __always_inline bool process_asks(void)
{
	return CONFIG(mark_mask) || CONFIG(netns) || CONFIG(match_comm) || CONFIG(match_dev);
}

/* All of that. There is no mark. A function of its own, for the stack of its caller. */
static __noinline bool process_wanted(__u64 address)
{
	char name[NETCAP_DEV_LEN] __attribute__((aligned(8)));

	if (CONFIG(mark_mask))
		return false;
	if (CONFIG(netns) && process_netns() != CONFIG(netns))
		return false;
	if (CONFIG(match_comm) && !comm_matches())
		return false;
	if (!CONFIG(match_dev))
		return true;
	process_device(process_port(address), name);
	return same_name(CONFIG_WORD(dev, 0), CONFIG_WORD(dev, 1), name);
}

/* Can the first byte be read? A filter would look itself. */
static __always_inline bool process_readable(const struct netcap_packet *pkt, const void *direct)
{
	__u8 first;

	return CONFIG(filtered) || !pkt->linear || !bpf_probe_read_user(&first, sizeof(first), direct);
}

/*
 * Fills the fixed part of a record. A function of its own, with numbers only, for the stack of its caller: lengths has the
 * packet's without tags and, above, the point; tags the outer and, below, the inner one; kinds link and, above, tunnels.
 */
static __noinline __u64 process_describe(struct netcap_record *r, __u64 address, __u64 lengths, __u64 tags, __u64 kinds)
{
	__u32 port = process_port(address);

	r->time_ns = bpf_ktime_get_ns();
	r->skb = address;
	r->location = 0;
	r->reason = 0;
	r->point = lengths >> 32;
	r->wire_len = lengths;
	r->netns = process_netns();
	r->mark = 0;
	r->protocol = 0;
	r->cpu = bpf_get_smp_processor_id();
	r->vlan_tpid = tags >> 48;
	r->vlan_tci = tags >> 32;
	r->vlan_inner = tags;
	r->link = kinds;
	r->flags = packet_tag_len(tags >> 32) / VLAN_HLEN * NETCAP_F_VLAN | packet_tag_len(tags) / VLAN_HLEN * NETCAP_F_QINQ;
	r->cap_len = 0;
	r->stack_bytes = 0;
	r->user_words = CONFIG(user_words);
	r->pkt_type = 0;
	r->made = 0;
	r->tunnels = kinds >> 32;
	r->ifindex = port == MBUF_NO_PORT ? 0 : port + 1;
	process_device(port, r->dev);
	describe_task(r);
	return 0;
}

static __always_inline void capture(struct bpf_user_pt_regs_t *ctx, __u32 point, struct netcap_packet *pkt,
				    struct netcap_counters *counters, const void *direct)
{
	struct netcap_record *r;
	struct record_plan plan;

	if (limit_reached()) {
		__sync_fetch_and_add(&counters->limited, 1);
		return;
	}
	record_plan(&plan, pkt);
	r = record_reserve(&netcap_ring, &plan);
	if (!r) {
		if (CONFIG(gather))
			gather_spoil(gather_key((struct sk_buff *)pkt->source, pkt, direct));
		__sync_fetch_and_add(&counters->lost, 1);
		return;
	}
	process_describe(r, pkt->source, (__u64)point << 32 | (__u32)(pkt->wire_len - packet_tags_len(pkt)),
			 (__u64)pkt->vlan << 32 | (__u32)pkt->inner_tag, (__u64)pkt->tunnels << 32 | pkt->link);
	r->track = CONFIG(gather) ? track_number(gather_key((struct sk_buff *)pkt->source, pkt, direct)) : 0;
	user_acts(ctx, r, 0, true);
	record_fill(r, &plan, pkt, direct);
	__sync_fetch_and_add(&counters->captured, 1);
	if (CONFIG(slower_ns))
		gather_tell(r->track); /* it comes behind this record, whose place is taken */
	bpf_ringbuf_submit(r, wake_flags(1));
}

/* False: it does not match. */
static __always_inline bool take(struct bpf_user_pt_regs_t *ctx, __u32 point, struct netcap_packet *pkt,
				 struct netcap_counters *counters, const void *direct)
{
	if (CONFIG(filtered) && !packet_matches(pkt, direct))
		return false;
	if (!user_wants(ctx, pkt->source, point, true))
		return false;
	if (CONFIG(gather) &&
	    gather_matches(ctx, point, (struct sk_buff *)pkt->source, NULL, pkt, counters, direct, false, false))
		return true;
	capture(ctx, point, pkt, counters, direct);
	return true;
}

/* It never runs: see keep_filter_last() of netcap.bpf.c. */
static __always_inline void keep_filter_last(void)
{
	if (CONFIG(access) <= NETCAP_ACCESS_DIRECT)
		return;
	user_keep_place(true);
	process_describe(NULL, 0, 0, 0, 0);
	track_begin(0);
	gather_number(0, 0);
	gather_note(0, 0);
	gather_tell(0);
	gather_spoil(0);
	gather_port(NULL, 0);
	content_key(0, 0, 0);
#ifndef NETCAP_OLD_LOOPS
	bpf_loop(1, source_copy_step, NULL, 0);
#endif
}

/* A packet. Global, so that the verifier looks at it once and not for each in an array. */
__noinline int process_packet(struct bpf_user_pt_regs_t *ctx, __u64 address, __u32 length)
{
	struct netcap_counters *counters;
	struct netcap_packet pkt;
	__u32 point = CONFIG(point);
	const void *direct;
	bool taken = false;

	counters = bpf_map_lookup_elem(&netcap_counters, &point);
	if (!counters)
		return 0;
	if (process_asks() && !process_wanted(address))
		goto filtered;
	if (!process_locate(address, length, &pkt, &direct) || !process_readable(&pkt, direct)) {
		__sync_fetch_and_add(&netcap_control.unreadable, 1);
		goto filtered;
	}
	if (CONFIG(inner))
		inner_enter(&pkt, &direct);
	keep_filter_last();
	taken = take(ctx, point, &pkt, counters, direct);
filtered:
	if (!taken)
		__sync_fetch_and_add(&counters->filtered, 1);
	return 0;
}

/* The packets of an array. Where it ends the process says, which may be wrong. */
static __always_inline void process_array(struct bpf_user_pt_regs_t *ctx, __u64 array, __u64 count)
{
	__u64 mbuf;

	for (__u32 i = 0; i < NETCAP_PROCESS_BURST && i < count; i++) {
		if (bpf_probe_read_user(&mbuf, sizeof(mbuf), (const void *)(array + sizeof(mbuf) * i)))
			mbuf = 0;
		process_packet(ctx, mbuf, 0);
	}
	if (count > NETCAP_PROCESS_BURST)
		__sync_fetch_and_add(&netcap_control.beyond, count - NETCAP_PROCESS_BURST);
}

/* A call, by its place on the stack: popped is what the return takes off it. */
static __always_inline struct netcap_entered entered_key(const void *ctx, __u64 popped)
{
	return (struct netcap_entered){ .task = bpf_get_current_pid_tgid(),
					.point = CONFIG(point),
					.stack = process_register(ctx, PROCESS_STACK) + popped };
}

/*
 * Where the address of the packets is: in an argument, or kept since the function was entered. 0: nowhere. A function of its
 * own for the same reason.
 */
static __noinline __u64 packets_address(struct bpf_user_pt_regs_t *ctx)
{
	struct netcap_entered key = entered_key(ctx, 0);
	__u64 *kept, address;

	if (!CONFIG(entered))
		return PROCESS_VALUE(ctx, packet);
	kept = bpf_map_lookup_elem(&netcap_entered, &key);
	if (!kept)
		return 0; /* it was entered before the session began */
	address = *kept;
	bpf_map_delete_elem(&netcap_entered, &key);
	return address;
}

/*
 * The call is never made, which the verifier sees, but not daemon/trim.c. A program with one keeps to the stack of its task.
 * Others have a stack for each CPU since Linux 6.13 (7d1cd70d4b16), as if nothing could come between them; but a task that
 * is at a uprobe may be preempted by another one that is, too. netcap_enter() takes less than the 64 bytes from which on they do.
 */
static __always_inline void keep_stack_of_task(void *ctx)
{
	__u64 never = *(volatile __u64 *)&netcap_control.zero;

	asm volatile("%0 &= 0" : "+r"(never));
	if (never)
		bpf_tail_call(ctx, &netcap_counters, 0);
}

/*
 * A function as it is entered or returns, or a USDT probe. That it is one of the process that is meant, the kernel sees to; at
 * returns, where perf events of Linux do not ask, it is so as there must have been an entry.
 */
SEC(SECTION_REGISTERS)
int netcap_process(struct bpf_user_pt_regs_t *ctx)
{
	__u64 address, length;

	keep_stack_of_task(ctx);
	if (!active())
		return 0;
	address = packets_address(ctx);
	if (CONFIG(entered) && !address)
		return 0;
	length = PROCESS_VALUE(ctx, length);
	/* above 32 bits, the register of a narrower number may hold anything; a negative one is an error, and no packet */
	if (CONFIG(process) == NETCAP_PROCESS_MBUFS)
		process_array(ctx, address, (__s32)length < 0 ? 0 : (__u32)length);
	else if ((__s32)length >= (__s32)CONFIG(entered)) /* nor is what a function returns that filled nothing */
		process_packet(ctx, address, length);
	return 0;
}

/* Beside it, if it stands at a return: the function as it is entered. */
SEC(SECTION_REGISTERS)
int netcap_enter(struct bpf_user_pt_regs_t *ctx)
{
	struct netcap_entered key = entered_key(ctx, sizeof(__u64));
	__u64 address;

	if (!active())
		return 0;
	address = PROCESS_VALUE(ctx, packet);
	bpf_map_update_elem(&netcap_entered, &key, &address, BPF_ANY);
	return 0;
}
