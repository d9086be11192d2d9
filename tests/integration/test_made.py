# SPDX-License-Identifier: BSD-2-Clause
"""Headers that are made (fakeHdr), and what happens when there is no room to make them in."""
import contextlib
import pathlib

import pytest

from netcap import Session, assert_session_identity, bpftool, wait_until
from test_drops import ETHERNET, QUEUE

K = 13
PORT = 9100          # nobody listens there
SLOTS = 8            # NETCAP_MADE_SLOTS
USERS_AT = 120       # in struct source_made: bytes, skb, skip, len, wire_len, parts
VALUE_BYTES = 128
FLOOD, RATE = 20000, 20000


@pytest.fixture
def sender(lab):
    """Connected, or the socket does not say where its packets go."""
    with contextlib.closing(lab.a.socket()) as sock:
        sock.connect((lab.b.address, PORT))
        yield sock


def send(sock):
    for n in range(K):
        try:
            sock.send(b"made-%04d" % n)
        except ConnectionRefusedError:  # what came back for the one before
            sock.send(b"made-%04d" % n)


def start(daemon, lab):
    return Session(daemon, (QUEUE,), fakeHdr="always", filter=lab.expression(f"udp dst port {PORT}"),
                   ringBytes=16 << 20)


def made_map(daemon):
    """Of the session that runs."""
    held = {int(line.split()[1]) for path in pathlib.Path(f"/proc/{daemon.pid}/fdinfo").iterdir()
            for line in path.read_text(encoding="ascii").splitlines() if line.startswith("map_id:")}
    found, = (entry["id"] for entry in bpftool("map", "show")
              if entry.get("name") == "netcap_made" and entry["id"] in held)
    return found


def set_users(number, users):
    value = bytes(USERS_AT) + users.to_bytes(4, "little") + bytes(VALUE_BYTES - USERS_AT - 4)
    for slot in range(SLOTS):
        bpftool("map", "update", "id", str(number), "key", *map(str, slot.to_bytes(4, "little")),
                "value", *map(str, value))


def users(number):
    """Of all slots, on all CPUs."""
    return [int.from_bytes(bytes(int(b, 16) for b in value["value"][USERS_AT:USERS_AT + 4]), "little")
            for entry in bpftool("map", "dump", "id", str(number)) for value in entry["values"]]


def checksum(header):
    total = sum(int.from_bytes(header[n:n + 2], "big") for n in range(0, len(header), 2))
    return (total & 0xFFFF) + (total >> 16)


def check_headers(packet):
    ip, udp = packet.data[:20], packet.data[20:28]
    assert checksum(ip) == 0xFFFF
    assert int.from_bytes(ip[2:4], "big") == len(packet.data)
    assert int.from_bytes(udp[4:6], "big") == len(packet.data) - len(ip)


def check(packets, payloads, made):
    assert len(packets) == K
    assert [p.data[-len(b"made-0000"):] for p in packets] == payloads
    assert {p.meta.get("made") for p in packets} == {made}
    assert {p.interface.link == ETHERNET for p in packets} == {made is None}
    for packet in packets if made else ():
        check_headers(packet)


def test_slots(daemon, lab, sender):
    """Without a free slot the packet is taken as it is; it counts and matches as every other."""
    payloads = [b"made-%04d" % n for n in range(K)]
    with start(daemon, lab) as session:
        number = made_map(daemon)
        send(sender)
        set_users(number, 1)
        send(sender)
        assert set(users(number)) == {1}, "who found a slot in use has changed it"
        set_users(number, 0)
        send(sender)
        final, got = session.end()
    assert_session_identity(final)
    assert final["counters"]["captured"] == 3 * K
    check(got.packets[:K], payloads, "ip+udp")
    check(got.packets[K:2 * K], payloads, None)
    check(got.packets[2 * K:], payloads, "ip+udp")


def test_slots_are_given_back(daemon, lab):
    """Whether the packet matches or not."""
    for expression in (f"udp dst port {PORT}", "udp"):
        with Session(daemon, (QUEUE,), fakeHdr="always", filter=lab.expression(expression),
                     ringBytes=16 << 20) as session:
            number = made_map(daemon)
            assert lab.flood(FLOOD, RATE) == FLOOD
            assert wait_until(lambda n=number: not any(users(n)))
            final, _ = session.end()
        assert_session_identity(final)
        assert final["counters"]["hits"] >= FLOOD
