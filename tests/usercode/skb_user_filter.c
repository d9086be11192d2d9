// SPDX-License-Identifier: BSD-2-Clause
// netcapctl skb -f tracepoint:skb:kfree_skb --user-filter skb_user_filter.c

// All packets match; the kernel's trace pipe tells where each of them was seen.
static inline int xcap_user_filter(void *ctx, void *pkt, u16 trace_index)
{
    bpf_trace_printk("user filter at trace point %d\n", trace_index);
    return 1;
}
