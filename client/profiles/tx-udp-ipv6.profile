# SPDX-License-Identifier: BSD-2-Clause
# a UDP packet over IPv6 on its way out, from the socket to the driver

# its UDP header is not written yet
udp_v6_send_skb
ip6_send_skb
# before netfilter's output
__ip6_local_out
# behind it, before netfilter's postrouting
ip6_output
# behind that, before the neighbour's address is known
ip6_finish_output2
# before the queueing discipline
tracepoint:net:net_dev_queue
# behind it: the driver gets the packet. What it waited in the queue is the time since the line above
tracepoint:net:net_dev_start_xmit
