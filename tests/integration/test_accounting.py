# SPDX-License-Identifier: BSD-2-Clause
"""Every packet is delivered or counted: hits = filtered + captured + lost + limited, exactly."""
import contextlib
import os
import pathlib
import re
import signal
import time

import pytest

import pcapng
from lab import DROP_PORT
from netcap import Session, assert_session_identity, bpftool, wait_until

KFREE = "tracepoint:skb:kfree_skb"
QUEUE = "tracepoint:net:net_dev_queue"
RECEIVE = "tracepoint:net:netif_receive_skb"
RING_MIN = 65536
NUMBER = re.compile(rb"#(\d{8})#")


def matched(counters):
    return counters["hits"] - counters["filtered"]


def numbers(capture):
    """The numbers in the payloads of the packets, in their order."""
    return [int(NUMBER.search(packet.data).group(1)) for packet in capture.packets]


def assert_no_packet_twice(capture):
    seen = numbers(capture)
    assert len(seen) == len(set(seen)), "a packet was delivered twice"


@pytest.fixture
def expression(lab):
    return lab.expression(f"udp dst port {DROP_PORT}")


def test_small_ring_under_flood(daemon, lab, expression):
    """A ring of 64 KiB and packets of a kilobyte: some are lost, and each loss is counted."""
    with Session(daemon, filter=expression, ringBytes=RING_MIN, snaplen=1500) as session:
        sent = lab.flood(100003, 0, size=1000)
        final, capture = session.end()
    counters = final["counters"]
    assert_session_identity(final)
    assert matched(counters) == sent
    assert len(capture.packets) == counters["captured"]
    assert counters["lostRing"] > 0, "the flood was too slow to fill the ring"
    assert counters["captured"] > 0
    assert_no_packet_twice(capture)


def test_client_that_never_reads(daemon, lab, expression):
    """The session still ends at once, and what the client can read then is what was captured."""
    with Session(daemon, reading=False, filter=expression, snaplen=1500) as session:
        sent = lab.flood(30011, 0, size=1000)
        start = time.monotonic()
        final, capture = session.end()
        assert time.monotonic() - start < 6
    counters = final["counters"]
    assert_session_identity(final)
    assert matched(counters) == sent
    assert counters["lostClient"] > 0
    assert len(capture.packets) == counters["captured"] > 0
    assert len(capture.rest) < 2048, "more than one unfinished block"
    assert_no_packet_twice(capture)


def test_stopped_netcapctl(client, daemon, lab, expression, tmp_path):
    path = tmp_path / "flood.pcapng"
    process = client.start("skb", "-f", KFREE, "-e", expression, "-w", path,
                           "--capture-max-size", 1500)
    session, = daemon.wait_sessions()
    process.signal(signal.SIGSTOP)
    try:
        sent = lab.flood(50021, 0, size=1000)
        with daemon.connect() as connection:
            live = connection.call("Stats", {"id": session["id"]})["sessions"][0]["counters"]
        assert live["lostClient"] + live["lostRing"] > 0, live
        daemon.assert_answers()
    finally:
        process.signal(signal.SIGCONT)
    assert process.interrupt() == 0, process.err
    capture = pcapng.parse(path.read_bytes())
    assert capture.rest == b""
    summary = summary_counts(process.err)
    assert summary["captured"] == len(capture.packets)
    assert summary["hits"] - summary["filtered"] == sent
    assert summary["hits"] == sum(summary[name] for name in summary if name != "hits")
    assert_no_packet_twice(capture)


def summary_counts(text):
    """The numbers of the line that netcapctl ends with, by the word behind them."""
    line = next(line for line in text.splitlines() if re.match(r"session \d+ ended", line))
    names = ("hits", "filtered", "captured", "ring", "slow client", "limited")
    return {name: int(re.search(rf"(\d+) {name}\b", line).group(1)) for name in names}


def test_several_points_add_up(daemon, lab, expression):
    with Session(daemon, points=[QUEUE, RECEIVE, KFREE], filter=expression, ringBytes=RING_MIN,
                 snaplen=1500) as session:
        sent = lab.flood(50021, 0, size=1000)
        final, capture = session.end()
    assert_session_identity(final)
    for point in final["points"]:
        assert matched(point["counters"]) == sent, point
        delivered = sum(p.meta["point"] == point["name"] for p in capture.packets)
        assert delivered == point["counters"]["captured"]


@contextlib.contextmanager
def counted_runs():
    """The kernel counts how often programs run. Yields what tells it of those of sessions."""
    setting = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
    before = setting.read_text(encoding="ascii")
    setting.write_text("1", encoding="ascii")
    try:
        yield lambda: sum(p.get("run_cnt", 0) for p in bpftool("prog", "show") if p.get("name") == "netcap_tp_btf")
    finally:
        setting.write_text(before, encoding="ascii")


@pytest.mark.parametrize("options", (
    {}, {"stack": True}, {"inner": True}, {"ringBytes": RING_MIN, "snaplen": 1500}, {"gather": "content"},
    {"gather": "content", "ringBytes": RING_MIN, "snaplen": 1500}, {"gather": "content", "gatherSize": 16},
    {"gather": "content", "histogram": True}, {"gather": "content", "slowerNs": 10**9}))
