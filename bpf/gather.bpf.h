/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ways of packets through the trace points. The first time that a packet matches it is captured, and has a number from
 * then on (track.bpf.h). Where it is seen again a short record says so, without its bytes. With slower_ns nothing is sent
 * until it has turned out to be slow, and with histogram nothing at all.
 *
 * What is done by a packet's number takes and gives numbers only: global functions, which the verifier looks at once.
 */
#ifndef NETCAP_GATHER_BPF_H
#define NETCAP_GATHER_BPF_H

#include "call.bpf.h"
#include "context.bpf.h"
#include "content.bpf.h"
#include "packet.bpf.h"
#include "ring.bpf.h"
#include "track.bpf.h"
#include "wanted.bpf.h"

/* A way in netcap_journeys, of zeroes: it is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct netcap_journey);
} netcap_blank SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct netcap_edge);
} netcap_edges SEC(".maps");

/* What is to be sent of a packet that is seen. */
enum gather_what {
	GATHER_NOTHING,
	GATHER_STEP,
	GATHER_WHOLE,   /* its bytes, and where it was before */
	GATHER_LIMITED, /* nothing, as all packets are captured that were asked for */
};

/* Are all packets captured that are asked for? */
static __always_inline bool limit_reached(void)
{
	return CONFIG(count) && *(volatile __u64 *)&netcap_control.taken >= CONFIG(count);
}

/* Does the kernel keep the ways? */
static __always_inline bool gather_keeps(void)
{
	return CONFIG(histogram) || CONFIG(slower_ns);
}

/* What a packet is known by. */
static __always_inline __u64 gather_key(struct sk_buff *skb, const struct netcap_packet *pkt, const void *direct)
{
	if (CONFIG(gather) != NETCAP_GATHER_CONTENT)
		return source_number((__u64)skb);
	return content_key(source_number((__u64)packet_linear(pkt, direct)), pkt->linear < 0 ? 0 : pkt->linear,
			   pkt->link == NETCAP_LINK_ETHERNET);
}

/* How long ago it was. Another CPU may have written a time that this one has yet to read. */
static __always_inline __u64 gather_since(__u64 then, __u64 now)
{
	return now > then ? now - then : 0;
}

/*
 * Is it still the packet that the trace is of? Not if that was not seen for the timeout. And where sk_buffs go unseen,
 * another one may be at the same address: a packet that is at the first trace point again, and is not what it was, is
 * one.
 */
static __always_inline bool gather_is_same(const struct netcap_trace *trace, __u64 key, __u32 point, __u64 now)
{
	if (gather_since(trace->seen_ns, now) > CONFIG(gather_timeout_ns))
		return false;
	return !CONFIG(restarts) || point || trace->content == content_of_skb(key);
}

/* The number of the packet that is known by this key; 0: it is new. */
__noinline __u64 gather_number(__u64 key, __u32 point)
{
	struct netcap_trace *trace = CONFIG(gather) ? bpf_map_lookup_elem(&netcap_track, &key) : NULL;
	__u64 now = bpf_ktime_get_ns();

	if (!trace)
		return 0;
	if (gather_is_same(trace, key, point, now)) {
		trace->seen_ns = now;
		return trace->number;
	}
	if (!bpf_map_delete_elem(&netcap_track, &key))
		__sync_fetch_and_add(&netcap_control.track_gone, 1);
	return 0;
}

/* The first record of the packet was lost: the others must not be sent, as there is nothing to put them with. */
__noinline long gather_spoil(__u64 key)
{
	struct netcap_trace *trace = CONFIG(gather) ? bpf_map_lookup_elem(&netcap_track, &key) : NULL;

	if (!trace)
		return -1;
	trace->number |= NETCAP_SPOILED;
	return 0;
}

static __always_inline struct netcap_journey *gather_begin(__u64 number)
{
	__u32 zero = 0;
	struct netcap_journey *blank = bpf_map_lookup_elem(&netcap_blank, &zero);

	if (!blank)
		return NULL;
	bpf_map_update_elem(&netcap_journeys, &number, blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&netcap_journeys, &number);
}

