# SPDX-License-Identifier: BSD-2-Clause
"""Real drops, counted exactly: over the socket, and as netcapctl shows them."""
import itertools
import json
import os
import random
import socket
import struct
import subprocess

import pytest

from lab import DEVICE, DROP_OUT_PORT, DROP_PORT
from netcap import Session, assert_session_identity

KFREE = "tracepoint:skb:kfree_skb"
QUEUE = "tracepoint:net:net_dev_queue"
XMIT = "tracepoint:net:net_dev_start_xmit"
RECEIVE = "tracepoint:net:netif_receive_skb"
SYNS = 31
ETHERNET, RAW = 1, 101
random_bytes = random.Random(2).randbytes


def has_drop_reasons():
    with open("/sys/kernel/tracing/events/skb/kfree_skb/format", encoding="ascii") as file:
        return "reason" in file.read()


def ports(packet):
    """Source and destination port of a TCP or UDP packet, IPv4 without options or IPv6."""
    data = packet.data[14:] if packet.interface.link == ETHERNET else packet.data
    header = 20 if data[0] >> 4 == 4 else 40
    return struct.unpack("!HH", data[header:header + 4])


def capture(daemon, send, **parameters):
    """The packets that a session with the parameters captures while send() runs; none may be lost."""
    with Session(daemon, **parameters) as session:
        send()
        final, got = session.end()
    assert_session_identity(final)
    counters = final["counters"]
    assert counters["lostRing"] == counters["lostClient"] == 0, counters
    assert counters["captured"] == len(got.packets), counters
    assert got.rest == b"", "the stream ends inside a block"
    return final, got


def test_every_syn_is_captured(daemon, lab):
    final, got = capture(daemon, lambda: lab.send_syns(SYNS), stack=True,
                         filter=lab.expression(f"tcp port {DROP_PORT}"))
    assert len(got.packets) == SYNS
    assert len({ports(p)[0] for p in got.packets}) > 1
    for packet in got.packets:
        meta = packet.meta
        assert ports(packet)[1] == DROP_PORT
        assert packet.interface.link == ETHERNET
        assert packet.wire_len == len(packet.data)
        assert meta["point"] == KFREE
        assert meta["dev"] == DEVICE
        assert int(meta["netns"]) == lab.b.inode
        assert any(frame.startswith("nf_hook_slow+") for frame in meta["stack"]), meta["stack"]
        assert int(meta["cpu"]) < os.cpu_count()
        if has_drop_reasons():
            assert meta["reason"] == "NETFILTER_DROP"
    counters = final["counters"]
    assert counters["hits"] - counters["filtered"] == SYNS


def test_plain_filter_and_stack_on_the_command_line(client, daemon, lab):
    """The demo's command; the namespace keeps out whatever else is dropped on this machine."""
    process = client.start("skb", "-f", KFREE, "-e", "tcp port 9000", "-S", "-c", 3,
                           "--netns", lab.b.name)
    daemon.wait_sessions()
    lab.send_syns(20)
    assert process.wait() == 0, process.err
    assert process.out.count(f"{lab.b.address}.{DROP_PORT}: Flags [S]") == 3, process.out
    assert process.out.count(KFREE) == 3
    assert process.out.count("nf_hook_slow") == 3
    if has_drop_reasons():
        assert process.out.count("NETFILTER_DROP") == 3
    assert "captured" in process.out + process.err


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_both_address_families(daemon, lab, family):
    _, got = capture(daemon, lambda: lab.send_syns(SYNS, family=family),
                     filter=lab.expression(f"tcp dst port {DROP_PORT}"))
    assert len(got.packets) == SYNS
    protocol = 0x0800 if family == socket.AF_INET else 0x86DD
    assert {int(p.meta["protocol"], 0) for p in got.packets} == {protocol}


