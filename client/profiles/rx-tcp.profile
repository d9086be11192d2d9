# SPDX-License-Identifier: BSD-2-Clause
# a TCP packet over IPv4 on its way in, from the device to the program that reads it

# the device has handed it to the stack
tracepoint:net:netif_receive_skb
# before netfilter's prerouting; packets that come in a list do not pass ip_rcv
ip_rcv_core | ip_rcv
# routed, and meant for this host; before netfilter's input
ip_local_deliver
# behind it: each protocol gets its packets from here
ip_protocol_deliver_rcu
tcp_v4_rcv
# its socket is known; one that is in use by its program takes the packet when that is done
tcp_v4_do_rcv
# of a connection that is established: SYN, and the last ACK of the handshake, go elsewhere
tracepoint:tcp:tcp_probe
# the program reads; packets without data end above, and small ones may have been put together before
tracepoint:skb:skb_copy_datagram_iovec
