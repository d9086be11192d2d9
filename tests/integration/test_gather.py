# SPDX-License-Identifier: BSD-2-Clause
"""Packets' ways through several trace points: where they were, where not, and how long it took."""
import collections
import json
import re
import shlex
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

import pcapng
from lab import DEVICE, DROP_PORT
from netcap import Session, assert_session_identity
from test_drops import KFREE, QUEUE, RECEIVE
from tunreader import TunReader

START = "tracepoint:net:net_dev_start_xmit"
READ = "tracepoint:skb:skb_copy_datagram_iovec"  # the reader of a tun device gets it
K, J = 37, 11  # packets, and those of them that are dropped on the way
PORT = 9110
POINTS = (QUEUE, RECEIVE, READ)
WAY = [QUEUE, RECEIVE, QUEUE, READ]  # from a to b, and on to the tun device there
CUT = WAY[:2]
BAD = b"drop me"


@pytest.fixture
def router(lab):
    """b hands on what a sends to the tun device's network, but for packets that begin with "d"."""
    lab.b.run("nft", "add table ip gather; add chain ip gather out { type filter hook forward priority 0; }; "
                     f"add rule ip gather out udp dport {PORT} @th,64,8 0x64 drop")
    lab.b.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
    try:
        with TunReader(lab.b) as tun:
            lab.a.ip("route", "add", f"{tun.NETWORK}.0/24", "via", lab.b.address)
            yield tun
    finally:
        lab.b.run("sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward")
        lab.a.ip("route", "del", f"{TunReader.NETWORK}.0/24")
        lab.b.run("nft", "delete table ip gather")


