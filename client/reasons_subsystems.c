/* SPDX-License-Identifier: BSD-2-Clause */
/* Drop reasons of Open vSwitch and of qdiscs. Sorted by name. */
#include "explain.h"

static const struct explain_entry openvswitch[] = {
	{"OVS_DROP_ACTION_ERROR",
	 "An action of an Open vSwitch flow failed on the packet, so the rest of its actions was "
	 "not done.",
	 "See the flow and its actions with 'ovs-appctl dpctl/dump-flows -m', and dmesg; an "
	 "output port may be gone or memory short."},
	{"OVS_DROP_CONNTRACK",
	 "Open vSwitch's connection tracking action failed on the packet: table full, invalid "
	 "fragment, or no memory.",
	 "Look at 'ovs-appctl dpctl/ct-stats-show', 'conntrack -S', 'sysctl "
	 "net.netfilter.nf_conntrack_max net.netfilter.nf_conntrack_count' and dmesg."},
	{"OVS_DROP_DEFERRED_LIMIT",
	 "A packet had more actions to be done later, such as recirculation, than Open vSwitch can "
	 "remember.",
	 "Look at the flow with 'ovs-appctl dpctl/dump-flows -m' and 'ovs-appctl ofproto/trace': "
	 "too many recirculations, clones or samples in one pipeline."},
	{"OVS_DROP_EXPLICIT",
	 "An Open vSwitch flow says drop, and user space gave no error as its cause.",
	 "Find the rule: 'ovs-appctl dpctl/dump-flows' (actions:drop), then 'ovs-appctl "
	 "ofproto/trace BRIDGE FLOW' and 'ovs-ofctl dump-flows BRIDGE'."},
	{"OVS_DROP_EXPLICIT_WITH_ERROR",
	 "An Open vSwitch flow says drop because ovs-vswitchd met an error as it translated the "
	 "OpenFlow rules.",
	 "Run 'ovs-appctl ofproto/trace BRIDGE FLOW', which names the error (too many resubmits, "
	 "no tunnel, a loop), and read the log of ovs-vswitchd."},
	{"OVS_DROP_FRAG_INVALID_PROTO",
	 "Open vSwitch had to fragment the packet on output, and it is neither IPv4 nor IPv6.",
	 "Compare the MTU of the ports ('ip link show DEV', 'ovs-vsctl list interface') with the "
	 "size of the frames, which cannot be fragmented."},
	{"OVS_DROP_FRAG_L2_TOO_LONG",
	 "Open vSwitch had to fragment the packet on output, and its headers in front of IP are "
	 "too long for that.",
	 "Look for many VLAN or MPLS headers: 'ovs-appctl dpctl/dump-flows -m' (push_vlan, "
	 "push_mpls); raise the MTU of the output port."},
	{"OVS_DROP_IP_TTL",
	 "An Open vSwitch flow decrements the TTL, and the packet's was used up.",
	 "Run 'traceroute DST' and look for a routing loop between logical routers: 'ovs-appctl "
	 "ofproto/trace BRIDGE FLOW'."},
	{"OVS_DROP_LAST_ACTION",
	 "The Open vSwitch flow ended without an action that took the packet: a flow with no "
	 "actions, as OpenFlow says drop.",
	 "Find the rule: 'ovs-appctl dpctl/dump-flows' (actions:drop), then 'ovs-appctl "
	 "ofproto/trace BRIDGE FLOW' and 'ovs-ofctl dump-flows BRIDGE'."},
	{"OVS_DROP_METER",
	 "An Open vSwitch meter dropped the packet: the flow is above its rate.",
	 "Look at 'ovs-ofctl -O OpenFlow13 meter-stats BRIDGE' and 'ovs-ofctl -O OpenFlow13 "
	 "dump-meters BRIDGE' (rate, burst)."},
	{"OVS_DROP_RECURSION_LIMIT",
	 "The packet went through Open vSwitch actions nested too deep, for example from patch "
	 "port to patch port.",
	 "Look for a loop between bridges: 'ovs-appctl ofproto/trace BRIDGE FLOW', 'ovs-vsctl "
	 "show' (patch ports), and dmesg."},
};

static const struct explain_entry qdisc[] = {
	{"QDISC_DROP_BAND_LIMIT",
	 "The qdisc (fq) held as many packets as it may in the packet's priority band.",
	 "Look at 'tc -s qdisc show dev DEV' (limit, band drops); raise limit, or slow down the "
	 "senders."},
	{"QDISC_DROP_CONGESTED",
	 "The qdisc's queue management (codel, fq_codel, pie, red, cake) dropped the packet "
	 "because the queue has been too long for too long.",
	 "This is how senders are told to slow down. Look at 'tc -s qdisc show dev DEV' (drops, "
	 "target, backlog); if the rate is too low, see the shaper."},
	{"QDISC_DROP_FLOOD_PROTECTION",
	 "The qdisc (cake) dropped a packet of a flow that does not slow down when its packets are "
	 "dropped.",
	 "Look at 'tc -s qdisc show dev DEV' and find the flow that floods, for example with "
	 "'netcapctl skb -f tracepoint:skb:kfree_skb'."},
	{"QDISC_DROP_FLOW_LIMIT",
	 "One flow had as many packets in the qdisc (fq, sfq) as a flow may have.",
	 "Look at 'tc -s qdisc show dev DEV' (flow_limit, depth): an unpaced sender, often UDP. "
	 "Raise that limit, or pace the sender."},
	{"QDISC_DROP_GENERIC",
	 "The qdisc dropped the packet in a place that gives no closer reason.",
	 "Look at 'tc -s qdisc show dev DEV' and 'tc -s class show dev DEV' (dropped, "
	 "overlimits); 'netcapctl skb -f tracepoint:skb:kfree_skb -S' shows the function."},
	{"QDISC_DROP_HORIZON_LIMIT",
	 "The packet asked the qdisc (fq) to be sent at a time that is too far in the future.",
	 "Look at 'tc -s qdisc show dev DEV' (horizon, horizon_drop) and at who sets the time: "
	 "SO_TXTIME, SO_MAX_PACING_RATE or a BPF program."},
	{"QDISC_DROP_L4S_STEP_NON_ECN",
	 "The qdisc dualpi2 dropped a packet of its low-latency queue that waited beyond the step "
	 "threshold and cannot be marked, as its sender knows no ECN.",
	 "Look at 'tc -s qdisc show dev DEV' (step_marks, delays) and at 'sysctl "
	 "net.ipv4.tcp_ecn' of the sender; see what classifies it into that queue."},
	{"QDISC_DROP_MAXFLOWS",
	 "The qdisc (sfq) had no room for another flow: its table of flows is full.",
	 "Look at 'tc -s qdisc show dev DEV' (flows, divisor) and count flows with 'ss -tn'; "
	 "raise flows, or use fq_codel."},
	{"QDISC_DROP_OVERLIMIT",
	 "The qdisc held as many packets or bytes as it may.",
	 "Look at 'tc -s qdisc show dev DEV' (limit, backlog): raise limit or txqueuelen, or the "
	 "rate of the shaper, or slow down the senders."},
};

const struct explain_table reasons_openvswitch = {
	"openvswitch", openvswitch, sizeof(openvswitch) / sizeof(*openvswitch)
};

const struct explain_table reasons_qdisc = {
	"qdisc", qdisc, sizeof(qdisc) / sizeof(*qdisc)
};