def test_interface_and_namespace(daemon, lab):
    """Both ends of the pair have the same name, so that the namespace decides."""
    def send():
        lab.send_udp(b"x" * 30, count=7)
    expression = lab.expression(f"udp port {DROP_PORT}")
    points = [QUEUE, RECEIVE]
    _, got = capture(daemon, send, points=points, filter=expression, interface=DEVICE)
    assert [p.meta["point"] for p in got.packets].count(QUEUE) == 7
    assert [p.meta["point"] for p in got.packets].count(RECEIVE) == 7
    _, got = capture(daemon, send, points=points, filter=expression, interface="lo")
    assert not got.packets
    for host, point in ((lab.a, QUEUE), (lab.b, RECEIVE)):
        _, got = capture(daemon, send, points=points, filter=expression, netns=host.inode)
        assert [p.meta["point"] for p in got.packets] == [point] * 7
        assert {int(p.meta["netns"]) for p in got.packets} == {host.inode}


def test_mark(daemon, lab):
    def send():
        for mark in (0x10, 0x11, 0x21):
            lab.send_udp(b"x" * 30, mark=mark)
    expression = lab.expression(f"udp port {DROP_PORT}")
    for mark, mask, expected in ((0x10, 0xFFFFFFFF, [0x10]), (0x10, 0xF0, [0x10, 0x11]),
                                 (0x01, 0x01, [0x11, 0x21])):
        final, got = capture(daemon, send, points=[QUEUE], filter=expression, mark=mark,
                             markMask=mask)
        assert [int(p.meta["mark"], 0) for p in got.packets] == expected
        assert final["counters"]["hits"] >= 3


def test_pid_and_comm(daemon, lab):
    with open("/proc/self/comm", encoding="ascii") as file:
        own = file.read().strip()
    expression = lab.expression(f"udp port {DROP_PORT}")

    def send():
        lab.send_udp(b"x" * 30, count=5)
        lab.flood(3, 0)
    _, got = capture(daemon, send, points=[QUEUE], filter=expression)
    assert len(got.packets) == 8
    for parameters in ({"pid": os.getpid()}, {"comm": own}):
        _, got = capture(daemon, send, points=[QUEUE], filter=expression, **parameters)
        assert len(got.packets) == 5
        assert {int(p.meta["pid"]) for p in got.packets} == {os.getpid()}
        assert {p.meta["comm"] for p in got.packets} == {own}
    _, got = capture(daemon, send, points=[QUEUE], filter=expression, comm="flood")
    assert len(got.packets) == 3


def test_count_limit(daemon, lab):
    """The session ends by itself at the limit, and what came later is counted as limited."""
    with Session(daemon, filter=lab.expression(f"tcp port {DROP_PORT}"), count=5) as session:
        lab.send_syns(SYNS)
        ended = session.connection.wait_state("ended")
        final, got = session.finish(ended)
    assert ended["reason"] == "count"
    assert len(got.packets) == final["counters"]["captured"] == 5
    assert_session_identity(final)


def test_several_points_follow_one_packet(daemon, lab):
    points = [QUEUE, XMIT, RECEIVE, KFREE]
    final, got = capture(daemon, lambda: lab.send_udp(b"abc" * 11, count=13), points=points,
                         filter=lab.expression(f"udp port {DROP_PORT}"))
    assert [p["name"] for p in final["points"]] == points
    for point, counters in ((p["name"], p["counters"]) for p in final["points"]):
        assert counters["captured"] == 13, point
        assert [p.meta["point"] for p in got.packets].count(point) == 13
    times = [p.time_ns for p in got.packets]
    assert times == sorted(times) or max(a - b for a, b in itertools.pairwise(times)) < 1_000_000


