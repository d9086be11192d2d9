# SPDX-License-Identifier: BSD-2-Clause
"""The flight recorder: samples of what was dropped, with the packets' bytes, over restarts and kills of the daemon."""
import os
import re
import socket
import subprocess
import time

import pytest

import pcapng
import varlink
from lab import DEVICE, DROP_PORT
from netcap import Daemon, wait_until
from test_ledger import has_drop_reasons

CLOSED_PORT = 9111
POINT = "tracepoint:skb:kfree_skb"
FIRST, IN_A_SECOND = 4, 64  # bpf/ledger.h
FILE = "samples"


def read_all(fd):
    data = b""
    while chunk := os.read(fd, 65536):
        data += chunk
    return data


def fetch(daemon, **query):
    """The samples, and the reply."""
    reading, writing = os.pipe()
    with daemon.connect() as connection:
        connection.send("Drops", {"samples": True, **query}, fds=[writing])
        os.close(writing)
        capture = pcapng.parse(read_all(reading))
        os.close(reading)
        reply = connection.reply()
    assert reply["samples"] == len(capture.packets)
    assert capture.rest == b""
    return capture, reply


def of_host(capture, host, port=None):
    """Those of a network namespace; with a destination port of UDP over IPv4."""
    packets = [packet for packet in capture.packets if packet.meta.get("netns") == str(host.inode)]
    if port is None:
        return packets
    return [packet for packet in packets if packet.data[12:14] == b"\x08\x00" and packet.data[23] == socket.IPPROTO_UDP
            and packet.data[36:38] == port.to_bytes(2, "big")]


def payload_of(packet):
    return packet.data[42:]


def assert_sample(packet, reason, functions):
    assert packet.meta["point"] == POINT
    assert packet.meta["dev"] == DEVICE
    assert packet.meta.get("reason") == (reason if has_drop_reasons() else None)
    assert packet.meta["location"].split("+0x")[0] in functions, packet.meta
    assert len(packet.meta["stack"]) > 3 and all("+0x" in frame for frame in packet.meta["stack"]), packet.meta
    assert any(re.match(r"(__)?(udp4_lib_rcv|ip_rcv|netif_receive_skb|nf_hook_slow|ip_local_deliver)", frame)
               for frame in packet.meta["stack"]), packet.meta
    assert abs(packet.time_ns / 1e9 - time.time()) < 30


def test_two_kinds(daemon, lab):
    """The first packets of each kind are there, with their bytes, and more of a long one not."""
    for number in range(3):
        lab.send_udp(b"closed %d" % number, port=CLOSED_PORT)
    lab.send_udp(b"rule " + b"y" * 600, port=DROP_PORT)
    capture, reply = fetch(daemon)
    closed = of_host(capture, lab.b, CLOSED_PORT)
    assert [payload_of(packet) for packet in closed] == [b"closed 0", b"closed 1", b"closed 2"]
    for packet in closed:
        assert_sample(packet, "NO_SOCKET", ("__udp4_lib_rcv", "udp_rcv"))
        assert packet.wire_len == len(packet.data) == 14 + 20 + 8 + 8
        assert packet.data[:12] == lab.b.read_mac() + lab.a.read_mac()
    rule, = of_host(capture, lab.b, DROP_PORT)
    assert_sample(rule, "NETFILTER_DROP", ("nf_hook_slow", "nft_do_chain"))
    assert payload_of(rule) == (b"rule " + b"y" * 600)[:128 - 42]
    assert rule.wire_len == 14 + 20 + 8 + 605
    assert reply["unsampled"] >= 0
    assert {row["packets"] for row in reply["rows"] if row["netns"] == lab.b.inode} >= {3, 1}


def test_a_flood(daemon, lab):
    """A bounded number of samples, and the ledger is exact all the same."""
    before, reply = fetch(daemon)
    left_out = reply["unsampled"]
    start = time.monotonic()
    lab.flood(100000, 20000, port=CLOSED_PORT)
    seconds = time.monotonic() - start
    capture, reply = fetch(daemon)
    cpus = os.cpu_count()
    flood = of_host(capture, lab.b, CLOSED_PORT)
    assert 1 <= len(flood) <= cpus * (FIRST + seconds + 1)
    assert len(capture.packets) - len(before.packets) <= (seconds + 2) * (IN_A_SECOND + cpus)
    row, = (row for row in reply["rows"] if row["netns"] == lab.b.inode and row["transport"] == "udp")
    assert row["packets"] == 100000
    new = len(capture.packets) - len(before.packets)
    assert reply["unsampled"] - left_out >= 100000 - new


def test_one_a_second(daemon, lab):
    for _ in range(30):
        lab.send_udp(b"x", port=CLOSED_PORT)
        time.sleep(0.1)
    flood = of_host(fetch(daemon)[0], lab.b, CLOSED_PORT)
    assert FIRST < len(flood) <= os.cpu_count() * (FIRST + 4)


def test_a_time_span(daemon, lab):
    lab.send_udp(b"before", port=CLOSED_PORT)
    time.sleep(0.1)
    middle = time.time_ns() // 1000
    time.sleep(0.1)
    lab.send_udp(b"after", port=CLOSED_PORT)
    for query, payloads in (({}, [b"before", b"after"]), ({"since": middle}, [b"after"]),
                            ({"until": middle}, [b"before"])):
        found = of_host(fetch(daemon, **query)[0], lab.b, CLOSED_PORT)
        assert [payload_of(packet) for packet in found] == payloads


