# SPDX-License-Identifier: BSD-2-Clause
"""Drops of some kinds in the second host of a Lab, of numbers that are known without asking netcapd."""
import contextlib
import dataclasses
import functools
import socket
import struct
import time
from collections.abc import Callable

from lab import DROP_PORT

CLOSED_PORT, SPOILT_PORT, FULL_PORT, STRAY_PORT, LISTEN_PORT = 9, 9111, 50021, 9333, 9444
PORT_CLASSES = {DROP_PORT: "user", CLOSED_PORT: "system", SPOILT_PORT: "user", FULL_PORT: "dynamic",
                STRAY_PORT: "user", LISTEN_PORT: "user"}
ETH_P_IP = 0x0800
SO_MEMINFO, MEMINFO_WORDS, MEMINFO_RMEM, MEMINFO_DROPS = 55, 9, 0, 8  # linux/sock_diag.h
NOWHERE = "192.0.2.1"  # for documentation: no host has a route to it
TCP_ACK, TCP_PSH = 0x10, 0x08
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21  # linux/tcp.h
RECV_QUEUE, SEND_QUEUE, REPAIR_OFF_NO_WINDOW_PROBE = 1, 2, -1
BTF = "/sys/kernel/btf/vmlinux"


@functools.cache
def has_drop_reasons():
    with open("/sys/kernel/tracing/events/skb/kfree_skb/format", encoding="ascii") as file:
        return "reason" in file.read()


def function_of(location):
    """Its name in the source: without the offset, and without what the compiler added."""
    return location.rsplit("+0x", 1)[0].split(".")[0]


@functools.cache
def kernel_has_reason(name):
    """
    Whether enum skb_drop_reason of this kernel has it: names are strings of BTF, each with its 0. They are megabytes,
    of which each read gives a page.
    """
    with open(BTF, "rb") as file:
        return f"\0SKB_DROP_REASON_{name}\0".encode() in file.read()


# ---- frames ----

def checksum(data):
    words = sum(struct.unpack(f"!{len(data) // 2}H", data + b"\0" * (len(data) % 2)))
    while words >> 16:
        words = (words & 0xFFFF) + (words >> 16)
    return ~words & 0xFFFF


def ip_frame(lab, protocol, segment, source=None):
    """segment, with its own header, as an IPv4 packet in an Ethernet frame."""
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0, 64, protocol, 0,
                         socket.inet_aton(source or lab.a.address), socket.inet_aton(lab.b.address))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return lab.ethernet(ETH_P_IP, header + segment)


def pseudo_header(lab, protocol, length):
    return (socket.inet_aton(lab.a.address) + socket.inet_aton(lab.b.address)
            + struct.pack("!BBH", 0, protocol, length))


# ---- the kinds ----

def hit_a_rule(lab, count):
    lab.send_udp(b"x" * 72, count=count, port=DROP_PORT)


def knock_at_a_closed_port(lab, count):
    lab.send_udp(b"x" * 72, count=count, port=CLOSED_PORT)


def spoil_checksums(lab, count):
    segment = struct.pack("!HHHH", 4000, SPOILT_PORT, 80, 0xBAD1) + b"x" * 72
    lab.send_frame(ip_frame(lab, socket.IPPROTO_UDP, segment), count)


def socket_memory(receiver):
    """Bytes in its queue, and datagrams that it had no room for: as the kernel counts itself."""
    words = struct.unpack(f"{MEMINFO_WORDS}I",
                          receiver.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * MEMINFO_WORDS))
    return words[MEMINFO_RMEM], words[MEMINFO_DROPS]


def empty(receiver):
    """What is left in a queue when its socket is closed would be dropped, too."""
    with contextlib.suppress(BlockingIOError):
        while receiver.recv(2000):
            pass


def fill_until_full(lab, receiver):
    """Sends one after the other until there is no room for one."""
    before = socket_memory(receiver)
    while not before[1]:
        lab.send_udp(b"x" * 1000, port=FULL_PORT)
        end = time.monotonic() + 5
        while (now := socket_memory(receiver)) == before:
            assert time.monotonic() < end, "a datagram did not arrive within 5 s"
        before = now


def fill_a_socket(lab, count):
    with lab.b.socket() as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        receiver.bind((lab.b.address, FULL_PORT))
        receiver.setblocking(False)
        fill_until_full(lab, receiver)
        lab.send_udp(b"x" * 1000, count=count - 1, port=FULL_PORT)
        end = time.monotonic() + 5
        while socket_memory(receiver)[1] < count and time.monotonic() < end:
            time.sleep(0.01)
        assert socket_memory(receiver)[1] == count
        empty(receiver)


