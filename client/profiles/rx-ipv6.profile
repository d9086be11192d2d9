# SPDX-License-Identifier: BSD-2-Clause
# an IPv6 packet on its way in, from the device to the protocol above IP

# the device has handed it to the stack
tracepoint:net:netif_receive_skb
# before netfilter's prerouting; packets that come in a list do not pass ipv6_rcv
ip6_rcv_core | ipv6_rcv
# routed, and meant for this host; before netfilter's input
ip6_input
# behind it: each protocol gets its packets from here
ip6_protocol_deliver_rcu
