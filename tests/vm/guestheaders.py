# SPDX-License-Identifier: BSD-2-Clause
"""Headers that the stack has not written yet: what netcapd makes of them, and what is sent in the end."""
import base64
import collections
import contextlib
import json
import os
import socket
import struct
import subprocess
import threading
import time

from guestlab import (
    CLOSED_PORT, DEV, THERE, Capture, Failed, K, Skipped, checksum, datagrams, run)

HERE6, THERE6 = "fd00:227::45", "fd00:227::72"
UDP_PORT, TCP_PORT = 7227, 7228
SYN, ACK = 2, 16

Packet = collections.namedtuple("Packet", "source destination protocol ports length seq ack flags payload")


def parse(data):
    """An IP packet as all that can be known before it is sent, and what was sent."""
    if data[0] >> 4 == 4:
        head = (data[0] & 15) * 4
        length, protocol = struct.unpack("!H", data[2:4])[0], data[9]
        addresses = data[12:16], data[16:20]
        if checksum(data[:head]):
            raise Failed(f"the checksum of an IP header is wrong: {data[:head].hex()}")
        data = data[:length]
    else:
        head, protocol = 40, data[6]
        length = struct.unpack("!H", data[4:6])[0]
        addresses = data[8:24], data[24:40]
        data = data[:40 + length]
    body = data[head:]
    ports = struct.unpack("!HH", body[:4])
    seq = ack = flags = None
    if protocol == socket.IPPROTO_TCP:
        seq, ack = struct.unpack("!II", body[4:12])
        flags = body[13]
        payload = body[(body[12] >> 4) * 4:]
        length = None  # there are options on the wire
    else:
        payload = body[8:]
        if struct.unpack("!H", body[4:6])[0] != len(body):
            raise Failed(f"a datagram of {len(body)} bytes says that it has {body[4:6].hex()}")
    return Packet(*addresses, protocol, ports, length, seq, ack, flags, payload)


class Wire:
    """What leaves by the lab's device to one port."""

    def __init__(self, protocol, port):
        self.want, self.packets = (protocol, port), []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((DEV, 3))
        self.socket.settimeout(0.2)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while not self.ended.is_set():
            with contextlib.suppress(TimeoutError):
                data, address = self.socket.recvfrom(65536)
                protocol = {0x0800: data[23:24], 0x86dd: data[20:21]}.get(address[1])
                if address[2] != socket.PACKET_OUTGOING or not protocol or protocol[0] != self.want[0]:
                    continue
                packet = parse(data[14:])
                if packet.ports[1] == self.want[1]:
                    self.packets.append(packet)

    def end(self):
        time.sleep(0.3)
        self.ended.set()
        self.thread.join()
        self.socket.close()
        return self.packets


# ---- traffic: K packets with a payload ----

def payloads():
    return [bytes([n]) * (n + 1) for n in range(K)]


def send_datagrams(family, address, connected, elsewhere=False):
    """elsewhere: what a socket is connected to is not where its datagrams go."""
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        if connected:
            s.connect((address, UDP_PORT + elsewhere))
        connected = connected and not elsewhere
        for payload in payloads():
            s.sendto(payload, (address, UDP_PORT)) if not connected else s.send(payload)
            time.sleep(0.002)


def send_stream(family, address):
    """One segment for each payload: the next one goes when the echo of the last has come."""
    with socket.socket(family) as s:
        s.settimeout(10)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.connect((address, TCP_PORT))
        for payload in payloads():
            s.sendall(payload)
            got = 0
            while got < len(payload):
                got += len(s.recv(4096))