@pytest.mark.parametrize("kill", [False, True], ids=["stop", "kill"])
def test_samples_outlive_the_daemon(daemon, build, tmp_path, lab, kill):
    lab.send_udp(b"kept", port=CLOSED_PORT)
    old, = of_host(fetch(daemon)[0], lab.b, CLOSED_PORT)
    if kill:
        daemon.kill()
        daemon.socket_path.unlink(missing_ok=True)
    else:
        daemon.stop()
    again = Daemon(build, tmp_path)
    try:
        new, = of_host(fetch(again)[0], lab.b, CLOSED_PORT)
        assert new.data == old.data and new.meta == old.meta and abs(new.time_ns - old.time_ns) < 1e6
    finally:
        assert again.stop() == 0


def test_a_damaged_file_is_set_aside(build, tmp_path, lab):
    (tmp_path / FILE).write_bytes(b"nonsense" * 1000)
    daemon = Daemon(build, tmp_path)
    try:
        lab.send_udp(b"anew", port=CLOSED_PORT)
        assert [payload_of(packet) for packet in of_host(fetch(daemon)[0], lab.b, CLOSED_PORT)] == [b"anew"]
        assert (tmp_path / (FILE + ".bad")).read_bytes() == b"nonsense" * 1000
        assert FILE + ".bad" in daemon.err
    finally:
        assert daemon.stop() == 0


def test_who_does_not_read(daemon, lab):
    """It gets an error after two seconds, and meanwhile the daemon serves others."""
    lab.send_udp(b"x", port=CLOSED_PORT)
    assert fetch(daemon)[0].packets
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while os.write(writing, bytes(4096)):
            pass
    except BlockingIOError:
        pass
    with daemon.connect() as connection:
        connection.send("Drops", {"samples": True}, fds=[writing])
        os.close(writing)
        daemon.assert_answers()
        with pytest.raises(varlink.Error) as refused:
            connection.reply()
    os.close(reading)
    assert refused.value.name.endswith("Failed") and "not all read" in str(refused.value)


def test_who_goes_away(daemon, lab):
    lab.send_udp(b"x", port=CLOSED_PORT)
    for _ in range(8):  # more than there may be at a time
        reading, writing = os.pipe()
        with daemon.connect() as connection:
            connection.send("Drops", {"samples": True}, fds=[writing])
            os.close(writing)
        os.close(reading)
    assert wait_until(lambda: fetch_or_none(daemon), 5)


def fetch_or_none(daemon):
    try:
        return fetch(daemon)
    except varlink.Error:
        return None


@pytest.mark.parametrize("query, descriptor, error, field", [
    ({"samples": True}, False, "BadDescriptor", ""), ({}, True, "BadDescriptor", ""),
    ({"samples": True, "by": "port"}, True, "InvalidSpec", "by"),
    ({"samples": True, "since": 5, "until": 4}, True, "InvalidSpec", "until"),
    ({"samples": 1}, True, "InvalidSpec", "samples")])
def test_what_cannot_be_asked(daemon, query, descriptor, error, field):
    reading, writing = os.pipe()
    with daemon.connect() as connection:
        connection.send("Drops", query, fds=[writing] if descriptor else [])
        with pytest.raises(varlink.Error) as refused:
            connection.reply()
    os.close(reading)
    os.close(writing)
    assert refused.value.name.endswith(error) and refused.value.parameters["field"] == field


def test_with_more(daemon):
    reading, writing = os.pipe()
    with daemon.connect() as connection:
        connection.send("Drops", {"samples": True}, more=True, fds=[writing])
        with pytest.raises(varlink.Error) as refused:
            connection.reply()
    os.close(reading)
    os.close(writing)
    assert refused.value.parameters["field"] == "samples"


def test_a_file_of_netcapctl(client, lab, tmp_path):
    lab.send_udp(b"to a file", port=CLOSED_PORT)
    file = tmp_path / "drops.pcapng"
    done = client.run("drops", "-w", str(file))
    assert done.returncode == 0, done.stderr
    capture = pcapng.parse(file.read_bytes())
    packet, = of_host(capture, lab.b, CLOSED_PORT)
    assert payload_of(packet) == b"to a file"
    assert f"{len(capture.packets)} packets written" in done.stderr
    text = subprocess.run(["tshark", "-n", "-r", str(file), "-Y", f"udp.port == {CLOSED_PORT}", "-T", "fields", "-e",
                           "frame.comment"], capture_output=True, text=True, check=True).stdout
    assert "point=" + POINT in text


def test_standard_output_of_netcapctl(client, lab):
    lab.send_udp(b"to a pipe", port=CLOSED_PORT)
    done = subprocess.run([client.program, *client.options, "drops", "--since", "60s", "-w", "-"],
                          capture_output=True, timeout=15, check=True)
    packet, = of_host(pcapng.parse(done.stdout), lab.b, CLOSED_PORT)
    assert payload_of(packet) == b"to a pipe"


@pytest.mark.parametrize("options", [("--by", "dev"), ("--json",), ("--follow",), ("--packets",), ("--top", "3")])
def test_options_that_do_not_go_with_a_file(client, tmp_path, options):
    done = client.run("drops", "-w", tmp_path / "none.pcapng", *options)
    assert done.returncode == 2, done.stderr
    assert not (tmp_path / "none.pcapng").exists()


def test_printed_by_netcapctl(client, lab):
    lab.send_udp(b"to a terminal", port=CLOSED_PORT)
    done = client.run("drops", "--packets")
    assert done.returncode == 0, done.stderr
    text = done.stdout[done.stdout.index(f".{CLOSED_PORT}: UDP, length 13"):]
    assert POINT in text and DEVICE in text
    assert re.search(r"udp4_lib_rcv|ip_rcv", text)
