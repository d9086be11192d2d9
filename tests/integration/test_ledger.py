# SPDX-License-Identifier: BSD-2-Clause
"""The drop ledger: real drops, counted exactly by kind, over restarts and kills of the daemon."""
import json
import re
import socket
import struct
import time

import pytest

import varlink
from lab import DEVICE, DROP_PORT
from netcap import Daemon, wait_until

SYSTEM_PORT, USER_PORT, DYNAMIC_PORT = 9, 9111, 50021
ETH_P_IP = 0x0800


def has_drop_reasons():
    with open("/sys/kernel/tracing/events/skb/kfree_skb/format", encoding="ascii") as file:
        return "reason" in file.read()


def drops(daemon, **query):
    with daemon.connect() as connection:
        return connection.call("Drops", query)


def rows_of(daemon, host, **query):
    return [row for row in drops(daemon, **query)["rows"] if row["netns"] == host.inode]


def named_rows(daemon, host):
    rows = rows_of(daemon, host)
    assert not [row for row in rows if row["location"].startswith("0x")], rows
    return rows


def assert_kind(row, packets, reason, function, **members):
    assert row["packets"] == row["lastMinute"] == packets, row
    assert sum(row["recent"]) == packets and len(row["recent"]) == 30, row
    assert row["location"].rsplit("+0x", 1)[0] in function, row
    assert row["reason"] == (reason if has_drop_reasons() else ""), row
    assert row["subsystem"] == ("core" if has_drop_reasons() else ""), row
    for name, value in members.items():
        assert row[name] == value, (name, row)


def only(rows, **members):
    found = [row for row in rows if all(row[name] == value for name, value in members.items())]
    assert len(found) == 1, rows
    return found[0]


def bad_checksum(lab, port):
    """A UDP datagram whose checksum is wrong, as a frame."""
    payload = b"spoilt"
    udp = struct.pack("!HHHH", 4000, port, 8 + len(payload), 0xBAD1) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, socket.IPPROTO_UDP, 0,
                         socket.inet_aton(lab.a.address), socket.inet_aton(lab.b.address))
    words = sum(struct.unpack("!10H", header))
    words = (words & 0xFFFF) + (words >> 16)
    checksum = ~((words & 0xFFFF) + (words >> 16)) & 0xFFFF
    return lab.ethernet(ETH_P_IP, header[:10] + struct.pack("!H", checksum) + header[12:] + udp)


def test_datagrams_to_closed_ports(daemon, lab):
    """The class of the port makes rows of their own."""
    counts = {SYSTEM_PORT: 17, USER_PORT: 31, DYNAMIC_PORT: 43}
    for port, count in counts.items():
        lab.send_udp(b"x" * 72, count=count, port=port)
    rows = named_rows(daemon, lab.b)
    for port, ports in ((SYSTEM_PORT, "system"), (USER_PORT, "user"), (DYNAMIC_PORT, "dynamic")):
        assert_kind(only(rows, ports=ports), counts[port], "NO_SOCKET", ("__udp4_lib_rcv", "udp_rcv"),
                    device=DEVICE, protocol="ipv4", transport="udp", bytes=counts[port] * 80)


def test_both_address_families(daemon, lab):
    lab.send_udp(b"x", count=13, port=USER_PORT, family=socket.AF_INET6)
    lab.send_udp(b"x", count=11, port=USER_PORT)
    rows = named_rows(daemon, lab.b)
    assert_kind(only(rows, protocol="ipv6", transport="udp"), 13, "NO_SOCKET",
                ("__udp6_lib_rcv", "udpv6_rcv"), device=DEVICE, ports="user")
    assert_kind(only(rows, protocol="ipv4", transport="udp"), 11, "NO_SOCKET",
                ("__udp4_lib_rcv", "udp_rcv"), device=DEVICE, ports="user")


