# SPDX-License-Identifier: BSD-2-Clause
# a forwarded IPv4 packet whose source address is translated (SNAT, masquerade)
# Give --track with it: a filter sees the new address only behind nf_nat_manip_pkt. Of DNAT, that comes before ip_forward.
# Its functions are in modules: they can be traced while there are rules that need them.

# the device has handed it to the stack
tracepoint:net:netif_receive_skb
# prerouting: which connection is it of?
nf_conntrack_in@1
# what NAT has to do with it; again in postrouting
nf_nat_inet_fn@2
ip_forward
# before postrouting
ip_output
# its addresses and ports are changed
nf_nat_manip_pkt@1
# behind postrouting
ip_finish_output2
# before the queueing discipline
tracepoint:net:net_dev_queue
# behind it: the driver gets the packet. What it waited in the queue is the time since the line above
tracepoint:net:net_dev_start_xmit