/* How long it took from there to here. */
static __always_inline void gather_count(__u32 from, __u32 to, __u64 ns)
{
	__u64 key = NETCAP_EDGE(from, to, netcap_bucket(ns));
	struct netcap_edge *edge = bpf_map_lookup_elem(&netcap_edges, &key);
	struct netcap_edge first = { .count = 1, .min_ns = ns, .max_ns = ns };

	if (!edge && bpf_map_update_elem(&netcap_edges, &key, &first, BPF_NOEXIST)) {
		/* this CPU's memory may be there now, since another CPU has put it */
		edge = bpf_map_lookup_elem(&netcap_edges, &key);
		if (!edge)
			__sync_fetch_and_add(&netcap_control.gather_full, 1);
	}
	if (!edge)
		return;
	edge->min_ns = !edge->count || ns < edge->min_ns ? ns : edge->min_ns;
	edge->max_ns = ns > edge->max_ns ? ns : edge->max_ns;
	__sync_fetch_and_add(&edge->count, 1); /* an interrupt may do so, too */
}

static __always_inline void gather_histogram(struct netcap_journey *j, __u32 point, __u64 now)
{
	struct netcap_counters *counters = bpf_map_lookup_elem(&netcap_counters, &point);

	if (j->first_ns)
		gather_count(j->last_point, point, gather_since(j->last_ns, now));
	if (counters && !(j->visited & 1ull << (point & 63)))
		__sync_fetch_and_add(&counters->arrived, 1);
}

static __always_inline enum gather_what gather_slower(struct netcap_journey *j, __u32 point, __u64 now)
{
	struct netcap_kept *kept;

	if (j->told)
		return GATHER_STEP;
	if (j->first_ns && gather_since(j->first_ns, now) > CONFIG(slower_ns)) {
		if (limit_reached())
			return GATHER_LIMITED;
		j->told = 1;
		return GATHER_WHOLE;
	}
	if (j->seen >= NETCAP_KEPT_MOST)
		return GATHER_NOTHING;
	kept = &j->kept[j->seen & (NETCAP_KEPT_MOST - 1)];
	kept->time_ns = now;
	kept->point = point;
	kept->cpu = bpf_get_smp_processor_id();
	return GATHER_NOTHING;
}

/* The packet with this number is seen at the trace point. enum gather_what. */
__noinline long gather_note(__u64 number, __u32 point)
{
	struct netcap_journey *j = gather_keeps() ? bpf_map_lookup_elem(&netcap_journeys, &number) : NULL;
	enum gather_what what = GATHER_NOTHING;
	__u64 now = bpf_ktime_get_ns();

	if (!gather_keeps())
		return GATHER_STEP;
	if (!j)
		j = gather_begin(number);
	if (!j)
		return GATHER_NOTHING;
	if (CONFIG(histogram))
		gather_histogram(j, point, now);
	else
		what = gather_slower(j, point, now);
	if (!j->first_ns)
		j->first_ns = now;
	j->last_ns = now;
	j->last_point = point;
	j->visited |= 1ull << (point & 63);
	j->seen++;
	return what;
}

/* Sends where a packet was before it was slow. 0 if it worked. */
__noinline long gather_tell(__u64 number)
{
	struct netcap_journey *j = CONFIG(slower_ns) ? bpf_map_lookup_elem(&netcap_journeys, &number) : NULL;
	struct netcap_history *h;
	__u32 before;

	if (!j)
		return -1;
	h = bpf_ringbuf_reserve(&netcap_ring, sizeof(*h), 0);
	if (!h) {
		__sync_fetch_and_add(&netcap_control.gather_lost, 1);
		return -1;
	}
	before = j->seen - 1; /* without the time that it was found slow */
	h->track = number;
	h->count = before < NETCAP_KEPT_MOST ? before : NETCAP_KEPT_MOST;
	h->dropped = before - h->count;
	h->visited = j->visited;
	h->pad = 0;
	__builtin_memcpy(h->kept, j->kept, sizeof(h->kept));
	bpf_ringbuf_submit(h, wake_flags(0));
	return 0;
}

/* Where the packet is. */
#ifdef NETCAP_PROCESS
/* A function of its own, which has its own stack beside that of the filter. */
static __noinline long gather_port(struct netcap_step *s, __u64 mbuf)
{
	s->netns = process_netns();
	process_device(process_port(mbuf), s->dev);
	return 0;
}

static __always_inline void gather_place(struct netcap_step *s, struct sk_buff *mbuf, struct net_device *dev, bool typed)
{
	s->ifindex = 0;
	gather_port(s, (__u64)mbuf);
}
#else
static __always_inline void gather_place(struct netcap_step *s, struct sk_buff *skb, struct net_device *dev, bool typed)
{
	s->ifindex = PACKET_GET(typed, dev, ifindex);
	s->netns = dev_netns(dev, typed);
	bpf_core_read(s->dev, sizeof(s->dev), &dev->name);
}
#endif