def test_a_rule_of_the_firewall(daemon, lab):
    lab.send_udp(b"x", count=37, port=DROP_PORT)
    lab.send_syns(41)
    rows = named_rows(daemon, lab.b)
    for transport, count in (("udp", 37), ("tcp", 41)):
        assert_kind(only(rows, transport=transport), count, "NETFILTER_DROP",
                    ("nf_hook_slow", "nft_do_chain"),
                    device=DEVICE, protocol="ipv4", ports="user")


def test_bad_checksums(daemon, lab):
    frame = bad_checksum(lab, USER_PORT)
    for _ in range(29):
        lab.send_frame(frame)
    row = only(named_rows(daemon, lab.b), transport="udp")
    assert_kind(row, 29, "UDP_CSUM", ("__udp4_lib_rcv", "udp_rcv"), device=DEVICE)


def test_full_receive_buffers(daemon, lab):
    with lab.b.socket() as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        receiver.bind((lab.b.address, USER_PORT))
        receiver.setblocking(False)
        lab.send_udp(b"x" * 1000, count=47, port=USER_PORT)
        received = 0
        try:
            while receiver.recv(2000):
                received += 1
        except BlockingIOError:
            pass
    assert 0 < received < 47
    row, = (row for row in named_rows(daemon, lab.b) if row["transport"] == "udp")
    assert_kind(row, 47 - received, "SOCKET_RCVBUFF", ("__udp_queue_rcv_skb", "udp_queue_rcv_one_skb",
                                                       "__udp_enqueue_schedule_skb"),
                device=DEVICE, ports="user")


def test_normal_traffic_is_no_drop(daemon, lab):
    with lab.b.socket() as receiver:
        receiver.bind((lab.b.address, USER_PORT))
        receiver.settimeout(5)
        for _ in range(20):
            lab.send_udp(b"x", port=USER_PORT)
            assert receiver.recv(10) == b"x"
    assert not [row for row in rows_of(daemon, lab.b) if row["transport"] == "udp"]


def test_sums(daemon, lab):
    lab.send_udp(b"x", count=20, port=DROP_PORT)
    lab.send_udp(b"x", count=30, port=USER_PORT)
    lab.send_udp(b"x", count=40, port=SYSTEM_PORT)
    named_rows(daemon, lab.b)
    row = only(drops(daemon, by="netns")["rows"], netns=lab.b.inode)
    assert 90 <= row["packets"] < 110  # and what else a namespace drops, such as announcements of neighbours
    assert row["device"] == row["reason"] == row["location"] == row["transport"] == ""
    row = only(rows_of(daemon, lab.b, by="dev"), device=DEVICE)
    assert 90 <= row["packets"] < 110 and row["ifindex"] > 0 and row["reason"] == ""
    everything = drops(daemon)
    for by in ("reason", "location", "dev", "netns", "proto"):
        answer = drops(daemon, by=by)
        assert answer["packets"] == sum(row["packets"] for row in answer["rows"])
        assert answer["packets"] >= everything["packets"]
        packets = [row["packets"] for row in answer["rows"]]
        assert packets == sorted(packets, reverse=True)
    if has_drop_reasons():
        row = only(drops(daemon, by="reason")["rows"], reason="NO_SOCKET")
        assert row["packets"] >= 70 and row["netns"] == 0 and row["device"] == ""
    first = drops(daemon, top=1)
    assert len(first["rows"]) == 1 and first["packets"] >= 90
    assert first["rows"][0]["packets"] >= 40


def test_time_spans(daemon, lab):
    before = int(time.time() * 1e6)
    lab.send_udp(b"x", count=10, port=USER_PORT)
    time.sleep(2.2)
    between = int(time.time() * 1e6)
    time.sleep(2.2)
    lab.send_udp(b"x", count=5, port=USER_PORT)

    def packets(**query):
        return sum(row["packets"] for row in rows_of(daemon, lab.b, **query) if row["transport"] == "udp")
    assert packets() == 15
    assert packets(since=before - 2_000_000) == 15
    assert packets(since=between) == 5
    assert packets(until=between) == 10
    assert packets(since=before - 2_000_000, until=between) == 10
    assert packets(until=before - 3_600_000_000) == 0
    answer = drops(daemon, since=between)
    assert answer["resolution"] == 1
    assert before - 60_000_000 < answer["began"] < between
    for seconds in (600, 6 * 3600):  # nothing is older than the machine
        age = min(seconds, time.clock_gettime(time.CLOCK_BOOTTIME))
        resolution = drops(daemon, since=between - seconds * 1_000_000)["resolution"]
        assert resolution == (1 if age < 120 else 60 if age < 3 * 3600 else 3600)
    row, = (row for row in rows_of(daemon, lab.b) if row["transport"] == "udp")
    assert before <= row["first"] <= between <= row["last"] <= time.time() * 1e6