@pytest.mark.parametrize("snaplen", [64, 256, 2000, 65535])
@pytest.mark.parametrize("segment", [0, 1400], ids=["fragments", "gso"])
def test_large_packets_to_the_last_byte(daemon, lab, snaplen, segment):
    """Page fragments (UDP GSO) and the fragment list (IP fragments put together again)."""
    payload = random_bytes(20011)
    _, got = capture(daemon, lambda: lab.send_udp(payload, segment=segment),
                     filter=lab.expression(f"udp dst port {DROP_PORT} and greater 20000"),
                     snaplen=snaplen)
    assert len(got.packets) == 1
    packet = got.packets[0]
    start = 14 + 20 + 8
    assert packet.wire_len == start + len(payload)
    assert len(packet.data) == min(snaplen, packet.wire_len)
    assert packet.data[start:] == payload[:len(packet.data) - start]
    assert "partial" not in packet.meta


def test_payload_bytes_in_filters(daemon, lab):
    """Bytes far behind the headers, in page fragments, decide."""
    payload = bytearray(random_bytes(20011))
    payload[15000] = 0x5A

    def send():
        for value in (0x59, 0x5A, 0x5B):
            payload[15000] = value
            lab.send_udp(bytes(payload), segment=1400)
    _, got = capture(daemon, send, snaplen=20100,
                     filter=lab.expression(f"udp dst port {DROP_PORT} and udp[15008] = 0x5a"))
    assert [p.data[14 + 28 + 15000] for p in got.packets] == [0x5A]


def test_tags_in_metadata_are_part_of_the_packet(daemon, lab):
    with lab.tagged():
        for expression, expected in ((f"vlan 100 and udp port {DROP_PORT}", 3), ("vlan 101", 0),
                                     (f"vlan and dst host {lab.b.address}", 3)):
            _, got = capture(daemon, lambda: lab.send_udp(b"t" * 40, count=3), points=[XMIT],
                             filter=expression, netns=lab.a.inode)
            assert len(got.packets) == expected, expression
            for packet in got.packets:
                assert packet.data[12:18] == bytes.fromhex("810060640800")
                assert packet.data[18 + 28:] == b"t" * 40
                assert packet.wire_len == len(packet.data) == 18 + 28 + 40


def test_packets_without_a_mac_header(daemon, lab):
    """Dropped in the output chain, before there is one: shown from the IP header on."""
    payload = random_bytes(50)
    _, got = capture(daemon, lambda: lab.send_udp(payload, port=DROP_OUT_PORT, count=3),
                     filter=lab.expression(f"udp port {DROP_OUT_PORT}"))
    assert len(got.packets) == 3
    for packet in got.packets:
        assert packet.interface.link == RAW
        assert packet.meta["link"] == "raw"
        assert packet.data[0] == 0x45
        assert packet.data[28:] == payload
        assert packet.wire_len == 20 + 8 + len(payload)
        assert ports(packet)[1] == DROP_OUT_PORT


def test_raw_and_ethernet_packets_in_one_print(client, daemon, lab):
    process = client.start("skb", "-f", KFREE, "-c", 4, "-e", lab.expression(
        f"udp port {DROP_OUT_PORT} or udp port {DROP_PORT}"))
    daemon.wait_sessions()
    for port in (DROP_OUT_PORT, DROP_PORT, DROP_OUT_PORT, DROP_PORT):
        lab.send_udp(b"hello", port=port)
    assert process.wait() == 0, process.err
    lines = [line for line in process.out.splitlines() if " > " in line]
    assert [line.split(" > ")[1].split(":")[0] for line in lines] == [
        f"{lab.b.address}.{port}" for port in (DROP_OUT_PORT, DROP_PORT) * 2], process.out


def test_events_without_a_descriptor(daemon, lab):
    """A caller such as varlinkctl, that passes none, gets packets as replies."""
    with daemon.connect() as connection:
        connection.send("Start", {"points": [KFREE], "count": 3,
                                  "filter": lab.expression(f"tcp port {DROP_PORT}")}, more=True)
        connection.wait_state("attached")
        lab.send_syns(5)
        for _ in range(3):
            event = connection.wait_state("event")["event"]
            assert event["link"] == ETHERNET
            assert f"point={KFREE} " in event["meta"]
        final = connection.wait_state("ended")["session"]
    assert final["counters"]["captured"] == 3
    assert_session_identity(final)


