# SPDX-License-Identifier: BSD-2-Clause
"""Two hosts on a veth pair, each a network namespace of its own, with rules that drop packets."""
import contextlib
import ctypes
import json
import os
import socket
import struct
import subprocess

CLONE_NEWNET = 0x40000000
UDP_SEGMENT = 103  # linux/udp.h
LIBC = ctypes.CDLL(None, use_errno=True)

DEVICE = "veth0"
DROP_PORT = 9000      # tcp and udp, dropped when the second host receives them
DROP_OUT_PORT = 9002  # udp, dropped when the first host sends them

RULES_IN = f"""
add table inet lab
add chain inet lab input {{ type filter hook input priority 0; }}
add rule inet lab input tcp dport {DROP_PORT} drop
add rule inet lab input udp dport {DROP_PORT} drop
"""
RULES_OUT = f"""
add table inet lab
add chain inet lab output {{ type filter hook output priority 0; }}
add rule inet lab output udp dport {DROP_OUT_PORT} drop
"""


def run(*argv, **options):
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=20, **options)


def setns(fd):
    if LIBC.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Host:
    """A network namespace. Everything that is sent here stays between the two of them."""

    def __init__(self, name, address, address6):
        self.name = name
        self.address = address
        self.address6 = address6
        self.path = f"/run/netns/{name}"
        self.inode = 0

    def create(self):
        run("ip", "netns", "add", self.name)
        self.inode = os.stat(self.path).st_ino

    def configure(self):
        """Asks for no routers: there are none, and what asks for them is dropped, at times that no test knows."""
        with self.entered(), open(f"/proc/sys/net/ipv6/conf/{DEVICE}/router_solicitations", "w", encoding="ascii") as file:
            file.write("0")
        self.ip("link", "set", "lo", "up")
        self.ip("link", "set", DEVICE, "up")
        self.ip("address", "add", f"{self.address}/24", "dev", DEVICE)
        self.ip("address", "add", f"{self.address6}/64", "dev", DEVICE, "nodad")

    def ip(self, *argv):
        return run("ip", "-n", self.name, *argv)

    def run(self, *argv, **options):
        return run("ip", "netns", "exec", self.name, *argv, **options)

    def counters(self):
        """What the kernel counts at the device, both ways."""
        link, = json.loads(self.ip("-s", "-j", "link", "show", DEVICE).stdout)
        return link["stats64"]

    def ifindex(self):
        link, = json.loads(self.ip("-j", "link", "show", DEVICE).stdout)
        return link["ifindex"]

    def read_mac(self):
        words = self.ip("-o", "link", "show", DEVICE).stdout.split()
        return bytes.fromhex(words[words.index("link/ether") + 1].replace(":", ""))

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is in this namespace; sockets made meanwhile stay there."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        other = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            setns(other)
            yield
        finally:
            setns(own)
            os.close(other)
            os.close(own)

    @contextlib.contextmanager
    def strict_reverse_path(self):
        """What comes from an address that this host would not answer by the same device is dropped."""
        def write(value):
            self.run("sh", "-c", f"echo {value} >/proc/sys/net/ipv4/conf/{DEVICE}/rp_filter")
        write(1)
        try:
            yield
        finally:
            write(0)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_DGRAM, protocol=0):
        with self.entered():
            return socket.socket(family, kind, protocol)


