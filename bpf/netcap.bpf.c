/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The capture programs. Each is a template: the daemon takes its relocated instructions once and
 * makes, for every trace point of every session, a copy with that session's maps, constants and
 * filter (daemon/template.c).
 */
#include "sections.h"
#include "packet.bpf.h"
#include "xdp.bpf.h"
#include "describe.bpf.h"
#include "call.bpf.h"
#include "context.bpf.h"
#include "wanted.bpf.h"
#include "inner.bpf.h"
#include "made.bpf.h"
#include "track.bpf.h"
#include "ring.bpf.h"
#include "gather.bpf.h"
#include "user.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct netcap_config netcap_config SEC(".rodata.config") = {
	.location_arg = NETCAP_NO_ARG,
	.reason_arg = NETCAP_NO_ARG,
	.return_arg = NETCAP_NO_ARG,
	.sock_arg = NETCAP_NO_ARG,
	.user_filter = NETCAP_USER_ARG,
	.user_action = NETCAP_USER_ARG,
	.user_arg = NETCAP_NO_ARG,
	.user_words = 1,
	.flow_arg = NETCAP_NO_ARG,
	.fake = NETCAP_FAKE_AUTO,
	.calls = 1,
	.sites_bits = 1,
	.stack = 1,
	.filtered = 1,
	.inner = 1,
	.source = SOURCE_XDP_BUFF,
	.track = 1,
	.track_ends = 1,
	.gather = NETCAP_GATHER_CONTENT, /* which calls all functions */
	.slower_ns = 1,
	.restarts = 1,
	.snaplen = 1,
};

struct netcap_control netcap_control SEC(".data.control");

static __always_inline void describe_device(struct netcap_record *r, struct net_device *dev,
					    bool typed)
{
	if (typed)
		copy_name(r->dev, dev->name);
	else
		bpf_core_read(r->dev, sizeof(r->dev), &dev->name);
}

static __always_inline void describe(struct netcap_record *r, void *ctx, __u32 point,
				     struct sk_buff *skb, struct net_device *dev,
				     const struct netcap_packet *pkt, const void *direct, bool typed)
{
	__u32 tag = packet_tag_len(pkt->vlan);

	r->time_ns = bpf_ktime_get_ns();
	r->skb = CONFIG(gather) == NETCAP_GATHER_CONTENT ? gather_key(skb, pkt, direct) : (__u64)skb;
	r->location = argument(ctx, CONFIG(location_arg));
	r->reason = argument(ctx, CONFIG(reason_arg));
	r->point = point;
	r->wire_len = pkt->wire_len - tag;
	r->netns = dev_netns(dev, typed);
	r->mark = PACKET_GET(typed, skb, mark);
	r->protocol = bpf_ntohs(PACKET_GET(typed, skb, protocol));
	r->cpu = bpf_get_smp_processor_id();
	r->vlan_tpid = pkt->vlan >> 16;
	r->vlan_tci = pkt->vlan;
	r->link = pkt->link;
	r->flags = tag / VLAN_HLEN * NETCAP_F_VLAN;
	r->cap_len = 0;
	r->stack_bytes = 0;
	r->user_words = CONFIG(user_words);
	r->pid = r->tid = 0; /* describe_task() knows */
	r->pkt_type = typed ? BPF_CORE_READ_BITFIELD(skb, pkt_type) :
			      BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);
	r->made = made_parts(pkt);
	r->tunnels = pkt->tunnels;
	r->vlan_inner = 0;
	r->ifindex = PACKET_GET(typed, dev, ifindex);
	describe_device(r, dev, typed);
}

static __always_inline void keep_stack(struct netcap_record *r, void *ctx)
{
	long got;

	if (!CONFIG(stack))
		return;
	got = bpf_get_stack(ctx, r->stack, NETCAP_STACK_FRAMES * sizeof(__u64), 0);
	r->flags |= NETCAP_F_STACK;
	r->stack_bytes = got > 0 ? got : 0;
}

/*
 * Fills the fixed part of a record, and says whether to wake the daemon. Global, so that the verifier
 * looks at it once and not for each size of a record.
 */