def test_json_lines(client, daemon, lab):
    process = client.start("skb", "-f", KFREE, "--json", "-S", "-c", 3,
                           "-e", lab.expression(f"tcp port {DROP_PORT}"))
    daemon.wait_sessions()
    lab.send_syns(5)
    assert process.wait() == 0, process.err
    packets = [json.loads(line) for line in process.out.splitlines()]
    packets = [p for p in packets if p.get("point")]
    assert len(packets) == 3, process.out
    for packet in packets:
        assert packet["point"] == KFREE
        assert packet["dev"] == DEVICE
        assert packet["netns"] == lab.b.inode
        assert any("nf_hook_slow" in frame for frame in packet["stack"])


def test_dry_run_attaches_nothing(client, daemon):
    done = client.run("skb", "-f", KFREE, "-e", "tcp port 9000", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert KFREE in done.stdout
    assert "(000) ldh      [12]" in done.stdout, "the filter as cBPF is missing"
    assert "exit" in done.stdout, "the filter as eBPF is missing"
    assert daemon.sessions() == []


def test_list_stats_and_stop(client, daemon, lab):
    expression = lab.expression(f"tcp port {DROP_PORT}")
    capture_process = client.start("skb", "-f", KFREE, "-e", expression)
    session, = daemon.wait_sessions()
    number = str(session["id"])
    lab.send_syns(3)
    listed = client.run("list")
    assert listed.returncode == 0
    line = next(line for line in listed.stdout.splitlines() if number in line.split())
    assert KFREE in listed.stdout and expression[:20] in listed.stdout, line
    stats = client.run("stats", number)
    assert stats.returncode == 0 and "hits" in stats.stdout.lower()
    assert client.run("stop", number).returncode == 0
    assert capture_process.wait() == 0, capture_process.err
    assert capture_process.out.count("Flags [S]") == 3
    assert daemon.sessions() == []
    missing = client.run("stop", number)
    assert missing.returncode == 1
    assert number in missing.stderr


def test_points_and_features(client):
    points = client.run("points", "skb:*")
    assert points.returncode == 0
    assert "tracepoint:skb:kfree_skb" in points.stdout
    assert "net_dev_queue" not in points.stdout
    everything = client.run("points")
    assert "tracepoint:net:netif_receive_skb" in everything.stdout
    assert len(everything.stdout.splitlines()) > len(points.stdout.splitlines())
    features = client.run("features")
    assert features.returncode == 0
    assert os.uname().release in features.stdout
    assert "BTF" in features.stdout


def test_private_daemon(lone_client, lab):
    """No service: netcapctl starts a netcapd for its own lifetime."""
    process = lone_client.start("skb", "-f", KFREE, "-S", "-c", SYNS,
                                "-e", lab.expression(f"tcp port {DROP_PORT}"))
    for _ in range(100):
        lab.send_syns(1)
        try:
            assert process.process.wait(0.1) == 0, process.err
            break
        except subprocess.TimeoutExpired:
            continue
    else:
        process.kill()
        pytest.fail(f"nothing was captured: {process.out} {process.err}")
    assert process.out.count("Flags [S]") == SYNS
    assert process.out.count("nf_hook_slow") == SYNS


@pytest.mark.parametrize("parameters", [{}, {"filter": "greater 0"}, {"fakeHdr": "always"}])
@pytest.mark.parametrize("start", [{}, {"skbData": True}, {"skbData": True, "skbDataOffset": 4}])
def test_messages_of_processes_are_no_packets(daemon, parameters, start):
    """What processes say to each other by Unix sockets is in sk_buffs, too, and nobody's business."""
    def speak():
        for _ in range(7):
            left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            with left, right:
                left.send(b"a secret of two processes")
                right.recv(100)
    final, got = capture(daemon, speak, points=["tracepoint:skb:consume_skb"], pid=os.getpid(),
                         **parameters, **start)
    assert final["counters"]["hits"] >= 7
    assert not [p for p in got.packets if b"secret" in p.data]