static __always_inline void gather_fill(struct netcap_step *s, void *ctx, __u32 point, struct sk_buff *skb,
					__u64 number, struct net_device *dev, bool typed, bool calls)
{
	s->time_ns = bpf_ktime_get_ns();
	s->track = number;
	s->skb = source_number((__u64)skb);
	s->flags = 0;
	s->location = argument(ctx, CONFIG(location_arg));
	s->reason = argument(ctx, CONFIG(reason_arg));
	if (calls) {
		s->frame = call_remember(ctx);
		s->flags |= s->frame ? NETCAP_F_CALL : 0;
	}
	s->point = point;
	s->cpu = bpf_get_smp_processor_id();
	s->pid = bpf_get_current_pid_tgid() >> 32;
	s->stack_bytes = 0;
	gather_place(s, skb, dev, typed);
	__builtin_memset(s->pad, 0, sizeof(s->pad));
}

static __always_inline struct netcap_step *gather_reserve(void)
{
	if (CONFIG(stack))
		return bpf_ringbuf_reserve(&netcap_ring, sizeof(struct netcap_step) + NETCAP_STACK_FRAMES * sizeof(__u64),
					   0);
	return bpf_ringbuf_reserve(&netcap_ring, sizeof(struct netcap_step), 0);
}

static __always_inline void gather_stack(struct netcap_step *s, void *ctx)
{
	long got;

	if (!CONFIG(stack))
		return;
	got = bpf_get_stack(ctx, s->stack, NETCAP_STACK_FRAMES * sizeof(__u64), 0);
	s->flags |= NETCAP_F_STACK;
	s->stack_bytes = got > 0 ? got : 0;
}

/* A hit of a packet whose way will say nothing of it, or that has none. */
static __always_inline void gather_lost(struct netcap_counters *counters)
{
	__sync_fetch_and_add(&netcap_control.gather_lost, 1);
	__sync_fetch_and_add(&counters->lost, 1);
}

/* Sends that a packet is seen again, and counts the hit. */
static __always_inline void gather_step(void *ctx, __u32 point, struct sk_buff *skb, __u64 number,
					struct net_device *dev, struct netcap_counters *counters, bool typed, bool calls)
{
	struct netcap_step *s = gather_reserve();

	if (!s) {
		gather_lost(counters);
		return;
	}
	gather_fill(s, ctx, point, skb, number, dev, typed, calls);
	gather_stack(s, ctx);
	__sync_fetch_and_add(&counters->captured, 1);
	bpf_ringbuf_submit(s, wake_flags(0));
}

/* Nothing is sent of it: in the histogram it is, and one that is not slow is none that was asked for. */
static __always_inline void gather_nothing(struct netcap_counters *counters)
{
	__sync_fetch_and_add(CONFIG(histogram) ? &counters->captured : &counters->filtered, 1);
}

/*
 * A packet that has a number. False: it has turned out to be slow, and must be captured. counters has the hit if it is
 * true.
 */
static __always_inline bool gather_again(void *ctx, __u32 point, struct sk_buff *skb, __u64 number,
					 struct net_device *dev, struct netcap_counters *counters, bool typed, bool calls)
{
	long what = GATHER_STEP;

	if (number & NETCAP_SPOILED) {
		gather_lost(counters);
		return true;
	}
	if (gather_keeps())
		what = gather_note(number, point);
	if (what == GATHER_WHOLE)
		return false;
	if (what == GATHER_LIMITED)
		__sync_fetch_and_add(&counters->limited, 1);
	else if (what == GATHER_STEP)
		gather_step(ctx, point, skb, number, dev, counters, typed, calls);
	else
		gather_nothing(counters);
	return true;
}

/*
 * With gather, a packet that matches. True: the hit is counted, and there is nothing more to do. Where packets are
 * told apart by their numbers, those that have one do not come here.
 */
static __always_inline bool gather_matches(void *ctx, __u32 point, struct sk_buff *skb, struct net_device *dev,
				     const struct netcap_packet *pkt, struct netcap_counters *counters,
				     const void *direct, bool typed, bool calls)
{
	__u64 number = 0;

	if (CONFIG(gather) != NETCAP_GATHER_TRACK)
		number = gather_number(gather_key(skb, pkt, direct), point);
	if (number)
		return gather_again(ctx, point, skb, number, dev, counters, typed, calls);
	if (limit_reached()) {
		__sync_fetch_and_add(&counters->limited, 1);
		return true;
	}
	number = track_begin(gather_key(skb, pkt, direct)); /* again, as the stack is short */
	if (!gather_keeps())
		return false;
	if (number)
		gather_note(number, point);
	gather_nothing(counters);
	return true;
}

#endif
