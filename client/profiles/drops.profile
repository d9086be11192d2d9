# SPDX-License-Identifier: BSD-2-Clause
# packets that are dropped, and what TCP sends again because one was

# dropped, with the reason from Linux 5.17 on
tracepoint:skb:kfree_skb
# the queue of a raw, ping or packet socket is full
tracepoint:sock:sock_rcvqueue_full
# the queue of a UDP socket is full; Linux 6.10 and later say of which packet
?tracepoint:udp:udp_fail_queue_rcv_skb
# TCP's checksum is wrong; Linux 5.13 and later
?tracepoint:tcp:tcp_bad_csum
# sent again
tracepoint:tcp:tcp_retransmit_skb
