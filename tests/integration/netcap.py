# SPDX-License-Identifier: BSD-2-Clause
"""Starts netcapd and netcapctl, and looks for what they leave behind."""
import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import typing

import pcapng
import varlink

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Children that outlive netcapd or netcapctl become children of this process."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def wait_until(condition, timeout=10.0, interval=0.02):
    """The first true value of condition(), or its last value when the time is up."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(interval)


def descendants(root):
    """The pids below root, zombies left out."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    state, parent = file.read().rsplit(")", 1)[1].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents.setdefault(int(parent), []).append(int(name))
    found, queue = [], [root]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "gone"


def children():
    """Command lines of the processes that this one still has below itself."""
    return {pid: command_line(pid) for pid in descendants(os.getpid())}


def kill_children():
    """So that what one test left behind is not the next one's failure."""
    for pid in children():
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def bpftool(*argv):
    """The parsed output. bpftool fails when an object goes away while it lists them: once more, then."""
    for _ in range(20):
        done = subprocess.run(["bpftool", "-j", *argv], capture_output=True, text=True, timeout=20,
                              check=False)
        if done.returncode == 0:
            return json.loads(done.stdout or "[]")
    raise AssertionError(f"bpftool {' '.join(argv)} fails: {done.stdout} {done.stderr}")


def bpf_objects():
    """What is in the kernel under the name netcap: a set of ("prog", id), ("map", id), ("link", id)."""
    programs = {p["id"] for p in bpftool("prog", "show") if p.get("name", "").startswith("netcap")}
    maps = {m["id"] for m in bpftool("map", "show") if m.get("name", "").startswith("netcap")}
    links = {l["id"] for l in bpftool("link", "show") if l.get("prog_id") in programs}
    return ({("prog", i) for i in programs} | {("map", i) for i in maps}
            | {("link", i) for i in links})


def bpf_held_by_others():
    """BPF objects that processes outside of this test hold, such as a netcapd of the machine."""
    held, own = set(), set(descendants(os.getpid()))
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        if pid in own:
            continue
        try:
            for fd in os.listdir(f"/proc/{pid}/fdinfo"):
                with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii", errors="replace") as file:
                    held.update((kind, int(number)) for kind, number in
                                re.findall(r"^(prog|map|link)_id:\s*(\d+)", file.read(), re.M))
        except OSError:
            continue
    return held


def bpf_left():
    objects = bpf_objects()
    return objects - bpf_held_by_others() if objects else objects


def assert_nothing_left(*paths, timeout=8.0):
    """No child, no BPF object, none of the paths. The kernel frees BPF objects some time later."""
    left = []

    def nothing():
        left[:] = [*children().values(), *bpf_left(), *(p for p in paths if os.path.lexists(p))]
        return not left
    wait_until(nothing, timeout, 0.1)
    assert not left, f"left behind: {left}"