TRAFFIC = {
    "udp4": lambda: send_datagrams(socket.AF_INET, THERE, False),
    "udp6": lambda: send_datagrams(socket.AF_INET6, THERE6, False),
    "udp4 connected": lambda: send_datagrams(socket.AF_INET, THERE, True),
    "udp6 connected": lambda: send_datagrams(socket.AF_INET6, THERE6, True),
    "udp4 elsewhere": lambda: send_datagrams(socket.AF_INET, THERE, True, True),
    "udp6 elsewhere": lambda: send_datagrams(socket.AF_INET6, THERE6, True, True),
    "udp4 by an IPv6 socket": lambda: send_datagrams(socket.AF_INET6, "::ffff:" + THERE, False),
    "tcp4 by an IPv6 socket": lambda: send_stream(socket.AF_INET6, "::ffff:" + THERE),
    "tcp4": lambda: send_stream(socket.AF_INET, THERE),
    "tcp6": lambda: send_stream(socket.AF_INET6, THERE6),
}

ECHO = f"""
import socket, threading
def serve(family, address):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, {TCP_PORT}))
    s.listen()
    while True:
        c = s.accept()[0]
        while data := c.recv(4096):
            c.sendall(data)
        c.close()
def sink(family, address):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((address, {UDP_PORT}))
    while True:
        s.recv(4096)
for family, address in ((socket.AF_INET, "{THERE}"), (socket.AF_INET6, "{THERE6}")):
    threading.Thread(target=serve, args=(family, address)).start()
    threading.Thread(target=sink, args=(family, address)).start()
print("ready", flush=True)
"""


