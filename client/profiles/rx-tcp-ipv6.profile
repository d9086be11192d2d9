# SPDX-License-Identifier: BSD-2-Clause
# a TCP packet over IPv6 on its way in, from the device to the program that reads it

# the device has handed it to the stack
tracepoint:net:netif_receive_skb
# before netfilter's prerouting; packets that come in a list do not pass ipv6_rcv
ip6_rcv_core | ipv6_rcv
# routed, and meant for this host; before netfilter's input
ip6_input
# behind it: each protocol gets its packets from here
ip6_protocol_deliver_rcu
tcp_v6_rcv
# its socket is known; one that is in use by its program takes the packet when that is done
tcp_v6_do_rcv
# of a connection that is established: SYN, and the last ACK of the handshake, go elsewhere
tracepoint:tcp:tcp_probe
# the program reads; packets without data end above, and small ones may have been put together before
tracepoint:skb:skb_copy_datagram_iovec