def test_following(daemon, lab):
    lab.send_udp(b"x", count=100, port=USER_PORT)

    def changes(connection, most=12.0):
        """What comes until all of the 30 are there."""
        got, end = 0, time.monotonic() + most
        while got < 30 and time.monotonic() < end:
            rows = connection.reply(most)["rows"]
            assert not [row for row in rows if row["location"].startswith("0x")]
            got += sum(row["packets"] for row in rows
                       if row["netns"] == lab.b.inode and row["transport"] == "udp")
        return got
    with daemon.connect() as one, daemon.connect() as other:
        one.send("Drops", {}, more=True)
        other.send("Drops", {"by": "netns"}, more=True)
        daemon.assert_answers()
        for _ in range(3):
            lab.send_udp(b"x", count=10, port=USER_PORT)
            time.sleep(1.1)
        assert changes(one) == 30
        seen = 0
        while seen < 30:
            seen += sum(row["packets"] for row in other.reply()["rows"] if row["netns"] == lab.b.inode)
        assert 30 <= seen < 50  # and what else a namespace drops, such as announcements of neighbours
        one.half_close()
        while "continues" in one.receive():
            pass
    daemon.assert_answers()


def test_stopping_ends_followers(daemon):
    with daemon.connect() as connection:
        connection.send("Drops", {}, more=True)
        daemon.assert_answers()
        assert daemon.stop() == 0
        while connection.receive().get("continues"):
            pass
    assert "takes longer" not in daemon.err


@pytest.mark.parametrize("query, more, field", [
    ({"by": "port"}, False, "by"), ({"since": -1}, False, "since"), ({"top": 0}, False, "top"),
    ({"since": 5, "until": 4}, False, "until"), ({"since": 5}, True, "since"),
    ({"until": 5}, True, "until"), ({"layers": 1}, False, "layers"), ({"x": 1}, False, "x")])
def test_what_cannot_be_asked(daemon, query, more, field):
    with daemon.connect() as connection:
        connection.send("Drops", query, more=more)
        with pytest.raises(varlink.Error) as refused:
            connection.reply()
    assert refused.value.name.endswith("InvalidSpec")
    assert refused.value.parameters["field"] == field


@pytest.mark.parametrize("kill", [False, True], ids=["stop", "kill"])
def test_the_history_outlives_the_daemon(daemon, build, tmp_path, lab, kill):
    lab.send_udp(b"x", count=61, port=USER_PORT)
    old = only(named_rows(daemon, lab.b), transport="udp")
    began = drops(daemon)["began"]
    if kill:
        daemon.kill()
        daemon.socket_path.unlink(missing_ok=True)
    else:
        daemon.stop()
    again = Daemon(build, tmp_path)
    try:
        answer = drops(again)
        row = only([row for row in answer["rows"] if row["netns"] == lab.b.inode], transport="udp")
        assert row["location"] == old["location"] and row["device"] == DEVICE
        assert row["packets"] == row["lastMinute"] == 61
        assert abs(answer["began"] - began) < 1_000_000
        assert abs(row["first"] - old["first"]) < 1_000_000
        lab.send_udp(b"x", count=9, port=USER_PORT)
        assert only(rows_of(again, lab.b), transport="udp")["packets"] == 70
    finally:
        assert again.stop() == 0


