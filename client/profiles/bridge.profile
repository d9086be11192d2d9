# SPDX-License-Identifier: BSD-2-Clause
# a packet that a bridge forwards, from one of its ports to another
# Its functions are in a module: they can be traced while there is a bridge. Without types of modules (Linux 5.10) the
# number behind @ says which argument is the packet.

# the device of a port has handed it to the stack
tracepoint:net:netif_receive_skb
# behind the bridge's prerouting
br_handle_frame_finish@3
# the port is known; packets to several ports, and to unknown ones, are copied elsewhere
br_forward@2
# behind the bridge's forward
br_forward_finish@3
# behind its postrouting
br_dev_queue_push_xmit@3
# before the queueing discipline
tracepoint:net:net_dev_queue
# behind it: the driver gets the packet. What it waited in the queue is the time since the line above
tracepoint:net:net_dev_start_xmit
