# SPDX-License-Identifier: BSD-2-Clause
"""What netcapd tells the journal: every entry, field by field, and that it never waits for journald."""
import os
import pathlib
import re

import pytest

import netcap
import varlink
from journal import Journal
from lab import DROP_PORT

KFREE = "tracepoint:skb:kfree_skb"
SYNS = 7
NOTICE, INFO = "5", "6"


@pytest.fixture
def journal(tmp_path):
    directory = tmp_path / "journal"
    directory.mkdir()
    journal = Journal(directory)
    yield journal
    journal.close()


@pytest.fixture
def logging(build, tmp_path, journal):
    """A netcapd whose standard error is the journal's, and which has told that it is there."""
    daemon = journal.start_daemon(build, tmp_path)
    try:
        yield daemon
        assert daemon.stop() == 0
        assert daemon.err == "", "something was logged twice"
        netcap.assert_nothing_left(daemon.socket_path)
    finally:
        if daemon.alive:
            daemon.kill()
        netcap.kill_children()


def own_fields():
    """Those that say who the caller is: this process."""
    return {"NETCAP_UID": str(os.getuid()), "NETCAP_PID": str(os.getpid()),
            "NETCAP_COMM": pathlib.Path("/proc/self/comm").read_text(encoding="ascii").strip()}


def head(kind, priority):
    return {"MESSAGE_ID": kind, "PRIORITY": priority, "SYSLOG_IDENTIFIER": "netcapd"}


def take(entry, *names):
    """Takes fields out whose values differ from run to run."""
    return [entry.pop(name) for name in names]


def test_service(logging, journal):
    entry = journal.read()
    message, version = take(entry, "MESSAGE", "NETCAP_VERSION")
    assert entry == {**head("SERVICE_STARTED", INFO), "NETCAP_SOCKET": str(logging.socket_path)}
    assert message == f"netcapd {version} serves at {logging.socket_path}"
    assert logging.stop() == 0
    entry = journal.read()
    message, seconds = take(entry, "MESSAGE", "NETCAP_SECONDS")
    assert entry == {**head("SERVICE_STOPPED", INFO), "NETCAP_REASON": "TERM"}
    assert message == f"netcapd stopped on signal 15 (Terminated) after {seconds} s"
    journal.assert_empty()


def test_session(logging, journal, lab):
    journal.read()
    expression = lab.expression(f"tcp port {DROP_PORT}")
    request = {"NETCAP_SESSION": "1", **own_fields(), "NETCAP_FILTER": expression,
               "NETCAP_POINTS": f"{KFREE},tracepoint:net:netif_receive_skb", "NETCAP_POINT_COUNT": "2"}
    with netcap.Session(logging, points=[KFREE, "tracepoint:net:netif_receive_skb"],
                        filter=expression) as session:
        entry = journal.read()
        message, = take(entry, "MESSAGE")
        assert entry == {**head("SESSION_STARTED", INFO), **request}
        assert message.startswith("session 1 of uid 0 started: 2 trace points, filter ")
        lab.send_syns(SYNS)
        ended, _ = session.end()
    entry = journal.read()
    message, _ = take(entry, "MESSAGE", "NETCAP_SECONDS")
    counters = {"NETCAP_" + re.sub("([A-Z])", r"_\1", name).upper(): str(count)
                for name, count in ended["counters"].items() if name != "inFlight"}
    assert int(counters["NETCAP_CAPTURED"]) >= SYNS and len(counters) == 7
    assert entry == {**head("SESSION_ENDED", INFO), **request, **counters, "NETCAP_REASON": "stopped"}
    assert message.endswith(f" s (stopped): {counters['NETCAP_CAPTURED']} of {counters['NETCAP_HITS']} "
                            "packets captured, 0 lost")
    journal.assert_empty()


def refuse(daemon, parameters=None):
    """A call that is refused. What its caller is told."""
    with daemon.connect() as connection:
        with pytest.raises(varlink.Error) as caught:
            connection.call("Stop", parameters or {"id": 77})
    return caught.value.parameters["message"]


