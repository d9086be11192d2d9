# SPDX-License-Identifier: BSD-2-Clause
"""Packets that are followed through a device pair and NAT, among others that take the same way."""
import collections
import json

import pytest

from lab import DROP_PORT
from netcap import Session, assert_session_identity
from test_drops import ETHERNET, KFREE, QUEUE, RECEIVE, ports

K = 37
BEFORE, AFTER = 9100, 9101  # what a sends to, and what b makes of it; nobody listens there
POINTS = (QUEUE, RECEIVE, KFREE)
OTHERS, RATE = 20000, 10000


@pytest.fixture
def nat(lab):
    lab.b.run("nft", f"add table ip track; add chain ip track in {{ type nat hook prerouting priority -100; }}; "
                     f"add rule ip track in udp dport {BEFORE} redirect to :{AFTER}")
    yield
    lab.b.run("nft", "delete table ip track")


def send(lab):
    """K packets that can be told apart, amid a flood of others."""
    process = lab.flood(OTHERS, RATE, background=True)
    for n in range(K):
        lab.send_udp(b"track-%04d" % n, port=BEFORE)
    assert process.poll() is None, "the flood was over before the packets were sent"
    assert lab.flood_end(process) == OTHERS


def payload(packet):
    return packet.data[(14 if packet.interface.link == ETHERNET else 0) + 28:]


def test_events_behind_nat(daemon, lab, nat):
    with Session(daemon, POINTS, track=True, filter=lab.expression(f"udp dst port {BEFORE}"),
                 ringBytes=16 << 20) as session:
        send(lab)
        final, got = session.end()
    assert_session_identity(final)
    assert len(got.packets) == final["counters"]["captured"] == 3 * K
    ways = collections.defaultdict(list)
    for packet in got.packets:
        ways[packet.meta["track"]].append(packet)
    assert sorted(map(int, ways)) == list(range(1, K + 1))
    for packets in ways.values():
        assert [p.meta["point"] for p in packets] == list(POINTS)
        assert [ports(p)[1] for p in packets] == [BEFORE, BEFORE, AFTER]
        assert len({payload(p) for p in packets}) == 1
    assert {payload(packets[0]) for packets in ways.values()} == {b"track-%04d" % n for n in range(K)}
    assert final["tracking"]["packets"] == K
    assert final["tracking"]["evicted"] == 0


def test_without_track(daemon, lab, nat):
    with Session(daemon, POINTS, filter=lab.expression(f"udp dst port {BEFORE}")) as session:
        lab.send_udp(b"x", count=K, port=BEFORE)
        final, got = session.end()
    assert collections.Counter(p.meta["point"] for p in got.packets) == {QUEUE: K, RECEIVE: K}
    assert not any("track" in p.meta for p in got.packets)
    assert "tracking" not in final


def test_what_cannot_be_followed_is_said(daemon, client, lab):
    """At the start, where functions cannot be traced; and not where they can."""
    features = {f["name"]: f["available"] for f in json.loads(client.run("features", "--json").stdout)["features"]}
    capture = client.start("skb", "-f", KFREE, "--track", "-c", "1", "-w", "/dev/null", "-e",
                           lab.expression(f"udp dst port {DROP_PORT}"))
    daemon.wait_sessions()
    lab.send_udp(b"x")
    assert capture.wait() == 0
    possible = features["fentry"] or features["kprobe"]
    assert ("clones and copies are not followed" in capture.err) == (not possible), capture.err
    assert "1 packet tracked, 0 evicted." in capture.err


def test_group(daemon, client, lab, nat):
    """The events of each packet follow one another, when it is freed: the capture need not end for that."""
    capture = client.start("skb", "-f", ",".join(POINTS), "--track", "--group", "--json", "-c", str(3 * K), "-e",
                           lab.expression(f"udp dst port {BEFORE}"), "--ring-size", "16M")
    daemon.wait_sessions()
    send(lab)
    assert capture.wait() == 0, capture.err
    packets = [json.loads(line) for line in capture.out.splitlines()]
    assert len(packets) == 3 * K
    for number, packet in enumerate(packets):
        assert (packet["events"], packet["event"]) == (3, number % 3 + 1)
        assert packet["track"] == packets[number - number % 3]["track"]
        assert packet["point"] == POINTS[number % 3]
        if number % 3:
            assert packet["since_ns"] == packet["time_ns"] - packets[number - 1]["time_ns"]


def test_group_as_text(daemon, client, lab, nat):
    capture = client.start("skb", "-f", ",".join(POINTS), "--track", "--group", "-e",
                           lab.expression(f"udp dst port {BEFORE}"))
    daemon.wait_sessions()
    lab.send_udp(b"x", port=BEFORE)
    assert capture.interrupt() == 0, capture.err
    heads = [line for line in capture.out.splitlines() if not line.startswith("    ")]
    assert heads[0] == "packet 1, 3 events:"
    assert "us " not in heads[1] and all(" +" in line and " us IP " in line for line in heads[2:]), heads
    assert len(heads) == 4


def test_room_is_limited(daemon, lab):
    """More packets than there is room for: what is forgotten is counted."""
    with lab.b.socket() as hoarder:
        hoarder.setsockopt(1, 33, 64 << 20)  # SO_RCVBUFFORCE: nobody reads, so all of them live
        hoarder.bind((lab.b.address, 9102))
        with Session(daemon, (QUEUE,), track=True, trackSize=1024,
                     filter=lab.expression("udp dst port 9102")) as session:
            lab.send_udp(b"x", count=3001, port=9102)
            final, _ = session.end()
    tracking = final["tracking"]
    assert tracking["packets"] == 3001
    assert 3001 - 1024 <= tracking["evicted"] < 3001
