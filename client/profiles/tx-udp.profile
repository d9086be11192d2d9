# SPDX-License-Identifier: BSD-2-Clause
# a UDP packet over IPv4 on its way out, from the socket to the driver

# its UDP header is not written yet
udp_send_skb
ip_send_skb
# before netfilter's output
__ip_local_out
# behind it, before netfilter's postrouting
ip_output
# behind that, before the neighbour's address is known
ip_finish_output2
# before the queueing discipline
tracepoint:net:net_dev_queue
# behind it: the driver gets the packet. What it waited in the queue is the time since the line above
tracepoint:net:net_dev_start_xmit
