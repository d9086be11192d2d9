// SPDX-License-Identifier: BSD-2-Clause
// What tests/usercode does not have: tables, texts and bit fields. For tests/vm/usercode.

static const u16 ports[] = {80, 443, 8080, 53, 99, 9001, 777, 22};
static const char names[][8] = {"zero", "one", "two", "three"};

struct xcap_user_extend {
	u16 port;
	char name[8];
	u32 type;
};

static inline int xcap_user_action(void *ctx, void *pkt, u32 pkt_len, struct xcap_user_extend *user, u16 trace_index)
{
	struct sk_buff *skb = pkt;
	u32 at = skb->mark + 3;

	user->port = ports[at & 7];
	bpf_probe_read_kernel_str(user->name, sizeof(user->name), names[at & 3]);
	user->type = BPF_CORE_READ_BITFIELD(skb, pkt_type);
	return 1;
}
