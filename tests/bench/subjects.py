# SPDX-License-Identifier: BSD-2-Clause
"""What is measured: each a context in which one tracer, or none, looks at the flood."""
import os
import pathlib
import re
import signal
import subprocess
import time

from lab import DEVICE
from netcap import descendants, wait_until
from userland import text_of

POINT = "tracepoint:net:netif_receive_skb"
NO_MATCH = "udp and port 9001"
SNAPLEN = 256        # netcapctl's default
RING_KIB = 4096      # netcapd's default, and what the others get
START_TIMEOUT = 60.0   # emulated kernels take their time
SETTLE_TIMEOUT = 10.0
DETACH_TIMEOUT = 240.0


class Failure(Exception):
    """The bench cannot go on; the text says why."""


def cpu_ns(pids):
    """Time on a CPU of all threads of the processes. Those that are gone count as 0."""
    total = 0
    for pid in pids:
        for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(path.read_text(encoding="ascii").split()[0])
            except OSError:
                continue
    return total


def program_ids(pid):
    """The BPF programs that a process holds."""
    found = set()
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = path.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        found.update(int(number) for number in re.findall(r"^prog_id:\s*(\d+)", text, re.M))
    return found


def end(process, number=signal.SIGTERM, timeout=10.0):
    """Ends a child that may have ended already; what it said on standard output and error."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Failure(f"{process.args[0]} did not end within {timeout:.0f} s") from None


class Subject:
    """Nothing traces. program: the BPF program's id; captured, lost: packets, when it ended."""
    name = "no tracer"
    program = None
    captured = 0
    lost = 0
    cpu = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def settle(self):
        """Waits until the consumer has taken what the flood left, as far as that shows."""


class Reference(Subject):
    """A program of reference.bpf.c, or netcapd's own with default wake-ups."""

    def __init__(self, build, mode):
        self.name = mode
        self.argv = [str(build / "tests/bench/reference"), mode]
        self.matches = 0
        self.start_ms = 0.0
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if len(words) != 3:
            end(self.process)
            raise Failure(f"the reference program {self.name} did not start")
        self.program = int(words[1])
        self.start_ms = int(words[2]) / 1000
        return self

    def settle(self):
        time.sleep(0.02)

    def __exit__(self, *_):
        out, _ = end(self.process)
        if self.process.returncode == 0:
            self.captured, self.matches, self.cpu = map(int, out.split())


class Netcap(Subject):
    """A session of netcapd, with netcapctl writing to /dev/null."""

    def __init__(self, build, daemon, *options, point=POINT, verb="skb"):
        self.name = " ".join(["netcap", *options])
        self.argv = [str(build / "client/netcapctl"), "--socket", str(daemon.socket_path), verb,
                     "-f", point, "-w", "/dev/null", *options]
        self.daemon = daemon
        self.process = None
        self.programs = []
        self.before = 0

    def __enter__(self):
        held = program_ids(self.daemon.pid)
        self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        running = wait_until(lambda: any(s["state"] == "running" for s in self.daemon.sessions())
                             or self.process.poll() is not None, START_TIMEOUT)
        programs = program_ids(self.daemon.pid) - held
        if not running or not programs:
            _, errors = end(self.process, signal.SIGINT)
            raise Failure(f"'{' '.join(self.argv)}' runs no program: {errors.strip()}")
        self.programs = sorted(programs)
        self.program = min(programs)  # a single trace point has one, and all have some
        wait_until(self.is_quiet, 2.0, 0)
        self.before = self.consumer_ns()
        return self

    def is_quiet(self):
        """Nothing is left to do of the start, such as reading the kernel's symbols."""
        before = self.consumer_ns()
        time.sleep(0.03)
        return self.consumer_ns() - before < 1000000

    def consumer_ns(self):
        return cpu_ns([self.process.pid, self.daemon.pid, *descendants(self.daemon.pid)])

    def counters(self):
        sessions = self.daemon.sessions()
        if not sessions:
            _, errors = end(self.process, signal.SIGINT)
            raise Failure(f"'{' '.join(self.argv)}' ended early: {errors.strip()}")
        return sessions[0]["counters"]

    def settle(self):
        wait_until(lambda: self.counters()["inFlight"] == 0, SETTLE_TIMEOUT)
        self.cpu = self.consumer_ns() - self.before

    def __exit__(self, *_):
        counters = self.counters() if self.process.poll() is None else {}
        self.captured = counters.get("captured", 0)
        self.lost = sum(counters.get(name, 0) for name in ("lostRing", "lostClient", "inFlight"))
        end(self.process, signal.SIGINT)
        if not self.daemon.wait_no_sessions():
            raise Failure("a session of netcapd did not end")


