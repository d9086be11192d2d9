# SPDX-License-Identifier: BSD-2-Clause
"""kill -9 of either side at any moment leaves no BPF object, socket, or child process."""
import os
import signal
import socket
import time

import pytest

import netcap
from netcap import Session

KFREE = "tracepoint:skb:kfree_skb"
POINTS = f"{KFREE},tracepoint:net:net_dev_queue,tracepoint:net:netif_receive_skb"
NO_DAEMON, GONE = 3, 4
SURE = 0.2  # seconds in which a client has connected, however slow the machine is
DELAYS = [0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4]


def start_capture(client, lab):
    return client.start("skb", "-f", POINTS, "-S", "-e", lab.expression("udp port 9000"))


@pytest.mark.parametrize("delay", DELAYS)
def test_client_killed(client, daemon, lab, delay):
    before = netcap.bpf_left()
    helpers = len(netcap.children())
    process = start_capture(client, lab)
    flood = lab.flood(100003, 100000, background=True)
    time.sleep(delay)
    process.kill()
    assert daemon.wait_no_sessions()
    lab.flood_end(flood)
    assert netcap.wait_until(lambda: netcap.bpf_left() <= before), "still in the kernel"
    # The daemon may keep its filter compiler, but tcpdump must go.
    assert netcap.wait_until(lambda: len(netcap.children()) <= helpers + 1), netcap.children()
    assert not any("tcpdump" in line for line in netcap.children().values())
    daemon.assert_answers()


@pytest.mark.parametrize("delay", DELAYS)
def test_daemon_killed(client, daemon, lab, delay):
    process = start_capture(client, lab)
    flood = lab.flood(100003, 100000, background=True)
    time.sleep(delay)
    daemon.kill()
    lab.flood_end(flood)
    code = process.wait()
    if delay < SURE and "there is no daemon" in process.err:
        assert code == NO_DAEMON, process.err  # the client came too late to see it
    else:
        assert code == GONE, process.err
    netcap.assert_nothing_left(daemon.socket_path)


def test_daemon_killed_while_starting(build, tmp_path):
    for delay in DELAYS[:7]:
        process = netcap.Process([build / "daemon/netcapd", "--socket", tmp_path / "netcapd.sock"],
                                 tmp_path, "netcapd")
        time.sleep(delay)
        process.kill()
        netcap.assert_nothing_left(tmp_path / "netcapd.sock")


def test_daemon_ended_in_a_session(client, daemon, lab):
    """A clean end: the client is told, the summary comes, the exit status is the daemon's own."""
    process = start_capture(client, lab)
    daemon.wait_sessions()
    lab.send_udp(b"x" * 30, count=5)
    assert daemon.stop() == 0
    process.wait()
    assert "captured" in process.err, process.err
    netcap.assert_nothing_left(daemon.socket_path)


def test_daemon_ended_beside_a_client_that_does_not_read(daemon, lab):
    """It is cut off, the log says so, and another's session gets its last reply first."""
    points = ["tracepoint:net:netif_receive_skb"]
    with daemon.connect() as deaf, daemon.connect() as other:
        deaf.send("Start", {"points": points, "filter": lab.expression("udp")}, more=True)
        other.send("Start", {"points": points, "filter": lab.expression("tcp")}, more=True)
        daemon.wait_sessions(2)
        assert lab.flood(5000, 0) == 5000
        assert daemon.stop() == 0
        assert other.wait_state("ended")["reason"] == "shutdown"
    assert "0 sessions and 1 connections are cut off" in daemon.err


@pytest.mark.parametrize("delay", DELAYS[3:])
@pytest.mark.parametrize("victim", ["netcapctl", "netcapd"])
def test_private_daemon_killed(lone_client, lab, delay, victim):
    process = start_capture(lone_client, lab)
    time.sleep(delay)
    if victim == "netcapctl":
        process.kill()
    else:
        for pid, line in netcap.children().items():
            if "--private" in line:
                os.kill(pid, signal.SIGKILL)
                break
        else:
            process.interrupt()
        process.wait()
    netcap.assert_nothing_left()


def test_a_second_daemon_on_the_same_socket(build, daemon, tmp_path):
    """It refuses and leaves the first one's socket alone."""
    second = netcap.Process([build / "daemon/netcapd", "--socket", daemon.socket_path], tmp_path,
                            "second")
    assert second.wait() != 0
    assert str(daemon.socket_path) in second.err
    daemon.assert_answers()


def test_a_stale_socket_is_replaced(build, tmp_path):
    """What a crash of the whole machine leaves does not keep the next daemon from starting."""
    path = tmp_path / "netcapd.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    try:
        daemon = netcap.Daemon(build, tmp_path)
        daemon.assert_answers()
        assert daemon.stop() == 0
        netcap.assert_nothing_left(path)
    finally:
        netcap.kill_children()


def test_connection_closed_in_a_session(daemon):
    before = netcap.bpf_left()
    for _ in range(10):
        with Session(daemon, points=POINTS.split(",")):
            pass
        assert daemon.wait_no_sessions()
    assert netcap.wait_until(lambda: netcap.bpf_left() <= before), "still in the kernel"