class Process:
    """A child with its output in files, so that it never waits for the test to read."""

    def __init__(self, argv, directory, name, **options):
        self.out_path = directory / f"{name}.out"
        self.err_path = directory / f"{name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=err, **options)
        self.pid = self.process.pid

    @property
    def out(self):
        return self.out_path.read_text(errors="replace")

    @property
    def err(self):
        return self.err_path.read_text(errors="replace")

    @property
    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=15.0):
        """The exit status; killed when it takes longer than timeout seconds."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.process.args} did not end within {timeout} s; its output:\n"
                                 f"{self.out[-2000:]}\n{self.err[-2000:]}") from None

    def interrupt(self, timeout=15.0):
        self.signal(signal.SIGINT)
        return self.wait(timeout)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Usage(typing.NamedTuple):
    cpu_s: float
    rss_kib: int
    peak_kib: int
    switches: int  # times that the kernel took the CPU from it, or that it gave it up to wait


def drops_that_keep_awake(daemon, seconds, most=90.0):
    """
    0: it slept, with no context switch at all, for so many seconds in a row. Else it did not within most seconds;
    the number of packets that were dropped on this machine meanwhile, or -1 if there were none.
    """
    def total():
        answer = daemon.drops()
        return answer["packets"] + answer["overflow"]
    dropped, end, switches = total(), time.monotonic() + most, -1
    while (now := time.monotonic()) < end:
        if switches != daemon.usage().switches:
            since, switches = now, daemon.usage().switches
        elif now - since >= seconds:
            return 0
        time.sleep(0.2)
    return total() - dropped or -1


class Daemon(Process):
    def __init__(self, build, directory, prefix=(), config="{}", **options):
        """prefix: a command that runs another one, as setpriv does. config: text, in place of the machine's."""
        self.socket_path = directory / "netcapd.sock"
        self.config_path = directory / "netcapd.json"
        self.config_path.write_text(config)
        self.expected_status = 0
        super().__init__([*prefix, build / "daemon/netcapd", "--socket", self.socket_path,
                          "--config", self.config_path], directory, "netcapd", **options)
        wait_until(lambda: self.listens() or not self.alive, 40.0)  # emulated machines are slow
        if not self.listens():
            self.kill()
            raise AssertionError(f"netcapd did not start:\n{self.err}")

    def listens(self):
        try:
            self.connect().close()
            return True
        except OSError:
            return False

    def connect(self, timeout=10.0):
        return varlink.Connection(self.socket_path, timeout)

    def sessions(self):
        with self.connect() as connection:
            return connection.call("List")["sessions"]

    def drops(self, **query):
        with self.connect() as connection:
            return connection.call("Drops", query)

    def usage(self):
        """What it has used up to now, all of its threads."""
        switches = cpu_ns = 0
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            counts = re.findall(r"voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text())
            switches += sum(map(int, counts))
            cpu_ns += int((task / "schedstat").read_text().split()[0])
        memory = dict(re.findall(r"(VmHWM|VmRSS):\s+(\d+) kB", pathlib.Path(f"/proc/{self.pid}/status").read_text()))
        return Usage(cpu_ns / 1e9, int(memory["VmRSS"]), int(memory["VmHWM"]), switches)

    def forget_peak(self):
        """The peak of its memory is from now on that of the time from now on."""
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def assert_answers(self):
        """Alive, and quick: the best of three, since this machine's other work counts too."""
        times = []
        for _ in range(3):
            start = time.monotonic()
            with self.connect() as connection:
                connection.call("List")
            times.append(time.monotonic() - start)
        assert min(times) < 0.1, f"netcapd took {times} s for its answers"

    def wait_sessions(self, count=1, timeout=10.0):
        """The sessions once there are count of them and all are attached."""
        def ready():
            sessions = self.sessions()
            return len(sessions) == count and all(
                s["state"] in ("attached", "running") for s in sessions) and (sessions or True)
        sessions = wait_until(ready, timeout)
        assert sessions, f"not {count} running sessions after {timeout} s: {self.sessions()}\n{self.err}"
        return sessions

    def wait_no_sessions(self, timeout=10.0):
        return wait_until(lambda: not self.sessions(), timeout)

    def stop(self):
        """Ends it as systemd would, if it has not ended yet. Its exit status."""
        if self.alive:
            self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        super().kill()
        self.expected_status = -signal.SIGKILL


class Session:
    """A session over a raw connection with a pipe, read by a thread into memory."""

    def __init__(self, daemon, points=("tracepoint:skb:kfree_skb",), reading=True, make_ends=os.pipe,
                 **parameters):
        self.connection = daemon.connect()
        self.data = b""
        self.read_end, write_end = make_ends()
        try:
            self.connection.send("Start", {"points": list(points), **parameters}, more=True,
                                 fds=[write_end])
        finally:
            os.close(write_end)
        self.thread = None
        try:
            self.attached = self.connection.wait_state("attached")
        except Exception:
            self.close()
            raise
        if reading:
            self.start_reading()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start_reading(self):
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        parts = []
        while part := os.read(self.read_end, 1 << 20):
            parts.append(part)
        self.data = b"".join(parts)

    def end(self, timeout=15.0):
        """Half-closes, waits for the summary, and returns (final session, capture)."""
        self.connection.half_close()
        ended = self.connection.wait_state("ended", timeout)
        return self.finish(ended)

    def finish(self, ended, timeout=15.0):
        if not self.thread:
            self.start_reading()
        self.thread.join(timeout)
        assert not self.thread.is_alive(), "the data stream did not end with the session"
        capture = pcapng.parse(self.data)
        return ended["session"], capture

    def close(self):
        self.connection.close()
        if self.thread:
            self.thread.join(10)
        os.close(self.read_end)


def assert_identity(counters):
    """hits = filtered + captured + lostRing + lostClient + limited, with nothing on the way."""
    parts = ("filtered", "captured", "lostRing", "lostClient", "limited", "inFlight")
    assert counters["inFlight"] == 0, counters
    assert counters["hits"] == sum(counters[part] for part in parts), counters


def assert_session_identity(session):
    """The identity for the session and each point, and that the points add up to the session."""
    assert_identity(session["counters"])
    attached = [p["counters"] for p in session["points"] if p.get("counters")]
    assert attached, session
    for counters in attached:
        assert_identity(counters)
    for name, total in session["counters"].items():
        assert total == sum(counters[name] for counters in attached), (name, session)
