// SPDX-License-Identifier: BSD-2-Clause
// netcapctl skb -f tcp_drop@2 -e "tcp" --ext-filter skb_filter_tcp_fin.c

struct _tcphdr {
	__be16	source;
	__be16	dest;
	__be32	seq;
	__be32	ack_seq;
	__u16	bits;	// data offset and flags, in network order
	__be16	window;
	__sum16	check;
	__be16	urg_ptr;
};

#define FIN 0x0100

static inline int xcap_ext_filter(void *ext, void *pkt, u16 trace_index)
{
	struct sk_buff *skb = (struct sk_buff *)pkt;
	struct _tcphdr *th = (struct _tcphdr *)(skb->head + skb->transport_header);

	if (th->bits & FIN)
		return 1;
	return 0;
}