VERIFIER_FUNCTION __u64 netcap_finish(struct netcap_record *r, const struct record_head *head)
{
	if (!r || !head)
		return BPF_RB_NO_WAKEUP;
	__builtin_memcpy(r, head, sizeof(*head));
	r->track = track_number(r->skb);
	if (!r->netns && CONFIG(gather) != NETCAP_GATHER_CONTENT) /* then skb is no address */
		r->netns = sock_netns((struct sk_buff *)r->skb);
	describe_task(r);
	return wake_flags(1);
}

/* Reserves a record and fills its fixed part. NULL: the ring is full. */
static __always_inline struct netcap_record *begin_record(void *ctx, __u32 point,
							  struct sk_buff *skb,
							  struct net_device *dev,
							  const struct netcap_packet *pkt, const void *direct,
							  struct record_plan *plan, __u64 *wake,
							  bool typed, bool calls)
{
	struct record_head head;
	struct netcap_record *h = (struct netcap_record *)&head, *r;

	/* in memory, where the filter's copy was: in registers it would take room of its own when spilled */
	VERIFIER_IN_MEMORY(h);
	/* all that has many ways through it comes before the record's size splits them */
	describe(h, ctx, point, skb, dev, pkt, direct, typed);
	if (calls) {
		h->frame = call_remember(ctx);
		h->flags |= h->frame ? NETCAP_F_CALL : 0;
	}
	VERIFIER_IN_MEMORY(h);
	record_plan(plan, pkt);
	r = record_reserve(&netcap_ring, plan);
	if (r)
		*wake = netcap_finish(r, &head);
	return r;
}

static __always_inline void capture(void *ctx, __u32 point, struct sk_buff *skb,
				    struct net_device *dev, struct netcap_packet *pkt,
				    struct netcap_counters *counters, const void *direct,
				    bool typed, bool registers, bool calls, bool follows)
{
	struct netcap_record *r;
	struct record_plan plan;
	__u64 wake;

	if (limit_reached()) {
		__sync_fetch_and_add(&counters->limited, 1);
		return;
	}
	r = begin_record(ctx, point, skb, dev, pkt, direct, &plan, &wake, typed, calls);
	if (!r) {
		if (calls)
			call_forget(ctx);
		if (CONFIG(gather))
			gather_spoil(gather_key(skb, pkt, direct));
		__sync_fetch_and_add(&counters->lost, 1);
		return;
	}
	if (CONFIG(gather) == NETCAP_GATHER_CONTENT)
		r->skb = source_number((__u64)skb); /* it was what the packet is known by */
	keep_stack(r, ctx);
	user_acts(ctx, r, follows ? 0 : pkt->source, registers);
	record_fill(r, &plan, pkt, direct);
	__sync_fetch_and_add(&counters->captured, 1);
	if (CONFIG(slower_ns))
		gather_tell(r->track); /* it comes behind this record, whose place is taken */
	bpf_ringbuf_submit(r, wake);
}

/*
 * Like the call of netcap_load() in packet_matches(): it never runs, but makes libbpf append what is called
 * later before the filter. made: made_end() is, too; a function that never is would be missing in what the kernel says of
 * the program.
 */
static __always_inline void keep_filter_last(bool made, bool registers)
{
	if (CONFIG(access) <= NETCAP_ACCESS_DIRECT)
		return;
	user_keep_place(registers);
	if (made)
		made_end(0);
	track_begin(0);
	gather_number(0, 0);
	gather_note(0, 0);
	gather_tell(0);
	gather_spoil(0);
	content_key(0, 0, 0);
#ifndef NETCAP_OLD_LOOPS
	netcap_finish(NULL, NULL);
	bpf_loop(1, source_copy_step, NULL, 0);
#endif
}

/* The pointer that is at bytes into what value points to; 0 if there is nothing to read. */
static __always_inline __u64 pointer_in(__u64 value, __u16 at)
{
	__u64 pointer = 0;

	if (value)
		bpf_probe_read_kernel(&pointer, sizeof(pointer), (void *)(value + at));
	return pointer;
}