def come_from_nowhere(lab, count):
    """From an address that the receiver would not answer by this device."""
    segment = struct.pack("!HHHH", 4000, STRAY_PORT, 80, 0) + b"x" * 72
    frame = ip_frame(lab, socket.IPPROTO_UDP, segment, source=NOWHERE)
    with lab.b.strict_reverse_path():
        lab.send_frame(frame, count)


def spoil_tcp_checksums(lab, count):
    segment = struct.pack("!HHIIBBHHH", 4000, CLOSED_PORT, 1, 0, 5 << 4, TCP_ACK, 1024, 0xBAD1, 0) + b"x" * 40
    lab.send_frame(ip_frame(lab, socket.IPPROTO_TCP, segment), count)


@contextlib.contextmanager
def connection(lab):
    """An established connection from a to b: the socket of each."""
    with lab.b.socket(kind=socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((lab.b.address, LISTEN_PORT))
        listener.listen(1)
        with lab.a.socket(kind=socket.SOCK_STREAM) as ours:
            ours.settimeout(5)
            ours.connect((lab.b.address, LISTEN_PORT))
            theirs, _ = listener.accept()
            with theirs:
                yield ours, theirs


def sequence_numbers(sock):
    """The next byte that it will send, and the next that it expects."""
    def of_queue(queue):
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
        return sock.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) & 0xFFFFFFFF
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    try:
        return of_queue(SEND_QUEUE), of_queue(RECV_QUEUE)
    finally:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_NO_WINDOW_PROBE)


def tcp_segment(lab, source, target, sequence, acknowledged, payload):
    def header(sum_):
        return struct.pack("!HHIIBBHHH", source, target, sequence & 0xFFFFFFFF, acknowledged, 5 << 4,
                           TCP_ACK | TCP_PSH, 1024, sum_, 0)
    pseudo = pseudo_header(lab, socket.IPPROTO_TCP, 20 + len(payload))
    return header(checksum(pseudo + header(0) + payload)) + payload


def miss_the_window(lab, count):
    """Data far beyond what the receiver of a connection has room for."""
    with connection(lab) as (ours, _):
        following, expected = sequence_numbers(ours)
        segment = tcp_segment(lab, ours.getsockname()[1], LISTEN_PORT, following + (1 << 30), expected,
                              b"x" * 60)
        lab.send_frame(ip_frame(lab, socket.IPPROTO_TCP, segment), count)


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    make: Callable  # (lab, count): drops so many packets in lab.b
    port: int
    reason: str
    functions: tuple  # that the kernel, old or new, may name as the place
    transport: str = "udp"
    size: int = 0  # bytes of a packet where it is dropped, from the header that the kernel is at
    by_tcp: bool = False  # by a socket of TCP: the tracepoint has such drops since TCP says its reasons (Linux 5.18)

    def is_traced(self):
        return not self.by_tcp or kernel_has_reason(self.reason)

    def expected_reason(self):
        """What the kernel can say: older ones know fewer reasons, or none."""
        if not has_drop_reasons():
            return ""
        return self.reason if kernel_has_reason(self.reason) else "NOT_SPECIFIED"

    def matches(self, row, netns):
        """Whether a row of the ledger is of this kind; all of what tells rows apart but the offset in the function."""
        return (row["netns"] == netns and row["protocol"] == "ipv4" and row["transport"] == self.transport
                and row["ports"] == PORT_CLASSES[self.port] and row["reason"] == self.expected_reason()
                and function_of(row["location"]) in self.functions)


KINDS = (
    Kind("rule", hit_a_rule, DROP_PORT, "NETFILTER_DROP", ("nf_hook_slow", "nft_do_chain"), size=100),
    Kind("closed-port", knock_at_a_closed_port, CLOSED_PORT, "NO_SOCKET",
         ("__udp4_lib_rcv", "udp_rcv", "udp_unicast_rcv_skb"), size=80),
    Kind("bad-checksum", spoil_checksums, SPOILT_PORT, "UDP_CSUM", ("__udp4_lib_rcv", "udp_rcv"), size=80),
    Kind("bad-tcp-checksum", spoil_tcp_checksums, CLOSED_PORT, "TCP_CSUM", ("tcp_v4_rcv",), "tcp", size=60),
    Kind("full-buffer", fill_a_socket, FULL_PORT, "SOCKET_RCVBUFF",
         ("__udp_queue_rcv_skb", "udp_queue_rcv_one_skb", "udp_queue_rcv_skb", "__udp_enqueue_schedule_skb"),
         size=1000),
    Kind("reverse-path", come_from_nowhere, STRAY_PORT, "IP_RPFILTER",
         ("ip_rcv_finish_core", "ip_rcv_finish", "ip_rcv"), size=100),
    Kind("tcp-window", miss_the_window, LISTEN_PORT, "TCP_INVALID_SEQUENCE",
         ("tcp_validate_incoming", "tcp_drop_reason", "tcp_drop", "tcp_rcv_established"), "tcp", size=80,
         by_tcp=True),
)
