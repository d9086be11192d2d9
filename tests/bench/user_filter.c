// SPDX-License-Identifier: BSD-2-Clause
static inline int xcap_user_filter(void *ctx, void *pkt, u16 trace_index)
{
	return ((struct sk_buff *)pkt)->mark == 0x7e57;
}