/* Is it captured whatever it is? With gather it has been seen already, and only goes on if it is slow. */
static __always_inline bool is_followed(struct sk_buff *skb)
{
	if (CONFIG(gather))
		return CONFIG(gather) == NETCAP_GATHER_TRACK && CONFIG(slower_ns) && track_knows(skb);
	return track_knows(skb);
}

/* Asks the filter, and captures. follows: packets may be followed, and are not asked again. False: it does not match. */
static __always_inline bool take(void *ctx, __u32 point, struct sk_buff *skb, struct net_device *dev,
				 struct netcap_packet *pkt, struct netcap_counters *counters,
				 const void *direct, bool typed, bool registers, bool calls, bool follows)
{
	if (!follows || !is_followed(skb)) { /* again, as the stack has no room to keep it */
		/* no filter matches what begins with no header */
		if (CONFIG(filtered) ? !packet_matches(pkt, direct) :
					     pkt->link == NETCAP_LINK_NONE && packet_is_message(skb, typed))
			return false;
		if (!user_wants(ctx, follows ? pkt->skb : pkt->source, point, registers))
			return false;
		if (CONFIG(gather)) {
			if (gather_matches(ctx, point, skb, dev, pkt, counters, direct, typed, calls))
				return true;
		} else if (follows && CONFIG(track)) {
			track_begin(source_number((__u64)skb));
		}
	}
	capture(ctx, point, skb, dev, pkt, counters, direct, typed, registers, calls, follows);
	return true;
}

/* calls: the program may stand at the entry of a function whose return is wanted, too. */
static __always_inline int hit(void *ctx, union netcap_place place, struct sk_buff *skb, bool typed,
			       bool registers, bool calls)
{
	struct netcap_counters *counters;
	struct netcap_packet pkt;
	struct net_device *dev;
	const void *direct;
	__u32 point = place.point;
	bool taken = false;

	counters = bpf_map_lookup_elem(&netcap_counters, &point);
	if (!counters)
		return 0;
	if (calls)
		call_forget(ctx);
	if (!skb)
		goto filtered;
	if (CONFIG(gather) == NETCAP_GATHER_TRACK) {
		__u64 number = gather_number(source_number((__u64)skb), point);

		if (number && gather_again(ctx, point, skb, number, packet_dev(skb, typed), counters, typed, calls))
			return 0;
	}
	dev = packet_dev(skb, typed);
	if (!is_followed(skb) && !wanted(skb, dev, typed))
		goto filtered;
	packet_locate(skb, dev, &pkt, &direct, typed);
	if (CONFIG(fake))
		made_put(ctx, place, skb, &pkt, typed, registers);
	if (CONFIG(inner))
		inner_enter(&pkt, &direct);
	keep_filter_last(true, registers);
	taken = take(ctx, point, skb, dev, &pkt, counters, direct, typed, registers, calls, true);
	if (CONFIG(fake) && pkt.source)
		made_end(pkt.source);
filtered:
	if (!taken)
		__sync_fetch_and_add(&counters->filtered, 1);
	return 0;
}

/* The same for what has no skb: its mark, protocol and the like read as 0. */
static __always_inline int hit_xdp(void *ctx, __u32 point, __u64 source, bool registers, bool calls)
{
	struct sk_buff *none = packet_cast(0);
	struct netcap_counters *counters;
	struct netcap_packet pkt;
	struct net_device *dev;
	const void *direct;
	bool taken = false;

	counters = bpf_map_lookup_elem(&netcap_counters, &point);
	if (!counters)
		return 0;
	if (calls)
		call_forget(ctx);
	dev = xdp_dev(source);
	if (!wanted(none, dev, PACKET_CAST))
		goto filtered;
	xdp_locate(source, &pkt, &direct);
	if (CONFIG(inner))
		inner_enter(&pkt, &direct);
	keep_filter_last(false, registers);
	taken = take(ctx, point, none, dev, &pkt, counters, direct, PACKET_CAST, registers, calls, false);
filtered:
	if (!taken)
		__sync_fetch_and_add(&counters->filtered, 1);
	return 0;
}

