/* SPDX-License-Identifier: BSD-2-Clause */
/* Drop reasons of the core: TCP, and what sockets do not take. Sorted by name. */
#include "explain.h"

static const struct explain_entry sockets[] = {
	{"NO_SOCKET",
	 "No socket takes the packet: nobody listens at its address and port, or the connection or "
	 "handshake that it belongs to is gone. TCP answers with RST, UDP with an ICMP error.",
	 "See who listens with 'ss -lntup' in the receiving network namespace, and compare 'nstat "
	 "-az UdpNoPorts Udp6NoPorts TcpOutRsts'."},
	{"PFMEMALLOC",
	 "The packet's memory came from the kernel's emergency reserves, which only sockets that "
	 "help to swap may use, and this socket is none.",
	 "The host was out of memory: look at 'nstat -az TcpExtPFMemallocDrop', 'sysctl "
	 "vm.min_free_kbytes' and dmesg for allocation failures."},
	{"PROTO_MEM",
	 "The packet was for a socket, but all sockets of its protocol together had used up the "
	 "memory that they may have.",
	 "Compare 'cat /proc/net/sockstat' with 'sysctl net.ipv4.tcp_mem net.ipv4.udp_mem' (in "
	 "pages); see 'nstat -az UdpMemErrors TcpExtTCPRcvQDrop TcpExtTCPOFODrop'."},
	{"PSP_INPUT",
	 "A TCP segment's PSP encryption did not fit its socket: encrypted for one that has no "
	 "PSP, with another key, or in clear text where PSP is due.",
	 "Look at the keys of the device and their rotation: the PSP netlink family (ynl, "
	 "psp.yaml: dev-get, get-stats), and at the logs of the program that sets up PSP."},
	{"PSP_OUTPUT",
	 "A TCP segment that must leave encrypted by PSP was routed to a device other than the one "
	 "that has its key, or could not be encapsulated.",
	 "See with 'ip route get DST' whether the route moved to another device, and ask for its "
	 "PSP state (ynl, psp.yaml: dev-get)."},
	{"SECURITY_HOOK",
	 "A security module (SELinux, AppArmor, Smack, BPF LSM) refused to hand the packet to its "
	 "socket.",
	 "Look for denials: 'ausearch -m avc -ts recent', 'dmesg', and 'bpftool prog list' for "
	 "programs of type lsm."},
	{"SOCKET_BACKLOG",
	 "The socket was in use by a thread, and its backlog of packets that wait meanwhile was "
	 "full.",
	 "See 'nstat -az TcpExtTCPBacklogDrop'; find the busy socket with 'ss -tmn' (bl and d of "
	 "skmem), then raise its SO_RCVBUF or 'sysctl net.ipv4.tcp_rmem'."},
	{"SOCKET_CLOSE",
	 "A socket was closed while the packet still waited in its receive queue, unread. So far, "
	 "Unix sockets say this.",
	 "Find out which program closes early: 'ss -xp', and its log. It is normal when a program "
	 "ends."},
	{"SOCKET_FILTER",
	 "The socket's own filter (SO_ATTACH_FILTER, SO_ATTACH_BPF) or a BPF program of its cgroup "
	 "did not want the packet. Older kernels also say this of security modules.",
	 "Look at the programs with 'bpftool cgroup tree' and at filters of packet sockets with "
	 "'ss -0pb'. A filter that does its job is no fault."},
	{"SOCKET_RCVBUFF",
	 "The receive buffer of the socket was full: its program reads more slowly than packets "
	 "come.",
	 "See 'nstat -az UdpRcvbufErrors Udp6RcvbufErrors' and d of skmem in 'ss -uampn'; then "
	 "raise SO_RCVBUF, 'sysctl net.core.rmem_max', or speed up the reader."},
	{"TCP_ABORT_ON_DATA",
	 "Data came for a TCP connection that its program has already closed, so the kernel "
	 "aborted the connection with a RST.",
	 "Look at 'nstat -az TcpExtTCPAbortOnData'. The program closed before it had read "
	 "everything, or the peer went on sending: compare both ends' logs."},
	{"TCP_ACK_UNSENT_DATA",
	 "The segment acknowledged bytes that this host has not sent. TCP discarded it and "
	 "answered with an ACK.",
	 "Look at 'nstat -az TcpExtTCPChallengeACK' and capture at both ends: a middlebox that "
	 "rewrites sequence numbers, a reused port, or a forged packet."},
	{"TCP_AOFAILURE",
	 "The signature of TCP-AO in the segment was wrong: another password or algorithm at the "
	 "peer, or a changed packet.",
	 "Look at 'nstat -az TcpExtTCPAOBad' and dmesg, and compare the keys of both peers (BGP "
	 "daemon's configuration); NAT breaks signatures."},
	{"TCP_AOKEYNOTFOUND",
	 "The segment was signed by TCP-AO with a key that is not set for this peer.",
	 "Look at 'nstat -az TcpExtTCPAOKeyNotFound', and compare the key ids of both peers; a "
	 "rotation may be half done."},
	{"TCP_AONOTFOUND",
	 "The segment had no TCP-AO signature, but the socket has keys for this peer and demands "
	 "one.",
	 "Look at 'nstat -az TcpExtTCPAORequired', and turn TCP-AO on at the peer or off here."},
	{"TCP_AOUNEXPECTED",
	 "The segment had a TCP-AO signature, but the socket has no TCP-AO key for this peer.",
	 "Look at 'nstat -az TcpExtTCPAOKeyNotFound', and set the key here or turn TCP-AO off at "
	 "the peer."},
	{"TCP_AUTH_HDR",
	 "The segment's signature option (TCP-MD5 or TCP-AO) was malformed, or it had more than "
	 "one of them.",
	 "Capture it ('netcapctl skb -f tracepoint:skb:kfree_skb -e tcp -t -v') and look at its "
	 "options: a faulty peer or middlebox, or a probe."},
	{"TCP_CLOSE",
	 "The segment was for a TCP socket that is already in state CLOSE.",
	 "Normal in small numbers while connections end. If there are many, see what closes or "
	 "aborts them: 'nstat -az TcpExtTCPAbort* TcpEstabResets'."},
	{"TCP_CSUM",
	 "The checksum of the TCP segment was wrong; it was damaged on its way, or never filled "
	 "in.",
	 "Look at 'nstat -az TcpInCsumErrors'; try 'ethtool -K DEV rx off' here and 'tx off' at a "
	 "virtual sender, and check 'ethtool -S DEV' for errors."},
	{"TCP_FASTOPEN",
	 "The segment was for a connection opened by TCP Fast Open whose handshake is not "
	 "complete, and did not fit its request.",
	 "Look at 'nstat -az TcpExtTCPFastOpen*' and 'sysctl net.ipv4.tcp_fastopen'; "
	 "retransmitted SYNs are harmless."},
	{"TCP_FLAGS",
	 "The combination of TCP flags makes no sense in the socket's state: an ACK to a listener, "
	 "SYN with FIN, or neither ACK, SYN nor RST.",
	 "Capture the packets: scans send such flags, and ACKs to a listener come after a reboot "
	 "or when SYN cookies fail ('nstat -az TcpExtSyncookiesFailed')."},
	{"TCP_INVALID_ACK_SEQUENCE",
	 "While a connection was being opened, an answer acknowledged a number that this host's "
	 "SYN did not have.",
	 "The peer or a firewall keeps an old connection with the same ports: 'ss -tn state "
	 "time-wait' at the peer, conntrack on the way, 'nstat -az TcpExtTCPChallengeACK'."},
	{"TCP_INVALID_END_SEQUENCE",
	 "The end of the segment lies beyond the window that this host offered; the sender ignores "
	 "the window.",
	 "Look at 'nstat -az TcpExtBeyondWindow' and at the receiver's 'ss -tmi'; capture to see "
	 "which peer sends too much."},
	{"TCP_INVALID_SEQUENCE",
	 "The segment's sequence numbers lie outside of the receive window: beyond it, and on "
	 "older kernels also before it.",
	 "Look at 'nstat -az TcpExtTCPACKSkippedSeq TcpExtBeyondWindow' and capture: late "
	 "duplicates, a middlebox that changes numbers, or a forgery."},
	{"TCP_INVALID_SYN",
	 "A SYN came for a connection that is established already; it was answered with an ACK to "
	 "challenge it.",
	 "Look at 'nstat -az TcpExtTCPSYNChallenge': a peer that rebooted and reuses its port, or "
	 "a forgery."},
	{"TCP_LISTEN_OVERFLOW",
	 "The handshake was complete, but the listener's queue of connections that wait for "
	 "accept() was full.",
	 "See 'nstat -az TcpExtListenOverflows TcpExtListenDrops' and 'ss -lnt' (Recv-Q over "
	 "Send-Q); speed up accept(), raise its backlog and 'sysctl net.core.somaxconn'."},
	{"TCP_MD5FAILURE",
	 "The MD5 signature (RFC 2385) of the segment was wrong: another password at the peer, or "
	 "a changed packet.",
	 "Look at 'nstat -az TcpExtTCPMD5Failure' and dmesg, and compare the passwords of both "
	 "peers (BGP); NAT breaks signatures."},
	{"TCP_MD5NOTFOUND",
	 "The segment had no MD5 signature, but the socket has a key for this peer and demands "
	 "one.",
	 "Look at 'nstat -az TcpExtTCPMD5NotFound', and set the password at the peer or remove it "
	 "here."},
	{"TCP_MD5UNEXPECTED",
	 "The segment had an MD5 signature, but the socket has no key for this peer.",
	 "Look at 'nstat -az TcpExtTCPMD5Unexpected', and set the password here or remove it at "
	 "the peer."},
	{"TCP_MINTTL",
	 "The TTL or hop limit of the packet was below what the socket demands (IP_MINTTL, "
	 "IPV6_MINHOPCOUNT).",
	 "Look at 'nstat -az TcpExtTCPMinTTLDrop' and the daemon's TTL security setting (BGP): "
	 "the peer is more hops away than configured."},
	{"TCP_OFOMERGE",
	 "All data of the segment was already in the queue of segments that came out of order.",
	 "Look at 'nstat -az TcpExtTCPOFOMerge TcpExtTCPDSACKOfoSent': a needless retransmission. "
	 "If there are many, look for loss and reordering on the way."},
	{"TCP_OFO_DROP",
	 "Data that waited out of order turned out to be received already when the gap before it "
	 "was filled.",
	 "Harmless duplicates. If there are many, look at 'nstat -az TcpExtTCPOFOQueue "
	 "TcpExtTCPDSACKOfoSent' and for reordering on the way."},
	{"TCP_OFO_QUEUE_PRUNE",
	 "The socket ran short of receive memory and threw away data that had come out of order; "
	 "the sender sends it again.",
	 "Look at 'nstat -az TcpExtOfoPruned TcpExtRcvPruned' and 'ss -tmn'; raise 'sysctl "
	 "net.ipv4.tcp_rmem', or find the loss that makes the gaps."},
	{"TCP_OLD_ACK",
	 "The segment acknowledged less than an earlier one did, and had nothing else of use: it "
	 "was overtaken on its way.",
	 "Harmless if rare. If not, look for reordering on the way (several links, packet "
	 "steering): 'ss -ti' (reordering), 'nstat -az TcpExtTCPSACKReorder'."},
	{"TCP_OLD_DATA",
	 "All data of the segment had been received before: a needless retransmission, or a "
	 "duplicate.",
	 "Look at 'nstat -az TcpExtDelayedACKLost TcpExtTCPDSACKOldSent': this host's ACKs are "
	 "lost or late, or the sender's timeout is too short."},
	{"TCP_OLD_SEQUENCE",
	 "The whole segment lies before the receive window: a duplicate from earlier.",
	 "Look at 'nstat -az TcpExtTCPACKSkippedSeq TcpExtTCPDSACKOldSent'. It is normal after "
	 "retransmissions; keep-alives look like this too."},
	{"TCP_OVERWINDOW",
	 "The data of the segment begins beyond the window that this host offered.",
	 "The sender ignores the window, or the window was shrunk: 'ss -tmi' here, and a capture "
	 "that shows win and seq."},
	{"TCP_RESET",
	 "The segment was a RST for a known socket. It ended the connection or was challenged; a "
	 "RST is never passed on, so this drop is normal.",
	 "If connections die, find who resets: 'nstat -az TcpEstabResets TcpExtTCPChallengeACK', "
	 "and capture 'tcp[tcpflags] & tcp-rst != 0'."},
	{"TCP_RFC7323_PAWS",
	 "The segment's timestamp is older than one seen before on this connection (PAWS), so it "
	 "was taken for an old duplicate.",
	 "Look at 'nstat -az TcpExtPAWSEstab TcpExtPAWSActive': reordering, or several hosts "
	 "behind one NAT or load balancer."},
	{"TCP_RFC7323_PAWS_ACK",
	 "A pure ACK came with an older timestamp than the one before (PAWS); it was overtaken by "
	 "another packet.",
	 "Look at 'nstat -az TcpExtPAWSOldAck'. It is harmless if rare; many mean reordering on "
	 "the way."},
	{"TCP_RFC7323_TSECR",
	 "The final ACK of a handshake echoes a timestamp that this host cannot have sent.",
	 "Look at 'nstat -az TcpExtTSEcrRejected': a forged ACK, or a middlebox that rewrites "
	 "timestamps."},
	{"TCP_RFC7323_TW_PAWS",
	 "A segment for a connection in TIME_WAIT had an older timestamp than the connection's "
	 "last one.",
	 "Look at 'nstat -az TcpExtPAWSTimewait': late duplicates, or clients behind one NAT "
	 "whose timestamps differ and that reuse a port."},
	{"TCP_TOO_OLD_ACK",
	 "The segment acknowledged far less than it could: more than a window behind. It was "
	 "challenged (RFC 5961).",
	 "Look at 'nstat -az TcpExtTCPChallengeACK': an attempt to inject data, or a very late "
	 "duplicate."},
	{"TCP_ZEROWINDOW",
	 "Data came while the receive window was 0: the program here does not read, and the peer "
	 "sends all the same, for example to probe.",
	 "Look at 'nstat -az TcpExtTCPZeroWindowDrop' and for a growing Recv-Q in 'ss -tnmp': the "
	 "program named there is too slow or hangs."},
	{"UDP_CSUM",
	 "The checksum of the UDP datagram was wrong; it was damaged on its way, or never filled "
	 "in.",
	 "Look at 'nstat -az UdpInCsumErrors Udp6InCsumErrors'; try 'ethtool -K DEV rx off' here "
	 "and 'tx off' at a virtual sender, and check 'ethtool -S DEV'."},
	{"UNIX_DISCONNECT",
	 "A Unix datagram socket was connected to another peer, or its peer was closed, and "
	 "messages in its queue were discarded.",
	 "Find the sockets with 'ss -xap' and the programs' logs: one of the two ends reconnected "
	 "or ended with messages unread."},
	{"UNIX_SKIP_OOB",
	 "A byte sent out of band on a Unix stream socket was skipped, since the reader read on "
	 "without MSG_OOB.",
	 "Nothing is wrong with the network: the sending program uses MSG_OOB and the reading one "
	 "does not. 'ss -xp' names them."},
};

const struct explain_table reasons_sockets = {
	"core", sockets, sizeof(sockets) / sizeof(*sockets)
};