class Tcpdump(Subject):
    """tcpdump on the receiving device, with netcapd's default snapshot length and buffer."""

    def __init__(self, lab, *expression):
        self.name = " ".join(["tcpdump", *expression])
        self.argv = ["tcpdump", "-i", DEVICE, "-nn", "-s", str(SNAPLEN), "-B", str(RING_KIB),
                     "-Z", "root", "-w", "/dev/null", *expression]  # or it gives /dev/null away
        self.host = lab.b
        self.process = None
        self.start_ms = 0.0
        self.before = 0

    def __enter__(self):
        start = time.monotonic()
        with self.host.entered():
            self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.PIPE, text=True)
        said = ""
        while "listening on" not in said:
            said = self.process.stderr.readline()
            if not said:
                end(self.process, signal.SIGINT)
                raise Failure("tcpdump did not start")
        self.start_ms = (time.monotonic() - start) * 1000
        self.before = cpu_ns([self.process.pid])
        return self

    def settle(self):
        time.sleep(0.02)
        self.cpu = cpu_ns([self.process.pid]) - self.before

    def __exit__(self, *_):
        _, errors = end(self.process, signal.SIGINT)
        counts = {what: int(number) for number, what in
                  re.findall(r"(\d+) packets? (received by filter|dropped by kernel)", errors)}
        # "captured" lacks what the kernel would have handed over a second later
        self.lost = counts.get("dropped by kernel", 0)
        self.captured = counts.get("received by filter", 0) - self.lost


class Pwru(Subject):
    """pwru at functions, with what it can tell in a line for each packet; it has no count of losses."""

    def __init__(self, program, directory, functions, *expression):
        self.name = " ".join(["pwru", functions, *expression])
        self.output = pathlib.Path(directory) / "pwru.out"
        self.argv = [program, "--filter-func", functions, "--output-tuple", "--output-meta",
                     "--output-file", str(self.output), *expression]
        self.process = None
        self.start_ms = 0.0
        self.end_ms = 0.0
        self.before = 0

    def __enter__(self):
        start = time.monotonic()
        self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        said, line = [], ""
        while "Listening for events" not in line:
            line = self.process.stderr.readline()
            said.append(line.strip())
            if not line:
                end(self.process, signal.SIGINT)
                raise Failure(f"pwru did not start: {' '.join(said)[-400:]}")
        self.start_ms = (time.monotonic() - start) * 1000
        self.before = cpu_ns([self.process.pid])
        return self

    def lines(self):
        """Of packets: the first one is a heading."""
        with open(self.output, "rb") as file:
            return max(0, sum(1 for _ in file) - 1)

    def settle(self):
        """Until it shows nothing more of what it has been handed."""
        self.cpu = cpu_ns([self.process.pid]) - self.before
        deadline, before = time.monotonic() + SETTLE_TIMEOUT, -1
        while time.monotonic() < deadline and before < self.lines():
            before = self.lines()
            time.sleep(1)

    def __exit__(self, *_):
        start = time.monotonic()
        end(self.process, signal.SIGINT, DETACH_TIMEOUT)
        self.end_ms = (time.monotonic() - start) * 1000
        self.captured = self.lines()


