// SPDX-License-Identifier: BSD-2-Clause
// netcapctl skb -f __ip_finish_output@3 -e "udp and host 10.227.0.72" -t "-nnv" --user-action ip_output_action.c

struct xcap_user_extend {
    int skb_len;
    int skb_datalen;

    uint32_t gso_size;
    uint32_t gso_segs;
    uint32_t gso_type; // format: 0x%x
};

// Where the packet will be cut into segments.
static inline struct skb_shared_info *shared_info(struct sk_buff *skb)
{
    void *head = _(skb->head);
    uint32_t end = _(skb->end);

    return (struct skb_shared_info *)(head + end);
}

static inline int xcap_user_action(void *ctx, void *pkt, u32 pkt_len, struct xcap_user_extend *user, u16 trace_index)
{
    struct sk_buff *skb = (struct sk_buff *)pkt;
    struct skb_shared_info *info = shared_info(skb);

    user->skb_len = skb->len;
    user->skb_datalen = skb->data_len;
    user->gso_size = _(info->gso_size);
    user->gso_segs = _(info->gso_segs);
    user->gso_type = _(info->gso_type);
    return 1;
}
