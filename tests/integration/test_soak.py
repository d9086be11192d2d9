# SPDX-License-Identifier: BSD-2-Clause
"""Many sessions leave descriptors, memory and BPF objects where they were; idle costs nothing."""
import os
import re
import time

import netcap
from netcap import Session

KFREE = "tracepoint:skb:kfree_skb"
QUEUE = "tracepoint:net:net_dev_queue"
RSS_LIMIT_KIB = 16 * 1024


def status(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return int(re.search(rf"^{name}:\s+(\d+)", file.read(), re.M).group(1))


def wakeups(pid):
    """How often any thread of the process has slept so far."""
    return sum(status(f"{pid}/task/{task}", "voluntary_ctxt_switches")
               for task in os.listdir(f"/proc/{pid}/task"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cycle(daemon, lab, number):
    """One session; each fourth captures something, each fourth is refused, each fourth hangs up."""
    kind = number % 4
    if kind == 3:
        with daemon.connect() as connection:
            connection.send("Start", {"points": ["tracepoint:skb:nosuch"]}, more=True)
            assert "error" in connection.receive()
        return
    with Session(daemon, points=[KFREE, QUEUE] if kind == 2 else [KFREE], stack=kind == 1,
                 filter=lab.expression("udp port 9000")) as session:
        if kind == 1:
            lab.send_udp(b"x" * 30)
        if kind != 2:
            final, capture = session.end()
            assert final["counters"]["captured"] == len(capture.packets) == (kind == 1)
    assert daemon.wait_no_sessions()


def test_sessions_leave_nothing(daemon, lab, pytestconfig):
    cycles = 10000 if pytestconfig.getoption("--long") else 240
    for number in range(40):
        cycle(daemon, lab, number)
    objects, fds, rss = netcap.bpf_left(), descriptors(daemon.pid), status(daemon.pid, "VmRSS")
    for number in range(cycles):
        cycle(daemon, lab, number)
    assert netcap.wait_until(lambda: len(netcap.bpf_left()) <= len(objects)), "BPF objects are left"
    assert descriptors(daemon.pid) == fds
    assert status(daemon.pid, "VmRSS") <= rss + 512, "KiB, after the sessions"


def test_idle(build, tmp_path, lab):
    """
    No wake-ups but a watchdog's, and little memory, before and after a session. Without the drop ledger, which wakes with
    the drops of this machine: test_drop_flood measures that.
    """
    daemon = netcap.Daemon(build, tmp_path, config='{"ledger": false}')
    for _ in range(2):
        time.sleep(0.3)
        start = wakeups(daemon.pid)
        time.sleep(3)
        assert wakeups(daemon.pid) - start <= 1
        assert status(daemon.pid, "VmRSS") < RSS_LIMIT_KIB
        with Session(daemon, filter=lab.expression("udp")) as session:
            lab.flood(1000, 0)
            session.end()
    assert daemon.stop() == 0