/* Of a program that is at one trace point only. */
static __always_inline union netcap_place config_place(void)
{
	const union netcap_place place = {
		.point = CONFIG(point),
		.sock_arg = CONFIG(sock_arg),
		.flow_arg = CONFIG(flow_arg),
	};

	return place;
}

/* Tracepoints, and functions by fentry, whose skb has a type; which without bpf_rdonly_cast() is not used: cast.bpf.h. */
SEC(SECTION_TYPED)
int netcap_typed(__u64 *ctx)
{
	if (!active())
		return 0;
	return hit(ctx, config_place(), (void *)argument(ctx, CONFIG(skb_arg)), PACKET_CAST, false,
		   CONFIG(calls));
}

/* The same where the skb is only an address. */
SEC(SECTION_ARGUMENTS)
int netcap_untyped(__u64 *ctx)
{
	__u64 value;

	if (!active())
		return 0;
	value = argument(ctx, CONFIG(skb_arg));
	if (CONFIG(indirect))
		value = pointer_in(value, CONFIG(indirect_at));
	return hit(ctx, config_place(), packet_cast(value), PACKET_CAST, false, CONFIG(calls));
}

/* Functions by kprobe and kprobe.multi: one program for all of a session's, wherever they have their skb. */
SEC(SECTION_REGISTERS)
int netcap_kprobe(void *ctx)
{
	union netcap_place place;
	__u64 value;

	if (!active())
		return 0;
	place.word = site_word(function_address(ctx));
	value = register_argument(ctx, place.skb_arg);
	if (place.indirect)
		value = pointer_in(value, place.indirect_at);
	return hit(ctx, place, packet_cast(value), PACKET_CAST, true, false);
}

/* Functions with a packet of XDP, and XDP programs, by fentry. */
SEC(SECTION_ARGUMENTS)
int netcap_xdp(__u64 *ctx)
{
	__u64 address;

	if (!active())
		return 0;
	address = source_number(argument(ctx, CONFIG(skb_arg))) & ~(__u64)SOURCE_KINDS;
	return hit_xdp(ctx, CONFIG(point), address | CONFIG(source), false, CONFIG(calls));
}

/* The same by kprobe and kprobe.multi. */
SEC(SECTION_REGISTERS)
int netcap_xdp_kprobe(void *ctx)
{
	union netcap_place place;
	__u64 address;

	if (!active())
		return 0;
	place.word = site_word(function_address(ctx));
	address = register_argument(ctx, place.skb_arg);
	return hit_xdp(ctx, place.point, address | place.source, true, false);
}

/* The return of a function, whose entry has one of the programs above by fentry. */
SEC(SECTION_ARGUMENTS)
int netcap_return(__u64 *ctx)
{
	struct netcap_return *r;
	__u64 frame = call_frame(ctx);

	if (!active() || !bpf_map_lookup_elem(&netcap_calls, &frame))
		return 0;
	bpf_map_delete_elem(&netcap_calls, &frame);
	r = bpf_ringbuf_reserve(&netcap_ring, sizeof(*r), 0);
	if (!r)
		return 0; /* the packet arrives without its return */
	r->time_ns = bpf_ktime_get_ns();
	r->frame = frame;
	r->value = argument(ctx, CONFIG(return_arg));
	bpf_ringbuf_submit(r, wake_flags(0));
	return 0;
}

/* Beside a session that follows packets: a function that makes an sk_buff of another one, its first two arguments. */
SEC(SECTION_ARGUMENTS)
int netcap_copy(void *ctx)
{
	if (active())
		track_copy(track_argument(ctx, 0), track_argument(ctx, 1));
	return 0;
}

/* The same for a function that frees one. */
SEC(SECTION_ARGUMENTS)
int netcap_free(void *ctx)
{
	struct netcap_end *end;
	__u64 number;

	if (!active())
		return 0;
	number = track_free(track_argument(ctx, CONFIG(skb_arg)));
	if (!number)
		return 0;
	end = bpf_ringbuf_reserve(&netcap_ring, sizeof(*end), 0);
	if (!end)
		return 0; /* whoever waits for it knows that it may not come */
	end->time_ns = bpf_ktime_get_ns();
	end->track = number;
	bpf_ringbuf_submit(end, wake_flags(0));
	return 0;
}
