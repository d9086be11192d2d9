# SPDX-License-Identifier: BSD-2-Clause
# an IPv4 packet that this host forwards, from one device to another

# the device has handed it to the stack
tracepoint:net:netif_receive_skb
# before netfilter's prerouting; packets that come in a list do not pass ip_rcv
ip_rcv_core | ip_rcv
# routed, and not meant for this host; before netfilter's forward
ip_forward
# behind it, before netfilter's postrouting
ip_output
# behind that, before the neighbour's address is known
ip_finish_output2
# before the queueing discipline
tracepoint:net:net_dev_queue
# behind it: the driver gets the packet. What it waited in the queue is the time since the line above
tracepoint:net:net_dev_start_xmit