def test_every_run_is_a_hit(daemon, lab, expression, options):
    """No way through the programs counts nothing, or twice: hits, a sum, grow by the runs that the kernel counts."""
    with counted_runs() as runs, Session(daemon, [KFREE, QUEUE, RECEIVE], filter=expression, **options) as session:
        def hits():
            with daemon.connect() as connection:
                reply = connection.call("Stats", {"id": session.attached["session"]["id"]})
            return reply["sessions"][0]["counters"]["hits"]

        def uncounted():
            """At least and at most: a packet of somebody else's may come in between."""
            before, ran, after = hits(), runs(), hits()
            return ran - after, ran - before
        early = uncounted()  # while the programs were attached, they returned at once
        sent = lab.flood(20011, 0, size=1000)
        late = uncounted()
        assert late[0] <= early[1] and early[0] <= late[1], (early, late)
        assert hits() >= 2 * sent
        session.end()


def test_limit_under_flood(daemon, lab, expression):
    with Session(daemon, filter=expression, count=1009) as session:
        lab.flood(50021, 0)
        final, capture = session.finish(session.connection.wait_state("ended"))
    counters = final["counters"]
    assert_session_identity(final)
    assert counters["captured"] == len(capture.packets) == 1009
    assert numbers(capture) == list(range(1, 1010))


def test_a_slow_client_costs_others_nothing(daemon, lab, expression):
    """One session is blocked and one has a tiny ring; the third gets every packet, in order."""
    with Session(daemon, reading=False, filter=expression) as blocked, \
            Session(daemon, filter=expression, ringBytes=RING_MIN, snaplen=1500) as tiny, \
            Session(daemon, filter=expression, snaplen=128, ringBytes=16 << 20) as good:
        sent = lab.flood(40009, 40000, size=1000)
        final, capture = good.end()
        assert final["counters"]["captured"] == sent == len(capture.packets)
        assert final["counters"]["lostRing"] == final["counters"]["lostClient"] == 0
        assert numbers(capture) == list(range(1, sent + 1))
        assert_session_identity(final)
        for other in (blocked, tiny):
            final, capture = other.end()
            assert_session_identity(final)
            assert matched(final["counters"]) == sent
            assert len(capture.packets) == final["counters"]["captured"]


def test_memory_of_a_blocked_session_is_bounded(daemon, lab, expression):
    def resident():
        with open(f"/proc/{daemon.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
    with Session(daemon, reading=False, filter=expression, snaplen=1500) as session:
        # until ring and buffer have been used from end to end, which takes more when much is lost
        before, last = resident(), 0
        while before - last > 256:
            lab.flood(50021, 0, size=1400)
            before, last = resident(), before
            assert before < 65536, "KiB of a session with 8 MiB of ring and buffer"
        lab.flood(200003, 0, size=1400)
        assert resident() - before < 4096, "KiB more after 200,000 packets that nobody reads"
        final, _ = session.end()
    assert_session_identity(final)


def test_counts_are_told_when_they_change(daemon, lab):
    quiet = "tracepoint:tcp:tcp_bad_csum"  # nobody sends such a packet here
    with Session(daemon, points=[quiet]) as idle, Session(daemon, mark=0x7e57) as busy:
        lab.flood(101, 0)
        busy.connection.wait_state("running")
        time.sleep(2.5)
        idle.connection.half_close()
        states = [idle.connection.receive()["parameters"]["state"]]
        assert states == ["ended"]


def test_live_counts_are_never_ahead(daemon, lab, expression):
    """While packets flow, what is not delivered or counted yet is inFlight, and never negative."""
    with Session(daemon, filter=expression) as session:
        flood = lab.flood(200003, 100000, background=True)
        try:
            with daemon.connect() as connection:
                for _ in range(50):
                    reply = connection.call("Stats", {"id": session.attached["session"]["id"]})
                    counters = reply["sessions"][0]["counters"]
                    rest = counters["hits"] - sum(counters[part] for part in (
                        "filtered", "captured", "lostRing", "lostClient", "limited", "inFlight"))
                    assert rest == 0 <= counters["inFlight"], counters
                    time.sleep(0.02)
        finally:
            sent = lab.flood_end(flood)
        final, capture = session.end()
    assert_session_identity(final)
    assert matched(final["counters"]) == sent
    assert len(capture.packets) == final["counters"]["captured"]


def test_delivery_is_prompt_at_low_rates(daemon, lab, expression):
    """Moderated wake-ups must not mean that a single packet waits."""
    with Session(daemon, reading=False, filter=expression) as session:
        os.set_blocking(session.read_end, False)
        delays = []
        for _ in range(7):
            time.sleep(0.05)
            drain(session.read_end)
            start = time.monotonic()
            lab.send_udp(b"x" * 40)
            assert wait_until(lambda: drain(session.read_end), 5, 0.001)
            delays.append(time.monotonic() - start)
        session.end()
    assert sorted(delays)[3] < 0.05, delays


def drain(fd):
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return b""