class Lab:
    """a sends, b receives and drops."""

    def __init__(self, flood, tagpush):
        number = os.getpid()
        high, low = number >> 8 & 0xFF, number & 0xFF
        self.flood_program = flood
        self.tagpush_object = tagpush
        self.subnet = f"10.{high}.{low}.0/24"
        self.subnet6 = f"fd00:{number & 0xFFFF:x}::/64"
        self.hosts = [Host(f"netcap-test-{number}-{letter}", f"10.{high}.{low}.{index}",
                           f"fd00:{number & 0xFFFF:x}::{index}")
                      for index, letter in enumerate("ab", start=1)]
        self.a, self.b = self.hosts

    def configure(self):
        for host in self.hosts:
            host.create()
        run("ip", "link", "add", DEVICE, "netns", self.a.name, "type", "veth",
            "peer", "name", DEVICE, "netns", self.b.name)
        for host in self.hosts:
            host.configure()
        self.b.run("nft", "-f", "-", input=RULES_IN)
        self.a.run("nft", "-f", "-", input=RULES_OUT)
        # The first packets do not wait for neighbour discovery, which would reorder and drop them.
        for host, peer in ((self.a, self.b), (self.b, self.a)):
            mac = peer.read_mac().hex(":")
            for address in (peer.address, peer.address6):
                host.ip("neighbour", "replace", address, "lladdr", mac, "dev", DEVICE,
                        "nud", "permanent")

    def close(self):
        for host in self.hosts:
            if os.path.exists(host.path):
                run("ip", "netns", "del", host.name)

    def expression(self, expression):
        """The expression for packets of this lab only, whatever else goes on here."""
        return f"({expression}) and (net {self.subnet} or ip6 net {self.subnet6})"

    def send_syns(self, count, port=DROP_PORT, family=socket.AF_INET):
        """Sends exactly count SYNs: each connection is given up before it could repeat its own."""
        address = self.b.address if family == socket.AF_INET else self.b.address6
        with self.a.entered():
            for _ in range(count):
                with socket.socket(family, socket.SOCK_STREAM) as connection:
                    connection.setblocking(False)
                    connection.connect_ex((address, port))

    def send_udp(self, payload, count=1, port=DROP_PORT, mark=0, segment=0, family=socket.AF_INET):
        """segment: bytes per datagram of one large send that the kernel splits late (UDP GSO)."""
        address = self.b.address if family == socket.AF_INET else self.b.address6
        with self.a.socket(family) as sender:
            if mark:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
            if segment:
                sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, segment)
            for _ in range(count):
                try:
                    sender.sendto(payload, (address, port))
                except PermissionError:  # what a DROP in the output chain looks like to the sender
                    pass

    def send_frame(self, frame, count=1):
        """An Ethernet frame as it is, from a to b, so many times. Closing the socket takes tens of milliseconds."""
        with self.a.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            with self.a.entered():
                sender.bind((DEVICE, 0))
            for _ in range(count):
                sender.send(frame)

    def ethernet(self, ethertype, payload):
        return self.b.read_mac() + self.a.read_mac() + struct.pack("!H", ethertype) + payload

    def flood(self, count, rate, size=64, port=DROP_PORT, mark=False, background=False):
        """Numbered UDP packets (see flood.c). Returns the process, or how many were sent."""
        argv = ["ip", "netns", "exec", self.a.name, self.flood_program, self.b.address, str(port),
                str(count), str(rate), str(size)] + (["mark"] if mark else [])
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        return process if background else self.flood_end(process)

    @classmethod
    def flood_end(cls, process):
        return cls.flood_end_timed(process)[0]

    @staticmethod
    def flood_end_timed(process):
        """Packets sent, and the seconds that it took."""
        try:
            text, _ = process.communicate(timeout=90)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, "the sender of the flood failed"
        sent, nanoseconds = map(int, text.split())
        return sent, nanoseconds / 1e9

    @contextlib.contextmanager
    def tagged(self):
        """All that a sends gets VLAN tag 100, priority 3, in the skb's metadata."""
        tc = ("tc", "-n", self.a.name)
        run(*tc, "qdisc", "add", "dev", DEVICE, "clsact")
        try:
            run(*tc, "filter", "add", "dev", DEVICE, "egress", "bpf", "direct-action",
                "object-file", self.tagpush_object, "section", "tc")
            yield
        finally:
            run(*tc, "qdisc", "del", "dev", DEVICE, "clsact")
