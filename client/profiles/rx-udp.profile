# SPDX-License-Identifier: BSD-2-Clause
# a UDP packet over IPv4 on its way in, from the device to the program that reads it

# the device has handed it to the stack
tracepoint:net:netif_receive_skb
# before netfilter's prerouting; packets that come in a list do not pass ip_rcv
ip_rcv_core | ip_rcv
# routed, and meant for this host; before netfilter's input
ip_local_deliver
# behind it: each protocol gets its packets from here
ip_protocol_deliver_rcu
udp_rcv
# its socket is known
udp_queue_rcv_one_skb
# into the queue of the socket, if there is room
__udp_enqueue_schedule_skb
# the program has read it
skb_consume_udp
