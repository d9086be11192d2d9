// SPDX-License-Identifier: BSD-2-Clause
struct xcap_user_extend {
	u32 mark;     // format: 0x%x
	u32 length;
	u32 data_len;
	u16 network;
	u16 transport;
	u64 socket;   // format: 0x%x
};

static inline int xcap_user_action(void *ctx, void *pkt, u32 pkt_len, struct xcap_user_extend *user, u16 trace_index)
{
	struct sk_buff *skb = pkt;

	user->mark = skb->mark;
	user->length = skb->len;
	user->data_len = skb->data_len;
	user->network = skb->network_header;
	user->transport = skb->transport_header;
	user->socket = (u64)skb->sk;
	return 1;
}
