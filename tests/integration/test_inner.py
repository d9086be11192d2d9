# SPDX-License-Identifier: BSD-2-Clause
"""Packets in tunnels, made byte by byte: nested, cut into fragments, and with little room."""
import socket
import struct

import pytest

from netcap import Session, assert_session_identity
from test_drops import RECEIVE

PORT = 7227
RAW = 101
VXLAN, GENEVE = 4789, 6081
FILTER = f"udp dst port {PORT}"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(protocol, payload, source="192.0.2.1", destination="192.0.2.2", fragment=0):
    """fragment: the field with flags and offset."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, fragment, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(destination))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(port, payload):
    return struct.pack("!HHHH", 1111, port, 8 + len(payload), 0) + payload


def gre(payload, ethertype=0x0800):
    return struct.pack("!HH", 0, ethertype) + payload


def ethernet(payload, ethertype=0x0800):
    return bytes.fromhex("020000000001020000000002") + struct.pack("!H", ethertype) + payload


def vxlan(frame):
    return udp(VXLAN, struct.pack("!II", 0x08000000, 42 << 8) + frame)


def geneve(frame):
    return udp(GENEVE, struct.pack("!BBHI", 0, 0, 0x6558, 42 << 8) + frame)


INNER = ipv4(17, udp(PORT, b"netcap" * 10), "198.51.100.1", "198.51.100.2")

CASES = {  # what the outer IP header carries, the tunnels around the innermost packet, and how that begins
    "ipip": (4, INNER, "ipip", INNER),
    "gre": (47, gre(INNER), "gre", INNER),
    "vxlan": (17, vxlan(ethernet(INNER)), "vxlan", ethernet(INNER)),
    "geneve": (17, geneve(ethernet(INNER)), "geneve", ethernet(INNER)),
    "gre in vxlan": (17, vxlan(ethernet(ipv4(47, gre(INNER)))), "gre+vxlan", INNER),
    "vxlan in gre": (47, gre(ipv4(17, vxlan(ethernet(INNER)))), "gre+vxlan", ethernet(INNER)),
    "ipip in ipip": (4, ipv4(4, INNER), "ipip", INNER),
}


def capture(daemon, lab, frames, **parameters):
    with Session(daemon, (RECEIVE,), inner=True, netns=lab.b.inode, filter=FILTER, **parameters) as session:
        for frame in frames:
            lab.send_frame(frame)
        final, got = session.end()
    assert_session_identity(final)
    return got.packets


@pytest.mark.parametrize("name", CASES)
def test_innermost(daemon, lab, name):
    protocol, payload, tunnels, due = CASES[name]
    packet, = capture(daemon, lab, [lab.ethernet(0x0800, ipv4(protocol, payload))])
    assert packet.data == due
    assert packet.wire_len == len(due)
    assert packet.meta["tunnel"] == tunnels
    assert (packet.interface.link == RAW) == (due is INNER)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("snaplen", (1, 27, 28, 41, 60))
def test_little_room(daemon, lab, name, snaplen):
    """The limit counts from where the inner packet begins, and the filter sees what is beyond it."""
    protocol, payload, _, due = CASES[name]
    packet, = capture(daemon, lab, [lab.ethernet(0x0800, ipv4(protocol, payload))], snaplen=snaplen)
    assert packet.data == due[:snaplen]
    assert packet.wire_len == len(due)


@pytest.mark.parametrize("name", ("ipip", "gre", "vxlan"))
def test_fragments(daemon, lab, name):
    """The first piece has the inner headers; the others have no tunnel, and begin with bytes that are no headers."""
    protocol, payload, _, due = CASES[name]
    split = 64  # bytes of the first piece, a multiple of 8
    frames = [lab.ethernet(0x0800, ipv4(protocol, payload[:split], fragment=0x2000)),
              lab.ethernet(0x0800, ipv4(protocol, payload[split:], fragment=split // 8))]
    packet, = capture(daemon, lab, frames)
    assert due.startswith(packet.data)
    assert len(packet.data) == split - (len(payload) - len(due))


def test_cut_short(daemon, lab):
    """Tunnels whose inner packet is not whole: none is taken for one with headers that it has not."""
    frames = []
    for protocol, payload, _, due in CASES.values():
        for keep in (0, 1, 10, 19):  # bytes of the innermost headers
            cut = payload[:len(payload) - len(due) + keep]
            frames.append(lab.ethernet(0x0800, ipv4(protocol, cut)))
    assert not capture(daemon, lab, frames)