def test_refusals(logging, journal):
    journal.read()
    sentence = refuse(logging)
    assert journal.read() == {
        **head("REFUSED", INFO), **own_fields(), "NETCAP_ERROR": "NoSuchSession", "NETCAP_FIELD": "id",
        "MESSAGE": f"call of uid 0 refused: NoSuchSession: {sentence}"}
    with logging.connect() as connection:
        connection.send("Start", {"points": [KFREE], "filter": "no such filter"}, more=True)
        sentence = connection.receive()["parameters"]["message"]
    assert journal.read() == {
        **head("REFUSED", INFO), **own_fields(), "NETCAP_SESSION": "1", "NETCAP_ERROR": "InvalidFilter",
        "NETCAP_FIELD": "filter", "MESSAGE": f"session 1 of uid 0 refused: InvalidFilter: {sentence}"}
    journal.assert_empty()


def test_text_of_strangers_is_no_field(logging, journal, lab):
    journal.read()
    hostile = "tcp port 1\nPRIORITY=0"
    with logging.connect() as connection:
        connection.send("Start", {"points": [KFREE], "filter": hostile}, more=True)
        connection.receive()
    assert journal.read()["PRIORITY"] == INFO
    expression = lab.expression("tcp\nport 1")
    with netcap.Session(logging, filter=expression) as session:
        assert journal.read()["NETCAP_FILTER"] == expression
        session.end()
    journal.read()
    journal.assert_empty()


def test_slow_client(logging, journal, lab):
    """One entry at the first loss and one at the end, however many packets are lost."""
    journal.read()
    with netcap.Session(logging, reading=False, filter=lab.expression(f"udp port {DROP_PORT}"),
                        snaplen=1500) as session:
        assert journal.read()["MESSAGE_ID"] == "SESSION_STARTED"
        lab.flood(12007, 10000, size=1000)
        assert journal.read() == {
            **head("STALLED", NOTICE), **own_fields(), "NETCAP_SESSION": "1",
            "MESSAGE": "session 1 of uid 0 loses packets: its client does not read fast enough"}
        journal.assert_empty()
        ended, _ = session.end()
    lost, captured = (str(ended["counters"][name]) for name in ("lostClient", "captured"))
    entry = journal.read()
    assert entry.items() >= {
        **head("STALL_ENDED", NOTICE), **own_fields(), "NETCAP_SESSION": "1", "NETCAP_LOST_CLIENT": lost,
        "MESSAGE": f"session 1 of uid 0 lost {lost} packets because its client did not read fast enough, "
                   f"and captured {captured}"}.items()
    assert journal.read()["MESSAGE_ID"] == "SESSION_ENDED"
    journal.assert_empty()


def test_journald_that_does_not_read(logging, journal):
    """netcapd goes on, and says how many entries the journal lacks."""
    calls = int(pathlib.Path("/proc/sys/net/unix/max_dgram_qlen").read_text(encoding="ascii")) + 13
    for _ in range(calls):
        refuse(logging)
    logging.assert_answers()
    entries = journal.drain()
    assert 0 < len(entries) < calls + 1, "the queue took all of them"
    assert not any("NETCAP_JOURNAL_LOST" in entry for entry in entries)
    refuse(logging)
    assert journal.read()["NETCAP_JOURNAL_LOST"] == str(calls + 1 - len(entries))
    refuse(logging)
    assert "NETCAP_JOURNAL_LOST" not in journal.read()


def test_without_journal(daemon, client):
    """What is no stream to the journal gets lines, even where the environment names a stream."""
    client.run("stop", 77)
    lines = daemon.err.splitlines()
    assert lines[0].startswith("netcapd: netcapd ") and lines[1].startswith("netcapd: call of uid 0 refused: ")
    assert len(lines) == 2


def test_stream_that_is_not_standard_error(build, tmp_path):
    """JOURNAL_STREAM is inherited, by those too whose standard error goes somewhere else."""
    daemon = netcap.Daemon(build, tmp_path, ["env", "JOURNAL_STREAM=1:1"])
    try:
        assert daemon.err.startswith("netcapd: netcapd ")
    finally:
        daemon.stop()
        netcap.kill_children()