@contextlib.contextmanager
def peer():
    """Who answers."""
    run("ip", "addr", "add", HERE6 + "/64", "dev", DEV, "nodad")
    run("ip", "-n", "peer", "addr", "add", THERE6 + "/64", "dev", "v1", "nodad")
    with subprocess.Popen(["ip", "netns", "exec", "peer", "python3", "-c", ECHO], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout.readline() != "ready\n":
                raise Failed("the peer did not start")
            send_stream(socket.AF_INET, THERE)
            send_stream(socket.AF_INET6, THERE6)
            yield
        finally:
            process.kill()
            run("ip", "addr", "del", HERE6 + "/64", "dev", DEV)
            run("ip", "-n", "peer", "addr", "del", THERE6 + "/64", "dev", "v1")


# ---- tests ----

def typed(t, name):
    return bool(json.loads(run(t.client, "--socket", t.daemon.socket, "points", name, "--json"))["points"])


def compare(captured, wire):
    """The same packets, field by field."""
    if len(captured) != len(wire):
        raise Failed(f"{len(wire)} packets were sent, and {len(captured)} came")
    for number, (have, want) in enumerate(zip(captured, wire)):
        for field, a, b in zip(Packet._fields, have, want):
            if a != b:
                raise Failed(f"packet {number} has {field} {a}, and was sent with {b}")


def test_made(t, name, arg, what, made, *options):
    """made: what is said of each packet."""
    if not typed(t, name):
        if "connected" not in what and what.startswith("udp"):
            raise Skipped(f"this kernel has no type information for {name}, which says where the flow is")
        name += f"@{arg}"
    tcp = what.startswith("tcp")
    protocol, port = (socket.IPPROTO_TCP, TCP_PORT) if tcp else (socket.IPPROTO_UDP, UDP_PORT)
    address = THERE6 if what[3] == "6" else THERE
    capture = Capture(t, name, *options,
                      expression=f"{what[:3]} and dst host {address} and dst port {port}")
    wire = Wire(protocol, port)
    TRAFFIC[what]()
    sent = wire.end()
    capture.end().expect_none_lost()
    wrong = [p for p in capture.packets if p.get("made") != made or p["link"] != "raw"]
    if wrong:
        raise Failed(f"{made} was due as what was made, and this came: {wrong[0]}")
    captured = [parse(base64.b64decode(p["data"])) for p in capture.packets]
    compare(captured, sent)
    # a guest is slow, and TCP may send a segment twice
    with_payload = len({p.seq for p in captured if p.payload} if tcp else captured)
    if with_payload != K:
        raise Failed(f"{K} packets with a payload were due, and {with_payload} came")
    return f"{len(sent)} packets"


def test_never(t):
    """Then there is no header for a filter to match."""
    capture = Capture(t, "__tcp_transmit_skb@2", "--fake-hdr=never", expression=f"tcp port {TCP_PORT}")
    TRAFFIC["tcp4"]()
    capture.end().expect(0)


def test_always(t):
    """Headers that are there are made anew, and come out the same."""
    capture = Capture(t, "ip_output@3", "--fake-hdr=always",
                      expression=f"udp and dst host {THERE} and dst port {UDP_PORT}")
    wire = Wire(socket.IPPROTO_UDP, UDP_PORT)
    TRAFFIC["udp4 connected"]()
    sent = wire.end()
    capture.end().expect(K)
    if {p.get("made") for p in capture.packets} != {"ip+udp"}:
        raise Failed(f"ip+udp was due: {capture.packets[0]}")
    compare([parse(base64.b64decode(p["data"])) for p in capture.packets], sent)


def test_skb_data(t):
    """Where icmp_rcv has its packet, Ethernet and IP are 34 bytes before skb->data."""
    from guestlab import REQUESTS, ping  # pylint: disable=import-outside-toplevel
    plain = Capture(t, "icmp_rcv", expression=REQUESTS)
    moved = Capture(t, "icmp_rcv", "--skb-data", "--skb-data-offset", "-34", expression=REQUESTS)
    ping(K)
    time.sleep(0.1)
    plain.end().expect(K)
    moved.end().expect(K)
    if [p["data"] for p in plain.packets] != [p["data"] for p in moved.packets]:
        raise Failed("34 bytes before skb->data another packet begins than where it begins")
    shifted = Capture(t, "icmp_rcv", "--skb-data", expression=None)
    ping(1)
    time.sleep(0.1)
    shifted.end()
    data = base64.b64decode(shifted.packets[0]["data"])
    if data[0] not in (0, 8) or shifted.packets[0]["link"] != "ethernet":
        raise Failed(f"the ICMP header was due at the begin: {shifted.packets[0]}")


def test_command(t):
    """As it is documented."""
    t.command(f'netcapctl skb -f __ip_finish_output@3 -e "udp and host {THERE}" --fake-hdr', datagrams,
              {f" > {THERE}.{CLOSED_PORT}: UDP, length ": K})


CASES = (
    ("udp_send_skb", 1, "udp4", "ip-length+udp"),
    ("udp_send_skb", 1, "udp4 connected", "ip-length+udp"),
    ("udp_v6_send_skb", 1, "udp6", "ip-length+udp"),
    ("udp_v6_send_skb", 1, "udp6 connected", "ip-length+udp"),
    ("udp_send_skb", 1, "udp4 elsewhere", "ip-length+udp"),
    ("udp_v6_send_skb", 1, "udp6 elsewhere", "ip-length+udp"),
    ("udp_send_skb", 1, "udp4 by an IPv6 socket", "ip-length+udp"),
    ("ip_send_skb", 2, "udp4", "ip-length"),
    ("ip6_send_skb", 1, "udp6", "ip-length"),
    ("__tcp_transmit_skb", 2, "tcp4", "ip+tcp"),
    ("__tcp_transmit_skb", 2, "tcp6", "ip+tcp"),
    ("__tcp_transmit_skb", 2, "tcp4 by an IPv6 socket", "ip+tcp"),
    ("__ip_queue_xmit", 2, "tcp4", "ip"),
    ("ip6_xmit", 2, "tcp6", "ip"),
)


def say_all(t):
    with peer():
        for name, arg, what, made in CASES:
            t.say(f"headers made at {name}, {what}", lambda n=name, a=arg, w=what, m=made:
                  test_made(t, n, a, w, m))
        t.say("headers made at __tcp_transmit_skb by kprobe", lambda: test_made(
            t, "__tcp_transmit_skb", 2, "tcp4", "ip+tcp", "--backend", "kprobe"))
        t.say("--fake-hdr=never", lambda: test_never(t))
        t.say("--fake-hdr=always", lambda: test_always(t))
        t.say("--skb-data", lambda: test_skb_data(t))
    t.say("command line 5 of the documentation", lambda: test_command(t))