def send(lab, router, others=0):
    """K packets, J of which will be dropped, and others between them that are not asked for."""
    with lab.a.socket() as sender:
        for number in range(K):
            for _ in range(others // K):
                sender.sendto(b"y", (f"{router.NETWORK}.2", PORT + 7))
            payload = BAD if number < J else b"good-%04d" % number
            sender.sendto(payload, (f"{router.NETWORK}.2", PORT))
            if number >= J:
                router.read(payload)


ASKED = f"udp dst port {PORT} and dst net {TunReader.NETWORK}.0/24"


def points_of(gathering):
    return {point["name"]: (point["packets"], point["missing"]) for point in gathering["points"]}


@pytest.mark.parametrize("identity", ("track", "pointer", "content"))
def test_ways(daemon, lab, router, identity):
    with Session(daemon, POINTS, gather=identity, gatherTimeoutMs=300, filter=ASKED) as session:
        send(lab, router, others=1000)
        final, got = session.end()
    assert_session_identity(final)
    assert len(got.packets) == K
    ways = [packet.journey for packet in got.packets]
    if identity == "content":
        # J packets have the same payload, and are told apart by the number in their IP header
        assert len({packet.data[18:20] for packet in got.packets}) == K
    assert collections.Counter(tuple(way.points()) for way in ways) == {tuple(WAY): K - J, tuple(CUT): J}
    assert all(way.missing == ([READ] if way.points() == CUT else []) for way in ways)
    for way in ways:
        times = [step["ns"] for step in way.steps]
        assert times[0] == 0 and times == sorted(times)
        assert [int(step["netns"]) for step in way.steps] == [lab.a.inode, *[lab.b.inode] * (len(times) - 1)]
    gathering = final["gathering"]
    assert (gathering["packets"], gathering["open"], gathering["evicted"], gathering["unplaced"]) == (K, 0, 0, 0)
    assert points_of(gathering) == {QUEUE: (K, 0), RECEIVE: (K, 0), READ: (K - J, J)}
    assert {(e["from"], e["to"]): e["count"] for e in gathering["edges"]} == {
        (QUEUE, RECEIVE): K, (RECEIVE, QUEUE): K - J, (QUEUE, READ): K - J}
    counters = {point["name"]: point["counters"]["captured"] for point in final["points"]}
    assert counters == {QUEUE: 2 * K - J, RECEIVE: K, READ: K - J}


def test_only_the_first_point_has_bytes(daemon, lab, router):
    """Each packet comes once, with the bytes of the first point, whatever the number of points."""
    with Session(daemon, POINTS, gather="track", filter=ASKED) as session:
        send(lab, router)
        _, got = session.end()
    assert len(got.packets) == K
    assert all(packet.meta["point"] == QUEUE and packet.wire_len in (14 + 28 + len(BAD), 14 + 28 + 9)
               for packet in got.packets)


def test_where_it_was_dropped(daemon, lab, router):
    """With the tracepoint of drops among the points, the way ends there, with the reason."""
    with Session(daemon, (*POINTS, KFREE), gather="track", filter=ASKED) as session:
        send(lab, router)
        _, got = session.end()
    lost = [packet.journey for packet in got.packets if READ in packet.journey.missing]
    assert len(lost) == J
    for way in lost:
        assert way.points() == [*CUT, KFREE] and way.end == "freed"
        assert way.steps[-1]["reason"] == "NETFILTER_DROP"
        assert way.steps[-1]["location"].startswith("nf_hook_slow+") or "nft" in way.steps[-1]["location"]


def test_stacks_of_each_step(daemon, lab, router):
    with Session(daemon, POINTS, gather="track", stack=True, filter=ASKED) as session:
        send(lab, router)
        final, got = session.end()
    assert_session_identity(final)
    assert len(got.packets) == K
    for packet in got.packets:
        assert len(packet.journey.steps) in (2, 4)
        tops = [step["stack"][0].split("+")[0] for step in packet.journey.steps]
        assert tops[0] == "__dev_queue_xmit"
        assert tops[1].startswith("__netif_receive_skb")
        assert packet.meta["stack"] == packet.journey.steps[0]["stack"]


def test_as_messages(daemon, lab, router):
    """A caller without a descriptor gets the way in its event."""
    with daemon.connect() as connection:
        connection.send("Start", {"points": list(POINTS), "gather": "track", "filter": ASKED, "count": 3}, more=True)
        connection.wait_state("attached")
        send(lab, router)
        journeys = []
        while (reply := connection.reply())["state"] != "ended":
            if reply["state"] == "event":
                journeys.append(reply["event"]["journey"])
        assert len(journeys) == 3
        assert all(text.startswith("journey=freed step=tracepoint:net:net_dev_queue,0,") for text in journeys)


def test_count_is_of_packets(daemon, lab, router):
    with Session(daemon, POINTS, gather="track", filter=ASKED, count=5) as session:
        send(lab, router)
        ended = session.connection.wait_state("ended")
        final, got = session.finish(ended)
    assert ended["reason"] == "count"
    assert len(got.packets) == 5
    assert_session_identity(final)


@pytest.mark.parametrize("parameters", (
    {"ringBytes": 65536}, {"gatherSize": 16}, {"gatherSize": 16, "gather": "pointer"},
    {"gatherSize": 1024, "gather": "content"}, {"stack": True}))
def test_every_event_is_accounted(daemon, lab, parameters):
    """More than there is room for, in the ring or in the daemon: exact for each trace point."""
    count = 30011
    points = (QUEUE, START, RECEIVE, KFREE)
    with Session(daemon, points, **{"gather": "track", "filter": lab.expression(f"udp dst port {DROP_PORT}"),
                                    **parameters}) as session:
        assert lab.flood(count, 0) == count
        final, got = session.end()
    assert_session_identity(final)
    for point in final["points"]:
        counters = point["counters"]
        assert counters["hits"] - counters["filtered"] == count, point
        assert counters["captured"] + counters["lostRing"] + counters["lostClient"] == count, point
        assert counters["captured"] == sum(way.journey.points().count(point["name"]) for way in got.packets)
    gathering = final["gathering"]
    assert gathering["open"] == 0
    if not final["counters"]["lostClient"]:
        assert gathering["packets"] == len(got.packets)
        assert sum(e["count"] for e in gathering["edges"]) == sum(len(p.journey.steps) - 1 for p in got.packets)


def test_missing_is_unsure_after_loss(daemon, lab):
    """A ring that is full loses steps, as the daemon stands still: no packet is said to have missed a point for that."""
    count = 3001
    with Session(daemon, (QUEUE, START, RECEIVE, KFREE), gather="track", ringBytes=65536,
                 filter=lab.expression(f"udp dst port {DROP_PORT}")) as session:
        daemon.signal(signal.SIGSTOP)
        try:
            assert lab.flood(count, 0) == count
        finally:
            daemon.signal(signal.SIGCONT)
        final, got = session.end()
    assert final["counters"]["lostRing"] and got.packets
    for packet in got.packets:
        assert not packet.journey.missing or packet.journey.unsure or packet.journey.end == "evicted"


def test_many_ways_end_at_once(daemon, lab):
    """After a burst nothing comes, and all ways are due together: a client that reads gets each, and others are served."""
    count = 20011
    with Session(daemon, (QUEUE, START), gather="content", gatherTimeoutMs=1, ringBytes=16 << 20,
                 filter=lab.expression(f"udp dst port {DROP_PORT}")) as session:
        assert lab.flood(count, 0) == count
        daemon.assert_answers()
        final, got = session.end()
    assert_session_identity(final)
    assert final["counters"]["lostClient"] == 0
    assert len(got.packets) + final["gathering"]["evicted"] >= count - final["counters"]["lostRing"]


def test_steps_that_are_not_kept_were_there(daemon, lab, router):
    """A packet that goes round more often than a way keeps steps: no point is missing that it was at."""
    rounds = 150
    with Session(daemon, POINTS, gather="content", gatherTimeoutMs=500, filter=ASKED) as session:
        with lab.a.socket(kind=socket.SOCK_RAW, protocol=socket.IPPROTO_RAW) as sender:
            datagram = struct.pack("!HHHH", 1, PORT, 8 + 4, 0) + b"same"
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 7, 0, 64, socket.IPPROTO_UDP, 0,
                               socket.inet_aton(lab.a.address), socket.inet_aton(f"{router.NETWORK}.2"))
            for _ in range(rounds):
                sender.sendto(head + datagram, (f"{router.NETWORK}.2", 0))
        for _ in range(rounds):
            router.read(b"same")
        final, got = session.end()
    assert_session_identity(final)
    packet, = got.packets
    assert len(packet.journey.steps) == 128
    assert packet.journey.more == 4 * rounds - 128
    assert packet.journey.points().count(READ) == 0 and not packet.journey.missing
    assert final["counters"]["limited"] == packet.journey.more
    assert final["counters"]["lostRing"] == 0


