/* SPDX-License-Identifier: BSD-2-Clause */
/* Drop reasons of the core: devices, queues, tc, IP, neighbours, tunnels. Sorted by name. */
#include "explain.h"

static const struct explain_entry core[] = {
	{"ARP_PVLAN_DISABLE",
	 "A packet other than IP (an ARP request) would have been answered out of the device that "
	 "it came in by, which needs proxy_arp_pvlan.",
	 "Look at 'sysctl net.ipv4.conf.DEV.proxy_arp net.ipv4.conf.DEV.proxy_arp_pvlan'. It is "
	 "normal unless hosts on that link are to be isolated."},
	{"BPF_CGROUP_EGRESS",
	 "A BPF program that is attached to the sender's cgroup forbade the packet to leave.",
	 "Find it with 'bpftool cgroup tree' (egress), then 'bpftool prog show id N'; systemd's "
	 "IPAddressDeny= and Kubernetes agents attach such programs."},
	{"BRIDGE_INGRESS_STP_STATE",
	 "The bridge port that the frame came in by does not forward: spanning tree has it "
	 "blocked, listening or learning, or it is disabled.",
	 "Look at the port's state with 'bridge -d link show' and at 'ip -d link show BRIDGE' "
	 "(stp_state, forward_delay)."},
	{"CAKE_FLOOD",
	 "The qdisc cake dropped a packet of a flow that does not slow down when its packets are "
	 "dropped.",
	 "Look at 'tc -s qdisc show dev DEV' and find the flow that floods, for example with "
	 "'netcapctl skb -f tracepoint:skb:kfree_skb'."},
	{"CANFD_RX_INVALID_FRAME",
	 "A received frame was no valid CAN FD frame, or came from a device that cannot receive "
	 "CAN.",
	 "Look at 'ip -d -s link show DEV' and at the driver or program that makes the frames "
	 "(vcan, slcan, packet sockets)."},
	{"CANXL_RX_INVALID_FRAME",
	 "A received frame was no valid CAN XL frame, or came from a device that cannot receive "
	 "CAN.",
	 "Look at 'ip -d -s link show DEV' (mtu) and at the driver or program that makes the "
	 "frames (vcan, packet sockets)."},
	{"CAN_RX_INVALID_FRAME",
	 "A received frame was no valid classical CAN frame, or came from a device that cannot "
	 "receive CAN.",
	 "Look at 'ip -d -s link show DEV' and at the driver or program that makes the frames "
	 "(vcan, slcan, packet sockets)."},
	{"CPU_BACKLOG",
	 "The queue of packets that wait for a CPU (RPS, loopback, veth, tunnels) was full, or the "
	 "flow limit of that CPU hit.",
	 "See columns 2 and 11 of /proc/net/softnet_stat (dropped, flow limit); raise 'sysctl "
	 "net.core.netdev_max_backlog' or spread the load: RPS, more queues."},
	{"DEV_HDR",
	 "What the device's driver needs in front of the packet was invalid: for tun and tap, the "
	 "virtio or packet information header.",
	 "The program that writes to the device, often a hypervisor or VPN, makes wrong headers: "
	 "see its log and 'ip -d link show DEV'."},
	{"DEV_READY",
	 "The device was down, or not ready to send or receive: for tun, no program has it open.",
	 "Look at 'ip -d -s link show DEV' (UP, LOWER_UP) and 'ip monitor link'; for tun and tap, "
	 "see that their program runs."},
	{"DUALPI2_STEP_DROP",
	 "The qdisc dualpi2 dropped a low-latency packet that waited beyond the step threshold and "
	 "could not be marked.",
	 "Look at 'tc -s qdisc show dev DEV' (step_marks, delays) and for senders in the L4S "
	 "queue that ignore marks."},
	{"DUP_FRAG",
	 "An IP fragment came that was received before, while its packet was still being put "
	 "together.",
	 "Look at 'nstat -az IpReasm* Ip6Reasm*': duplicates on the way (a loop, mirrored links), "
	 "or IP ids reused at high rates. Avoid fragments if you can."},
	{"FQ_BAND_LIMIT",
	 "The qdisc fq had as many packets as it may hold in the packet's priority band.",
	 "Look at 'tc -s qdisc show dev DEV' (limit, band drops); raise limit, or slow down the "
	 "senders."},
	{"FQ_FLOW_LIMIT",
	 "One flow had as many packets in the qdisc fq as a flow may have.",
	 "Look at 'tc -s qdisc show dev DEV' (flow_limit, flows_plimit): an unpaced sender, often "
	 "UDP. Raise flow_limit, or pace it."},
	{"FQ_HORIZON_LIMIT",
	 "The packet asked the qdisc fq to be sent at a time that is too far in the future.",
	 "Look at 'tc -s qdisc show dev DEV' (horizon, horizon_drop) and at who sets the time: "
	 "SO_TXTIME, SO_MAX_PACING_RATE or a BPF program."},
	{"FRAG_REASM_TIMEOUT",
	 "Not all fragments of an IP packet came in time, so those that did come were discarded.",
	 "Look at 'nstat -az IpReasmTimeout IpReasmFails Ip6ReasmTimeout' and 'sysctl "
	 "net.ipv4.ipfrag_time net.ipv4.ipfrag_high_thresh': fragments are lost on the way."},
	{"FRAG_TOO_FAR",
	 "Too many fragments of other packets came from the same sender while this IPv4 packet "
	 "waited for the rest.",
	 "Look at 'sysctl net.ipv4.ipfrag_max_dist' and 'nstat -az IpReasmFails'; reordering of "
	 "fragments by several links causes this."},
	{"FULL_RING",
	 "The ring between the kernel and the program that reads the device was full: tun, tap, "
	 "vhost; or the queue of an IP-TFS tunnel.",
	 "Look at 'ip -s link show DEV' (dropped): the VPN or hypervisor reads too slowly. Raise "
	 "txqueuelen ('ip link set DEV txqueuelen N')."},
	{"HDR_TRUNC",
	 "A header that should be there could not be read from the packet: it is too short, or its "
	 "parts could not be brought together.",
	 "Capture them: 'netcapctl skb -f tracepoint:skb:kfree_skb -S' shows the protocol whose "
	 "header is cut. A faulty sender, or a device that truncates."},
	{"ICMP_CSUM",
	 "The checksum of an ICMP message was wrong.",
	 "Look at 'nstat -az IcmpInCsumErrors Icmp6InCsumErrors' and 'ethtool -S DEV' for receive "
	 "errors; try 'ethtool -K DEV rx off'."},
	{"INVALID_PROTO",
	 "The packet breaks a rule of its protocol, such as an ICMP echo or timestamp request sent "
	 "to a broadcast address.",
	 "Look at 'sysctl net.ipv4.icmp_echo_ignore_broadcasts' and 'nstat -az IcmpInErrors'; who "
	 "sends it is in a capture."},
	{"IPV6DISABLED",
	 "IPv6 is disabled on the device that the packet came in by or was to leave by.",
	 "Look at 'sysctl net.ipv6.conf.all.disable_ipv6 net.ipv6.conf.DEV.disable_ipv6'. If that "
	 "is wanted, the drops are as well."},
	{"IPV6_BAD_EXTHDR",
	 "An IPv6 extension header was malformed, cut off, or in a place where it must not be.",
	 "Look at 'nstat -az Ip6InHdrErrors', and capture 'ip6' to see who sends such headers."},
	{"IPV6_NDISC_BAD_CODE",
	 "A neighbour discovery message had an ICMPv6 code other than 0.",
	 "Capture 'icmp6' at the device: a faulty or hostile host on the same link sends them."},
	{"IPV6_NDISC_BAD_OPTIONS",
	 "A neighbour discovery message had options that are malformed or not allowed in it.",
	 "Capture 'icmp6' at the device: a faulty or hostile host or router on the same link "
	 "sends them."},
	{"IPV6_NDISC_FRAG",
	 "A neighbour discovery message came in fragments, which this host does not accept (RFC "
	 "6980).",
	 "Look at 'sysctl net.ipv6.conf.DEV.suppress_frag_ndisc', and capture 'ip6' to find the "
	 "sender."},
	{"IPV6_NDISC_HOP_LIMIT",
	 "A neighbour discovery message had a hop limit below 255, so it does not come from this "
	 "link.",
	 "Somebody forges them, or a router or tunnel forwards what it must not: capture 'icmp6 "
	 "and ip6[7] != 255'."},
	{"IPV6_NDISC_NS_OTHERHOST",
	 "A neighbour solicitation asks for an address that is not this host's.",
	 "Normal: solicitations come by multicast. If the address should be here, see 'ip -6 "
	 "addr' (tentative, dadfailed) and 'ip -6 neigh show proxy'."},
	{"IPV6_TOO_MANY_EXTHDRS",
	 "The packet had more IPv6 extension headers than the kernel goes through.",
	 "Capture 'ip6' to find the sender; such packets are hardly ever legitimate."},
	{"IPVLAN_MULTICAST_BACKLOG",
	 "The queue of broadcast and multicast packets that wait to be copied to ipvlan devices "
	 "was full.",
	 "Reduce broadcasts and multicasts on the link, or the number of ipvlan devices; see 'ip "
	 "-s -d link show type ipvlan' (dropped). The limit is fixed."},
	{"IP_CSUM",
	 "The checksum of the IPv4 header was wrong.",
	 "Look at 'nstat -az IpExtInCsumErrors' and 'ethtool -S DEV' for receive errors: a faulty "
	 "link or device on the way."},
	{"IP_INADDRERRORS",
	 "The packet is for an address that is not this host's and that it does not forward to: "
	 "forwarding is off, the address is invalid, or IPv6 has not joined the group.",
	 "Look at 'nstat -az IpInAddrErrors Ip6InAddrErrors', 'sysctl net.ipv4.ip_forward "
	 "net.ipv6.conf.all.forwarding', and 'ip route get DST from SRC iif DEV'."},
	{"IP_INHDR",
	 "The IP header is invalid (version, length, options), or the TTL ran out as the packet "
	 "was to be forwarded.",
	 "Look at 'nstat -az IpInHdrErrors Ip6InHdrErrors'. If its TTL is 1, look for a routing "
	 "loop with 'traceroute DST'."},
	{"IP_INNOROUTES",
	 "A packet that came in has no route to its destination.",
	 "Look at 'nstat -az IpExtInNoRoutes Ip6InNoRoutes' and 'ip route get DST from SRC iif "
	 "DEV', also in 'ip rule' and in VRFs."},
	{"IP_INVALID_DEST",
	 "The destination of an IPv4 packet that came in is 0.0.0.0/8.",
	 "Turn on 'sysctl -w net.ipv4.conf.all.log_martians=1', which logs such packets with "
	 "their MAC addresses, and find the sender."},
	{"IP_INVALID_SOURCE",
	 "The source of an IPv4 packet that came in cannot be one: multicast, broadcast, 0.0.0.0, "
	 "or an address whose route is not unicast.",
	 "Turn on 'sysctl -w net.ipv4.conf.all.log_martians=1', and look at 'ip route get SRC' "
	 "(broadcast, blackhole, unreachable)."},
	{"IP_LOCALNET",
	 "A packet from or to 127.0.0.0/8 came in by a device other than loopback.",
	 "If it is wanted (NAT to loopback), set 'sysctl net.ipv4.conf.DEV.route_localnet'; else "
	 "find the sender with 'log_martians'."},
	{"IP_LOCAL_SOURCE",
	 "A packet came in from outside with one of this host's own addresses as its source.",
	 "A loop, a duplicate address ('arping -D -I DEV ADDRESS'), a forgery, or policy routing: "
	 "'ip rule', 'sysctl net.ipv4.conf.DEV.accept_local'."},
	{"IP_NOPROTO",
	 "No part of the kernel and no raw socket handles the packet's IP protocol number.",
	 "Look at 'nstat -az IpInUnknownProtos Ip6InUnknownProtos' and 'netcapctl skb -f "
	 "tracepoint:skb:kfree_skb': a module (gre, sctp, esp) may be missing."},
	{"IP_OUTNOROUTES",
	 "This host had no route for a packet that was to leave.",
	 "Look at 'nstat -az IpOutNoRoutes Ip6OutNoRoutes' and 'ip route get DST from SRC', with "
	 "its mark and network namespace; see 'ip rule' too."},
	{"IP_RPFILTER",
	 "The reverse path check failed: the route back to the source does not leave by the device "
	 "that the packet came in by.",
	 "Look at 'sysctl net.ipv4.conf.all.rp_filter net.ipv4.conf.DEV.rp_filter', 'ip route get "
	 "SRC' and 'nstat -az TcpExtIPReversePathFilter'; 2 is loose."},
	{"IP_TUNNEL_ECN",
	 "The congestion marks of a tunnel's outer and inner header contradict each other (RFC "
	 "6040).",
	 "Set the module parameter log_ecn_error (/sys/module/MODULE/parameters) to have them "
	 "logged: something between the tunnel's ends sets ECN bits wrongly."},
	{"LOCAL_MAC",
	 "A packet out of a VXLAN tunnel had the MAC address of this host's own device as its "
	 "source: a loop.",
	 "Look for a loop between bridge and tunnel, and for duplicates: 'bridge fdb show dev "
	 "VXLAN', 'ip -d link show type vxlan'."},
	{"MACVLAN_BROADCAST_BACKLOG",
	 "The queue of broadcast and multicast packets that wait to be copied to macvlan devices "
	 "was full.",
	 "Look at 'ip -d -s link show type macvlan' (bcqueuelen) and raise it ('ip link set DEV "
	 "type macvlan bcqueuelen N'), or reduce broadcasts."},
	{"MAC_IEEE_MAC_CONTROL",
	 "A bridge port got a frame for a MAC control address, such as pause frames "
	 "(01:80:c2:00:00:01), which bridges never forward.",
	 "Pause frames should end in the device: look at 'ethtool -a DEV', and turn flow control "
	 "off at the peer if it is not wanted."},
	{"MAC_INVALID_SOURCE",
	 "The source MAC address of the frame cannot be one: it is multicast or all zeros. A "
	 "bridge or a VXLAN device says so.",
	 "Capture with -t -e to see the address, and find its port with 'bridge fdb show': a "
	 "faulty driver, or a forgery."},
	{"NEIGH_CREATEFAIL",
	 "No neighbour entry (ARP, NDISC) could be made for the next hop: the table is full, or "
	 "memory ran out.",
	 "Look at dmesg for 'neighbour table overflow', 'ip -s ntable', and 'sysctl "
	 "net.ipv4.neigh.default.gc_thresh3 net.ipv6.neigh.default.gc_thresh3'."},
	{"NEIGH_DEAD",
	 "The next hop's neighbour entry was removed while the packet was about to use it.",
	 "Normal while addresses or links change: 'ip monitor neigh link'. If it goes on, look at "
	 "'ip -s ntable' (gc_thresh)."},
	{"NEIGH_FAILED",
	 "The next hop did not answer ARP or neighbour discovery, so what waited for its MAC "
	 "address was discarded.",
	 "Look at 'ip neigh show nud failed' and 'ip route get DST'; then 'arping -I DEV "
	 "NEXTHOP', and look at VLANs and cabling."},
	{"NEIGH_HH_FILLFAIL",
	 "The link-layer header could not be built for a packet whose neighbour is known.",
	 "Look at 'ip -s neigh show dev DEV' (lladdr) and 'ip -d link show DEV': the device's "
	 "type changed, or is being removed."},
	{"NEIGH_QUEUEFULL",
	 "Too many packets waited for the MAC address of the next hop, so the oldest one was "
	 "discarded.",
	 "Look at 'ip neigh show nud incomplete', 'ip -s ntable' (unres_discards) and 'sysctl "
	 "net.ipv4.neigh.DEV.unres_qlen_bytes'; the next hop may be down."},
	{"NETFILTER_DROP",
	 "A rule of netfilter (nftables, iptables, ebtables), or a part of it such as conntrack or "
	 "IPVS, said drop.",
	 "Look at counters in 'nft list ruleset' or 'iptables-save -c', then 'nft monitor trace' "
	 "with meta nftrace; and at 'conntrack -S'."},
	{"NOMEM",
	 "Memory for handling the packet could not be had.",
	 "Look at dmesg for 'page allocation failure', 'free -m', 'cat /proc/buddyinfo' and "
	 "memory limits of containers (memory.events)."},
	{"NOT_SPECIFIED",
	 "The kernel freed the packet as dropped in a place that gives no reason.",
	 "See the place: 'netcapctl skb -f tracepoint:skb:kfree_skb -S' shows the function and "
	 "its callers, and 'ip -s -s link' and 'nstat' often count it."},
	{"NO_TX_TARGET",
	 "There was nowhere to send the packet: a bridge had no port to flood it to, or a VXLAN "
	 "device knows no remote.",
	 "Look at 'bridge fdb show', 'bridge -d link show' (flood, state) and 'ip -d link show "
	 "DEV' (remote, group)."},
	{"OTHERHOST",
	 "The frame's MAC address is that of another host; it was seen only because the device is "
	 "promiscuous.",
	 "Normal while tcpdump or a bridge has it promiscuous ('ip -d link show DEV': "
	 "promiscuity). If not expected, look why the switch floods."},
	{"PACKET_SOCK_ERROR",
	 "A packet socket (tcpdump, DHCP clients, LLDP) could not take its copy: its buffer or "
	 "ring is full. The packet itself went on.",
	 "Look at 'ss -0nmp' (d of skmem) for the program; give it a larger buffer (tcpdump -B) "
	 "or a narrower filter."},
	{"PKT_TOO_BIG",
	 "The packet is larger than the MTU of its device or path, and must not be fragmented.",
	 "Look at 'ip link show DEV' (mtu), 'tracepath DST' and 'nstat -az IpFragFails "
	 "Ip6FragFails'; see that ICMP 'too big' messages are not filtered."},
	{"PKT_TOO_SMALL",
	 "The packet is shorter than its headers say or need.",
	 "Look at 'nstat -az IpExtInTruncatedPkts UdpInErrors', and capture with -t -v to see "
	 "which length is wrong, and who sends it."},
	{"QDISC_BURST_DROP",
	 "More packets than net.core.qdisc_max_burst were waiting for the lock of the device's "
	 "qdisc.",
	 "Look at 'sysctl net.core.qdisc_max_burst' and 'tc -s qdisc show dev DEV'; use a "
	 "multi-queue device with mq, so that CPUs do not share one qdisc."},
	{"QDISC_CONGESTED",
	 "The qdisc's queue management (codel, fq_codel, pie, red, cake) dropped the packet "
	 "because the queue has been too long for too long.",
	 "This is how senders are told to slow down. Look at 'tc -s qdisc show dev DEV' (drops, "
	 "target, backlog); if the rate is too low, see the shaper."},
	{"QDISC_DROP",
	 "The qdisc of the outgoing device did not take the packet: its queue was full, or its "
	 "rules said so.",
	 "Look at 'tc -s qdisc show dev DEV' and 'tc -s class show dev DEV' (dropped, overlimits, "
	 "backlog); raise limit, or slow down the senders."},
	{"QDISC_OVERLIMIT",
	 "The qdisc of the outgoing device held as many packets or bytes as it may.",
	 "Look at 'tc -s qdisc show dev DEV' (limit, backlog): raise limit or txqueuelen, or the "
	 "rate of the shaper, or slow down the senders."},
	{"QUEUE_PURGE",
	 "The packet was in a queue that was emptied as a whole, because its socket, device or "
	 "qdisc was closed or reset.",
	 "Look at what was closed or reconfigured at that time: 'ip monitor link', the journal; "
	 "'netcapctl skb -f tracepoint:skb:kfree_skb -S' shows which queue."},
	{"RECURSION_LIMIT",
	 "The packet went through stacked devices or tunnels so often that the kernel took it for "
	 "a loop.",
	 "Look at dmesg for 'Dead loop on virtual device', and at routes that send a tunnel's "
	 "packets into the tunnel itself: 'ip route get REMOTE'."},
	{"SKB_BAD_GSO",
	 "A large packet that was to be cut up (GSO) had headers that are not valid; it comes from "
	 "a guest, a tun device or a packet socket.",
	 "See which device or program made it: 'netcapctl skb -f tracepoint:skb:kfree_skb -S'. "
	 "The guest's driver or the program is faulty."},
	{"SKB_CSUM",
	 "The checksum of a packet could not be computed for a device or program that needs it "
	 "complete.",
	 "Look at 'ethtool -k DEV' (tx-checksum) and at who makes the packet: 'netcapctl skb -f "
	 "tracepoint:skb:kfree_skb -S'."},
	{"SKB_GSO_SEG",
	 "Cutting a large packet into segments failed.",
	 "Look at 'ethtool -k DEV' (tso, gso, tunnel offloads), try 'ethtool -K DEV gso off' for "
	 "the sender, and see 'netcapctl skb -f tracepoint:skb:kfree_skb -S'."},
	{"SKB_UCOPY_FAULT",
	 "The payload in a program's memory could not be copied: sent without copying, or by "
	 "vhost, and not readable any more.",
	 "Look at the program that sends (MSG_ZEROCOPY, vhost-net, tun) in its log, and at dmesg "
	 "for memory shortage."},
	{"TAP_FILTER",
	 "A BPF program that is attached to the tun or tap device (TUNSETFILTEREBPF) dropped the "
	 "packet.",
	 "See what the program that has the device open attached: 'bpftool prog list' "
	 "(socket_filter), and its configuration."},
	{"TAP_TXFILTER",
	 "The MAC address filter of the tun or tap device (TUNSETTXFILTER) did not want the "
	 "packet.",
	 "The hypervisor or guest sets that filter: compare the guest's 'ip maddr' and MAC "
	 "address with the frame's destination."},
	{"TC_CHAIN_NOTFOUND",
	 "A rule of tc or a hardware offload sent the packet to a chain that does not exist.",
	 "Compare 'tc chain show dev DEV ingress' with the goto chain in 'tc -s filter show dev "
	 "DEV ingress'; rules may just be changing."},
	{"TC_COOKIE_ERROR",
	 "A device that offloads tc handed over a packet to go on in the middle of a rule, and "
	 "that rule could not be found.",
	 "Rules changed while packets were under way, or driver and kernel disagree: 'tc -s "
	 "filter show dev DEV ingress' (in_hw), 'ethtool -K DEV hw-tc-offload off'."},
	{"TC_EGRESS",
	 "A filter or BPF program of tc at the device's egress dropped the packet.",
	 "Look at 'tc -s filter show dev DEV egress', 'bpftool net show dev DEV', and nftables' "
	 "egress hook in 'nft list ruleset'."},
	{"TC_ERROR",
	 "Something went wrong inside tc as it classified the packet: no chain, a loop, or no "
	 "memory. Newer kernels say which.",
	 "Look at 'tc -s filter show dev DEV ingress' and egress, and at dmesg."},
	{"TC_INGRESS",
	 "A filter or BPF program of tc at the device's ingress dropped the packet.",
	 "Look at 'tc -s filter show dev DEV ingress' and 'bpftool net show dev DEV'; CNI plugins "
	 "such as Cilium drop here by policy."},
	{"TC_RECLASSIFY_LOOP",
	 "Rules of tc sent the packet back to be classified too often, or into a qdisc that was "
	 "just sending it: a loop.",
	 "Look at 'tc -s filter show dev DEV ingress' and egress for reclassify, and for mirred "
	 "redirects that go round."},
	{"TUNNEL_TXINFO",
	 "A packet was sent to a tunnel device in external mode without saying where the tunnel "
	 "leads.",
	 "Look at 'ip -d link show DEV' (external) and at what should set it: 'tc filter' with "
	 "tunnel_key, routes with encap, OVS or a BPF program."},
	{"UNHANDLED_PROTO",
	 "Nothing in the kernel handles the packet's EtherType.",
	 "See it with 'netcapctl skb -f tracepoint:skb:kfree_skb -t -e' and compare "
	 "/proc/net/ptype: LLDP, STP, other VLAN tags, or a missing module."},
	{"UNICAST_IN_L2_MULTICAST",
	 "The frame was sent to a multicast or broadcast MAC address, but its IP address is that "
	 "of one host.",
	 "Look at 'sysctl net.ipv4.conf.all.drop_unicast_in_l2_multicast' and IPv6's; clusters "
	 "that share a multicast MAC address need it off."},
	{"VXLAN_ENTRY_EXISTS",
	 "A VXLAN device saw a MAC address at another remote, but its entry is static or leads to "
	 "a nexthop group, so it may not move.",
	 "Look at 'bridge fdb show dev VXLAN': a host moved without the control plane (EVPN) "
	 "knowing, or the address exists twice."},
	{"VXLAN_INVALID_HDR",
	 "The VXLAN header was invalid: its VNI flag is missing, or bits are set that must not be.",
	 "Look at 'ip -s -d link show type vxlan' (errors) and at the sender: another protocol on "
	 "the port, or extensions (gbp, gpe) on one side only."},
	{"VXLAN_NO_REMOTE",
	 "A VXLAN device had no remote to send the packet to. Newer kernels say NO_TX_TARGET.",
	 "Look at 'bridge fdb show dev VXLAN' and 'ip -d link show dev VXLAN' (remote, group); "
	 "EVPN may not have filled it in."},
	{"VXLAN_VNI_NOT_FOUND",
	 "A VXLAN packet came for a VNI that no device of this host has.",
	 "Compare the VNI in a capture ('udp port 4789') with 'ip -d link show type vxlan' and "
	 "'bridge vni show'."},
	{"XDP",
	 "An XDP program in generic mode, which runs on packets that the stack already has, "
	 "dropped the packet.",
	 "Look at 'ip -d link show DEV' (xdpgeneric) and 'bpftool net show dev DEV', and read the "
	 "program's own counters with 'bpftool map dump'."},
	{"XFRM_POLICY",
	 "IPsec refused the packet: a policy forbids it, or demands that it come through IPsec and "
	 "it did not.",
	 "Look at 'cat /proc/net/xfrm_stat' (XfrmInNoPols, XfrmInPolBlock, XfrmInTmplMismatch), "
	 "'ip -s xfrm policy' and 'ip -s xfrm state'."},
};

const struct explain_table reasons_core = {
	"core", core, sizeof(core) / sizeof(*core)
};
