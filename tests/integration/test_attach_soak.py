# SPDX-License-Identifier: BSD-2-Clause
"""A process is attached to and left alone again and again while it works: it must not notice."""
import os
import pathlib
import signal
import threading

import pytest

import netcap
from test_bad_input import assert_one_sentence
from userland import Paced, assert_text_is, text_of

POINTS = ("one@1", "burst@1@2", "uretprobe:receive@2", "usdt:netcapdpdk:one@1", "usdt:netcapdpdk:burst@1@2")
CHUNK, RATE, SIZE = 500, 1500, 100


class Worker:
    """Keeps the process busy with chunks of packets, and counts them."""

    def __init__(self, process):
        self.process = process
        self.told = self.sent = 0
        self.ending = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join(20)

    def work(self):
        try:
            while not self.ending.is_set():
                self.told += CHUNK
                self.sent += self.process.send("mix", CHUNK, SIZE, RATE)
        except (AssertionError, OSError, ValueError) as failure:
            self.failure = failure


@pytest.fixture
def process(build, daemon):
    path = build / "tests/integration/mbufprog"
    if not path.exists():
        pytest.skip("mbufprog is not built: libdpdk, or the header sys/sdt.h, is missing")
    with Paced(path) as process:
        yield process
        assert process.end() == 0, "the process did not end well"


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_500_cycles(client, daemon, process, pytestconfig):
    cycles = 5000 if pytestconfig.getoption("--long") else 500
    objects, before = netcap.bpf_left(), text_of(process.pid)
    held = descriptors(process.pid)
    with Worker(process) as worker:
        for cycle in range(cycles):
            points = POINTS if cycle % 7 == 0 else (POINTS[cycle % len(POINTS)],)
            done = client.run("mbuf", "-f", ",".join(points), "--pid", process.pid, "-c", 1 + cycle % 3,
                              "-w", "/dev/null")
            assert done.returncode == 0, (cycle, points, done.stderr)
            assert process.alive, f"the process ended in cycle {cycle}"
    assert not worker.failure and worker.sent == worker.told > 0
    assert daemon.wait_no_sessions()
    assert_text_is(before, process.pid, 60 + cycles / 10)  # one after another, and a kernel may take longer for each than a cycle
    assert descriptors(process.pid) == held
    assert netcap.wait_until(lambda: len(netcap.bpf_left()) <= len(objects)), "BPF objects are left"


@pytest.mark.parametrize("who", ["client", "daemon"])
def test_killed(client, daemon, process, who):
    """Neither's death is the process's: what was attached goes with it."""
    before = text_of(process.pid)
    with Worker(process) as worker:
        running = client.start("mbuf", "-f", ",".join(POINTS), "--pid", process.pid, "-w", "/dev/null")
        daemon.wait_sessions()
        assert netcap.wait_until(lambda: text_of(process.pid) != before), "nothing was attached"
        if who == "client":
            running.signal(signal.SIGKILL)
            assert daemon.wait_no_sessions()
        else:
            daemon.kill()
            running.wait()
        assert_text_is(before, process.pid)
    assert not worker.failure and worker.sent == worker.told > 0


def test_many_at_once(client, daemon, process):
    """Sessions at the same functions do not see each other's end."""
    before = text_of(process.pid)
    running = [client.start("mbuf", "-f", point, "--pid", process.pid, "-w", "/dev/null")
               for point in POINTS for _ in range(2)]
    daemon.wait_sessions(len(running))
    for client_process in running[::2]:
        assert client_process.interrupt() == 0, client_process.err
    assert process.send("mix", 101, SIZE) == 101
    for client_process in running[1::2]:
        assert client_process.interrupt() == 0, client_process.err
        assert "101 captured" in client_process.out + client_process.err
    assert_text_is(before, process.pid)


def test_at_a_stopped_process(client, daemon, process, tmp_path):
    """A process that stands still can be attached to, too, and goes on as if nothing had been."""
    process.process.send_signal(signal.SIGSTOP)
    try:
        running = client.start("mbuf", "-f", "one@1", "--pid", process.pid, "-w", tmp_path / "x.pcapng")
        daemon.wait_sessions()
    finally:
        process.process.send_signal(signal.SIGCONT)
    assert process.send("one", 7, SIZE) == 7
    assert running.interrupt() == 0
    assert "7 captured" in running.out + running.err


def test_a_zombie(client, build):
    with Paced(build / "tests/integration/mbufprog") as process:
        process.process.send_signal(signal.SIGKILL)
        stat = pathlib.Path(f"/proc/{process.pid}/stat")
        assert netcap.wait_until(lambda: stat.read_text(encoding="ascii").split()[2] == "Z")
        done = client.run("mbuf", "-f", "one@1", "--pid", process.pid)
        assert_one_sentence(done.stderr, str(process.pid))