def clock(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def test_drops_before_a_restart_have_their_time(daemon, client, build, tmp_path, lab):
    """Asked for as at a terminal: --since a time before it shows the drop, --since one after it does not."""
    before = time.time()
    lab.send_udp(b"x", count=11, port=USER_PORT)
    made = time.time()
    time.sleep(2.5)
    daemon.stop()
    again = Daemon(build, tmp_path)
    try:
        def shown(since, *options):
            done = client.run("drops", "--since", clock(since), *options)
            assert done.returncode == 0, done.stderr
            return done.stdout

        def mine(since):
            rows = json.loads(shown(since, "--json"))["rows"]
            return [row for row in rows if row["netns"] == lab.b.inode and row["transport"] == "udp"]
        row, = mine(before - 5)
        assert row["packets"] == 11 and row["device"] == DEVICE
        assert before - 1 <= row["last"] / 1e6 <= made + 1
        line = rf"udp\w+\+0x\w+ +{DEVICE} +{lab.b.inode} +11 "
        assert re.search(line, shown(before - 5))
        assert not mine(made + 2) and not re.search(line, shown(made + 2))
    finally:
        assert again.stop() == 0


def test_a_damaged_history_is_set_aside(build, tmp_path, lab):
    (tmp_path / "ledger").write_bytes(b"nonsense" * 1000)
    daemon = Daemon(build, tmp_path)
    try:
        lab.send_udp(b"x", count=7, port=USER_PORT)
        assert only(rows_of(daemon, lab.b), transport="udp")["packets"] == 7
        assert (tmp_path / "ledger.bad").read_bytes() == b"nonsense" * 1000
        assert "set aside" in daemon.err or "ledger.bad" in daemon.err
    finally:
        assert daemon.stop() == 0


def test_two_daemons_count_for_themselves(daemon, build, tmp_path, lab):
    """They have their own files, as their sockets are in their own directories."""
    (tmp_path / "other").mkdir()
    other = Daemon(build, tmp_path / "other")
    try:
        lab.send_udp(b"x", count=23, port=USER_PORT)
        for counted in (daemon, other):
            assert only(rows_of(counted, lab.b), transport="udp")["packets"] == 23
    finally:
        assert other.stop() == 0


def test_a_sleeping_daemon_wakes(daemon, lab):
    """After some seconds without drops in a row that it looks at; other drops only keep it awake."""
    time.sleep(6)
    with daemon.connect() as connection:
        connection.send("Drops", {}, more=True)
        daemon.assert_answers()
        lab.send_udp(b"x", count=3, port=USER_PORT)
        assert wait_until(lambda: any(row["netns"] == lab.b.inode and row["transport"] == "udp"
                                      for row in connection.reply(5)["rows"]), 5)


def flood_of_kinds(lab, first, count):
    """Frames with protocols that nobody takes: each is a kind."""
    with lab.a.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        with lab.a.entered():
            sender.bind((DEVICE, 0))
        for number in range(first, first + count):
            sender.send(lab.ethernet_header + struct.pack("!H", 0x9900 + number) + b"x" * 50)


def test_more_kinds_than_rows(daemon, lab):
    """Sums stay exact, however many kinds there are, and whenever the kernel's rows are exchanged."""
    lab.ethernet_header = lab.b.read_mac() + lab.a.read_mac()
    for first in range(0, 6000, 1500):
        flood_of_kinds(lab, first, 1500)
        time.sleep(1.5)
    flood_of_kinds(lab, 0, 300)

    def total():
        answer = drops(daemon)
        return sum(row["packets"] for row in answer["rows"]
                   if row["netns"] == lab.b.inode and row["protocol"].startswith("0x")), answer
    mine, answer = total()
    assert len(answer["rows"]) <= 1024
    assert answer["overflow"] > 0
    others = answer["packets"] - mine
    assert 6300 <= mine + answer["overflow"] <= 6300 + others + 100
    lab.send_udp(b"x", count=19, port=USER_PORT)
    assert only(rows_of(daemon, lab.b), transport="udp")["packets"] == 19
