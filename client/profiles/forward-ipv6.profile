# SPDX-License-Identifier: BSD-2-Clause
# an IPv6 packet that this host forwards, from one device to another

# the device has handed it to the stack
tracepoint:net:netif_receive_skb
# before netfilter's prerouting; packets that come in a list do not pass ipv6_rcv
ip6_rcv_core | ipv6_rcv
# routed, and not meant for this host; netfilter's forward is at its end
ip6_forward
# before netfilter's postrouting
ip6_output
# behind that, before the neighbour's address is known
ip6_finish_output2
# before the queueing discipline
tracepoint:net:net_dev_queue
# behind it: the driver gets the packet. What it waited in the queue is the time since the line above
tracepoint:net:net_dev_start_xmit
