# SPDX-License-Identifier: BSD-2-Clause
# a TCP packet over IPv4 on its way out, from the socket to the driver
# With --track: __tcp_transmit_skb goes on with a clone, as the socket keeps the packet until it is acknowledged.

# its headers are not written yet
__tcp_transmit_skb
# TCP's header is
__ip_queue_xmit
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