def test_two_processors_see_one_packet(daemon, lab):
    """The same bytes sent by two processors at once: one packet by its content, without times before its first."""
    def sender():
        with lab.a.socket(kind=socket.SOCK_RAW, protocol=socket.IPPROTO_RAW) as sock:
            datagram = struct.pack("!HHHH", 1, DROP_PORT, 8 + 4, 0) + b"same"
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 7, 0, 64, socket.IPPROTO_UDP, 0,
                               socket.inet_aton(lab.a.address), socket.inet_aton(lab.b.address))
            for _ in range(3000):
                sock.sendto(head + datagram, (lab.b.address, 0))
    points = (QUEUE, START, RECEIVE, KFREE)
    expression = lab.expression(f"udp dst port {DROP_PORT} and src port 1")
    with Session(daemon, points, gather="content", histogram=True, filter=expression) as histogram, \
            Session(daemon, points, gather="content", slowerNs=300_000_000_000, gatherTimeoutMs=600_000,
                    filter=expression) as slow:
        threads = [threading.Thread(target=sender) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counted, _ = histogram.end()
        _, slow_ones = slow.end()
    gathering = counted["gathering"]
    assert gathering["packets"] == 1
    for edge in gathering["edges"]:
        assert 0 <= edge["minNs"] <= edge["p50Ns"] <= edge["maxNs"] < 60_000_000_000
    assert not slow_ones.packets


def test_memory_is_in_the_quota(daemon):
    """Tables of a million packets are more than a user may have."""
    with daemon.connect() as connection:
        connection.send("Start", {"points": list(POINTS), "gather": "track", "gatherSize": 1 << 20, "slowerNs": 1},
                        more=True)
        reply = connection.receive()
    assert reply["error"].endswith(".LimitReached"), reply
    assert "fewer packets to follow or gather" in reply["parameters"]["message"]


def test_a_reader_that_took_nothing_goes(daemon, lab):
    """More waits for it than the output has room for: the session ends nevertheless."""
    ours, theirs = socket.socketpair()
    with ours, daemon.connect() as connection:
        with theirs:
            connection.send("Start", {"points": [QUEUE, RECEIVE], "gather": "pointer", "snaplen": 65535,
                                      "ringBytes": 16 << 20}, more=True, fds=[theirs.fileno()])
        connection.wait_state("attached")
        lab.send_udp(b"x" * 20000, count=400, port=PORT)
        time.sleep(1)
    assert daemon.wait_no_sessions()
    daemon.assert_answers()


def test_first_points_in_any_order(daemon, lab, router):
    """The order of the list is not that of the way: points are put in the order of time."""
    with Session(daemon, (READ, RECEIVE, QUEUE), gather="track", filter=ASKED) as session:
        send(lab, router)
        _, got = session.end()
    assert collections.Counter(tuple(p.journey.points()) for p in got.packets) == {
        tuple(WAY): K - J, tuple(CUT): J}


def delays(gathering, edge):
    found = [e for e in gathering["edges"] if (e["from"], e["to"]) == edge]
    assert len(found) == 1, gathering
    return found[0]


@pytest.mark.parametrize("histogram", (False, True))
def test_a_delay_is_found_on_its_edge(daemon, lab, histogram):
    """A tun device whose reader is late: within 5 % or 50 us of what the reader itself can tell, at p50 and p99."""
    with TunReader(lab.a) as tun, \
            Session(daemon, (QUEUE, START, READ), gather="track", histogram=histogram,
                    filter=f"udp dst port {PORT} and dst net {tun.NETWORK}.0/24") as session:
        seen = [tun.delay(b"n%d" % n, PORT, 0.002 if n % 20 else 0.030) for n in range(101)]
        final, got = session.end()
    assert_session_identity(final)
    assert len(got.packets) == (0 if histogram else 101)
    slow = delays(final["gathering"], (START, READ))
    assert slow["count"] == 101
    for name, place in (("p50Ns", 50), ("p99Ns", 99)):
        least, most = (sorted(bounds)[place] for bounds in zip(*seen))
        assert least - max(0.05 * least, 50000) <= slow[name] <= most + max(0.05 * most, 50000), (name, least, most)
    assert delays(final["gathering"], (QUEUE, START))["p50Ns"] < slow["p50Ns"]


def test_only_slow_ones(daemon, lab):
    """Every fourth packet waits long; only those come, with all that was before."""
    with TunReader(lab.a) as tun, \
            Session(daemon, (QUEUE, START, READ), gather="track", slowerNs=10_000_000,
                    filter=f"udp dst port {PORT} and dst net {tun.NETWORK}.0/24") as session:
        for n in range(20):
            tun.delay(b"n%03d" % n, PORT, 0 if n % 4 else 0.02)
        final, got = session.end()
    assert_session_identity(final)
    assert [p.data[-4:] for p in got.packets] == [b"n%03d" % n for n in range(0, 20, 4)]
    for packet in got.packets:
        assert packet.journey.points() == [QUEUE, START, READ]
        assert packet.journey.steps[-1]["ns"] > 10_000_000
        assert packet.meta["point"] == READ
    counters = {point["name"]: point["counters"] for point in final["points"]}
    assert [counters[p]["captured"] for p in (QUEUE, START, READ)] == [0, 0, 5]


def test_histogram(daemon, lab):
    """Nothing is sent, and everything is counted."""
    count = 20011
    points = (QUEUE, START, RECEIVE, KFREE)
    with Session(daemon, points, gather="track", histogram=True,
                 filter=lab.expression(f"udp dst port {DROP_PORT}")) as session:
        assert lab.flood(count, 0) == count
        final, got = session.end()
    assert_session_identity(final)
    assert not got.packets
    assert all(p["counters"]["captured"] == count and not p["counters"]["lostRing"] for p in final["points"])
    gathering = final["gathering"]
    assert gathering["packets"] == count
    assert points_of(gathering) == {point: (count, 0) for point in points}
    assert {(e["from"], e["to"]): e["count"] for e in gathering["edges"]} == {
        (a, b): count for a, b in zip(points, points[1:])}
    for edge in gathering["edges"]:
        assert sum(bar["count"] for bar in edge["bars"]) == count
        assert edge["minNs"] <= edge["p50Ns"] <= edge["p90Ns"] <= edge["p99Ns"] <= edge["maxNs"]


def test_summary_while_it_runs(daemon, lab, router):
    with Session(daemon, POINTS, gather="track", gatherSummary=True, filter=ASKED) as session:
        send(lab, router)
        while points_of(session.connection.wait_state("running")["session"]["gathering"])[QUEUE] != (K, 0):
            lab.send_udp(b"x")  # a hit, so that there is another report
        session.end()
    with Session(daemon, POINTS, gather="track", filter=ASKED) as session:
        send(lab, router)
        assert "gathering" not in session.connection.wait_state("running")["session"]
        session.end()


def test_a_way_ends_when_nothing_comes(daemon, lab, router):
    """A packet that waits in a device is shown after the timeout, as it is; when it is seen again, it is another one."""
    with Session(daemon, POINTS, gather="track", gatherTimeoutMs=200, filter=ASKED) as session:
        with lab.a.socket() as sender:
            sender.sendto(b"slow", (f"{router.NETWORK}.2", PORT))
        time.sleep(0.8)
        router.read(b"slow")
        final, got = session.end()
    assert_session_identity(final)
    assert [(p.journey.end, p.journey.points()) for p in got.packets] == [("idle", WAY[:3]), ("freed", [READ])]


def start_gathering(daemon, client, *options):
    process = client.start("skb", "-f", ",".join(POINTS), "-e", ASKED, "--gather", *options)
    daemon.wait_sessions()
    return process


def test_as_text(daemon, client, lab, router):
    """K packets with their ways beneath, J of which end before the tun device."""
    process = start_gathering(daemon, client, "-t", "-nn")
    send(lab, router, others=200)
    assert process.interrupt() == 0, process.err
    heads = [line for line in process.out.splitlines() if not line.startswith(" ")]
    assert len(heads) == K and all(" IP " in line and "UDP, length" in line for line in heads)
    steps = re.findall(r"^ +([0-9.]+) us +(?:\+([0-9.]+) )?cpu \d+ +(\S+)", process.out, re.M)
    assert collections.Counter(point for _, _, point in steps) == {
        QUEUE: 2 * K - J, RECEIVE: K, READ: K - J}
    assert sum(first == "0.000" and not since for first, since, _ in steps) == K
    assert process.out.count(f"NOT received at {READ}\n") == J
    assert "\x1b" not in process.out
    rows = re.findall(r"^(\S+) +(\d+) +(\d+) ", process.err, re.M)
    assert rows == [(QUEUE, str(K), "0"), (RECEIVE, str(K), "0"), (READ, str(K - J), str(J))]
    assert f"{RECEIVE} -> {QUEUE}" in process.err


def test_as_json(daemon, client, lab, router):
    process = start_gathering(daemon, client, "--json")
    send(lab, router)
    assert process.interrupt() == 0, process.err
    packets = [json.loads(line) for line in process.out.splitlines()]
    assert len(packets) == K
    ways = [packet["journey"] for packet in packets]
    assert collections.Counter(tuple(step["point"] for step in way["steps"]) for way in ways) == {
        tuple(WAY): K - J, tuple(CUT): J}
    assert sum(way.get("missing") == [READ] for way in ways) == J
    for way in ways:
        since = 0
        for step in way["steps"]:
            since += step.get("since_last_ns", 0)
            assert step["since_first_ns"] == since


def test_as_file(daemon, client, lab, router, tmp_path):
    """In pcapng the way is the packet's second comment, which tshark shows."""
    path = tmp_path / "ways.pcapng"
    process = start_gathering(daemon, client, "-w", str(path))
    send(lab, router)
    assert process.interrupt() == 0, process.err
    packets = pcapng.parse(path.read_bytes()).packets
    assert collections.Counter(tuple(p.journey.points()) for p in packets) == {tuple(WAY): K - J, tuple(CUT): J}
    comments = subprocess.run(["tshark", "-r", path, "-T", "fields", "-e", "frame.comment"], check=True, text=True,
                              capture_output=True).stdout
    assert comments.count(f"missing={READ}") == J
    assert comments.count("journey=") == K


def ping(lab, count):
    """ICMP echo requests from a to b."""
    with lab.a.socket(kind=socket.SOCK_RAW, protocol=socket.IPPROTO_ICMP) as sender:
        for number in range(count):
            words = struct.pack("!BBHHH", 8, 0, 0xFFFF - 0x0800 - number, 0, number)
            sender.sendto(words, (lab.b.address, 0))


def test_command_line_of_the_documentation(daemon, client, lab):
    """Where functions cannot be traced its tracepoint serves; the points that do not attach are not said to be missed."""
    line = ("skb -f tracepoint:net:netif_receive_skb,ip_local_deliver@1,ip_local_deliver_finish@3,icmp_rcv@1 "
            f'-e "host {lab.b.address} and icmp" -i {DEVICE} --gather --gather-output-color cyan').replace('"', "'")
    process = client.start(*shlex.split(line), "--netns", lab.b.name, "--gather-timeout", "200")
    daemon.wait_sessions()
    ping(lab, K)
    assert process.interrupt() == 0, process.err
    assert len(re.findall(r"^\S.* IP .* ICMP echo request", process.out, re.M)) == K
    assert len(re.findall(r"^ +0.000 us +cpu \d+ +tracepoint:net:netif_receive_skb", process.out, re.M)) == K
    features = {f["name"]: f["available"] for f in json.loads(client.run("features", "--json").stdout)["features"]}
    if not features["fentry"] and not features["kprobe"]:
        assert "not attached: icmp_rcv" in process.err
        assert "NOT received" not in process.out


@pytest.mark.parametrize("options, words", (
    (["-f", QUEUE, "--gather"], "one trace point"),
    (["-f", f"{QUEUE},{READ}", "--gather-timeout", "1s"], "--gather"),
    (["-f", f"{QUEUE},{READ}", "--gather", "--gather-timeout", "1us"], "--gather-timeout"),
    (["-f", f"{QUEUE},{READ}", "--gather", "--gather-buffer-size", "15"], "--gather-buffer-size"),
    (["-f", f"{QUEUE},{READ}", "--gather", "--gather-buffer-size", "99999999"], "--gather-buffer-size"),
    (["-f", f"{QUEUE},{READ}", "--gather", "--gather-output-color", "pink"], "pink"),
    (["-f", f"{QUEUE},{READ}", "--slower-than", "fast"], "--slower-than"),
    (["-f", "@nothing", "--gather"], "there is no profile nothing")))
def test_bad_options(client, options, words):
    process = client.run("skb", *options)
    assert process.returncode in (1, 2)
    assert words in process.stderr and process.stderr.count("\n") == 1, process.stderr


@pytest.mark.parametrize("parameters, field, words", (
    ({"points": [QUEUE]}, "points", "the only one"),
    ({"gather": "name"}, "gather", "track, pointer or content"),
    ({"gatherSize": 15}, "gatherSize", "16"),
    ({"gatherSize": 1 << 30}, "gatherSize", "1048576"),
    ({"gatherTimeoutMs": 0}, "gatherTimeoutMs", "1"),
    ({"gather": None, "slowerNs": 5}, "slowerNs", "gather"),
    ({"gather": None, "histogram": True}, "histogram", "gather"),
    ({"gather": None, "gatherSummary": True}, "gatherSummary", "gather"),
    ({"histogram": True, "slowerNs": 5}, "slowerNs", "histogram"),
    ({"histogram": True, "stack": True}, "stack", "histogram"),
    ({"histogram": True, "count": 3}, "count", "histogram"),
    ({"track": True}, "track", "without track"),
    ({"packets": "xdp"}, "gather", "content"),
    ({"points": [QUEUE, "xdp:__xsk_rcv"]}, "gather", "content"),
    ({"points": [f"tracepoint:net:{n}" for n in "ab"], "gather": "track"}, "points", "no tracepoint")))
def test_bad_requests(daemon, parameters, field, words):
    request = {"points": list(POINTS), "gather": "track", **parameters}
    with daemon.connect() as connection:
        connection.send("Start", {k: v for k, v in request.items() if v is not None}, more=True)
        reply = connection.receive()
    assert "error" in reply, reply
    assert reply["parameters"]["field"] == field, reply
    assert words in reply["parameters"]["message"], reply
    daemon.assert_answers()
