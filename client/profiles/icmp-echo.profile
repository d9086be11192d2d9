# SPDX-License-Identifier: BSD-2-Clause
# a ping as it is received and answered, or its answer as it is received (IPv4)
# The answer that is sent is another packet; it passes the points of @tx-udp from ip_send_skb on.

# the device has handed it to the stack
tracepoint:net:netif_receive_skb
# before netfilter's prerouting; packets that come in a list do not pass ip_rcv
ip_rcv_core | ip_rcv
# routed, and meant for this host; before netfilter's input
ip_local_deliver
# behind it: each protocol gets its packets from here
ip_protocol_deliver_rcu
icmp_rcv
# requests only: the answer is made; -e "icmp[icmptype] = icmp-echo" for these
icmp_echo
# it has been dealt with: one that is dropped does not come here
tracepoint:skb:consume_skb