class Bpftrace(Subject):
    """bpftrace at a point of one process. point: "uprobe:FILE:FUNCTION" and the like; action: what it does there."""

    def __init__(self, process, untraced, point, action):
        """untraced: text_of() the process when nobody traces it, as must be the case now."""
        self.name = f"bpftrace {point}"
        self.untraced = untraced
        self.argv = ["bpftrace", "-q", "-p", str(process.pid), "-e", f"{point} {{ {action} }}"]
        self.traced = process
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        attached = wait_until(lambda: text_of(self.traced.pid) != self.untraced or self.process.poll() is not None,
                              START_TIMEOUT)
        if not attached or self.process.poll() is not None:
            _, errors = end(self.process, signal.SIGINT)
            raise Failure(f"'{' '.join(self.argv)}' traces nothing: {errors.strip()}")
        return self

    def settle(self):
        time.sleep(0.02)

    def interrupt(self):
        """Has it ended? A signal that comes between what it attaches and what it waits for, it forgets."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.poll() is not None

    def __exit__(self, *_):
        wait_until(self.interrupt, START_TIMEOUT, 0.3)
        end(self.process, signal.SIGINT)


class Ledger(Subject):
    """netcapd's drop ledger, which is always there: the flood ends in drops."""
    name = "drop ledger"

    def __init__(self, daemon):
        self.program, = program_ids(daemon.pid)  # the only one without a session


class ProgramStatistics:
    """The kernel's run-time statistics of BPF programs, on while this is entered."""

    def __init__(self, build):
        self.program = str(build / "tests/bench/progstats")
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        end(self.process)

    def read(self, program):
        """Nanoseconds and runs so far."""
        self.process.stdin.write(f"{program}\n")
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        if len(words) != 2:
            raise Failure(f"there are no statistics of BPF program {program}")
        return int(words[0]), int(words[1])


def session_start(daemon, **parameters):
    """
    Milliseconds from sending Start to the reply that all is attached; of these, as the daemon says,
    those from the call to the first attachment; and milliseconds of CPU time that the daemon used for
    the whole session.
    """
    pids = [daemon.pid, *descendants(daemon.pid)]
    before = cpu_ns(pids)
    read_end, write_end = os.pipe()
    try:
        with daemon.connect() as connection:
            start = time.monotonic()
            connection.send("Start", {"points": [POINT], **parameters}, more=True, fds=[write_end])
            reply = connection.wait_state("attached")
            took = (time.monotonic() - start) * 1000
    finally:
        os.close(write_end)
        os.close(read_end)
    daemon.wait_no_sessions()
    return took, reply["loadUs"] / 1000, (cpu_ns(pids) - before) / 1e6


def object_start(build):
    """Milliseconds to open, load and attach a libbpf object: the reference with its filter."""
    with Reference(build, "per-load") as reference:
        return reference.start_ms


def kernel_floor(build, times):
    """Milliseconds that the kernel takes for a ring, a program of two instructions, and one of 1,000 additions, each time."""
    run = subprocess.run([build / "tests/bench/floor", str(times)], capture_output=True, text=True, timeout=60, check=False)
    if run.returncode:
        raise Failure(run.stderr.strip())
    return [[int(us) / 1000 for us in line.split()] for line in run.stdout.splitlines()]


def resident_kib(pids):
    total = 0
    for pid in pids:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        total += int(re.search(r"^VmRSS:\s*(\d+)", text, re.M).group(1))
    return total


def sleeps(pids):
    """How often the threads of the processes have gone to sleep, that is, been woken."""
    total = 0
    for pid in pids:
        for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
            text = path.read_text(encoding="ascii", errors="replace")
            total += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.M).group(1))
    return total


def describe_machine():
    model = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(
        encoding="ascii", errors="replace"), re.M)
    return (f"Linux {os.uname().release}, {os.cpu_count()} CPUs "
            f"({model.group(1) if model else 'unknown'})")
