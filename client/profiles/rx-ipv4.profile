# SPDX-License-Identifier: BSD-2-Clause
# an IPv4 packet on its way in, from the device to the protocol above IP
# Go on with @rx-tcp, @rx-udp or @icmp-echo for what is above.

# the device has handed it to the stack
tracepoint:net:netif_receive_skb
# before netfilter's prerouting; packets that come in a list do not pass ip_rcv
ip_rcv_core | ip_rcv
# routed, and meant for this host; before netfilter's input
ip_local_deliver
# behind it: each protocol gets its packets from here
ip_protocol_deliver_rcu
