# SPDX-License-Identifier: BSD-2-Clause
"""What tests/vm/functions and tests/vm/xdp need around them: two hosts, traffic of known numbers, a daemon and captures."""
import contextlib
import ctypes
import fcntl
import glob
import json
import lzma
import mmap
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

from guesttap import Failed, Skipped, run, run_ip, wait_until

K = 37
PAYLOAD = 62
DEV, HERE, THERE = "eth0", "10.227.0.45", "10.227.0.72"  # as in the documentation's command lines
CLOSED_PORT = 9
BACKENDS = ("fentry", "kprobe.multi", "kprobe")
REQUESTS = "icmp[icmptype] = icmp-echo"
# A daemon that detaches a thousand kprobes takes minutes for it, a summary must not.
SUMMARY_SECONDS = 20
ATTACH_SECONDS = 240
GONE_SECONDS = 60


# ---- traffic ----

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def open_icmp():
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    s.setsockopt(255, 1, struct.pack("=I", 0xfffffffe))  # SOL_RAW, ICMP_FILTER: replies only
    s.settimeout(10)
    return s


def send_request(s, number, sequence):
    payload = bytes(PAYLOAD)
    head = struct.pack("!BBHHH", 8, 0, 0, number, sequence)
    head = struct.pack("!BBHHH", 8, 0, checksum(head + payload), number, sequence)
    s.sendto(head + payload, (THERE, 0))


def ping(count, number=4242):
    """count echo requests, each after the reply to the one before."""
    with open_icmp() as s:
        for sequence in range(count):
            send_request(s, number, sequence)
            s.recv(2048)


def datagrams(count):
    """count datagrams to a closed port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(count):
            s.sendto(bytes(PAYLOAD), (THERE, CLOSED_PORT))
            time.sleep(0.002)


def unanswered(count, address):
    """count datagrams that nobody takes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(count):
            s.sendto(bytes(PAYLOAD), (address, CLOSED_PORT))
            time.sleep(0.002)


def tagged(count):
    """With a VLAN tag."""
    unanswered(count, "10.77.7.2")


def swallowed(count):
    """By the device of make_dummy()."""
    unanswered(count, "10.77.8.2")


def connects(count):
    """count connection attempts to a port where nobody listens."""
    for _ in range(count):
        with socket.socket() as s, contextlib.suppress(ConnectionRefusedError):
            s.settimeout(10)
            s.connect((THERE, 9000))


class HeldPage:
    """Memory that a system call which writes to it sleeps at, until release()."""
    API, REGISTER, MISSING, BYTES = 0xc018aa3f, 0xc020aa00, 1, 4096  # linux/userfaultfd.h

    def __init__(self):
        self.memory = mmap.mmap(-1, self.BYTES)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.fd = ctypes.CDLL(None, use_errno=True).syscall(323, os.O_CLOEXEC)  # userfaultfd(2)
        if self.fd < 0:
            raise Skipped(f"this kernel has no userfaultfd: {os.strerror(ctypes.get_errno())}")
        fcntl.ioctl(self.fd, self.API, struct.pack("=QQQ", 0xaa, 0, 0))
        fcntl.ioctl(self.fd, self.REGISTER, struct.pack("=QQQQ", address, self.BYTES, self.MISSING, 0))

    def release(self):
        os.close(self.fd)


def make_lab():
    run("modprobe", "veth")
    run("ip", "netns", "add", "peer")
    run("ip", "link", "add", DEV, "type", "veth", "peer", "name", "v1", "netns", "peer")
    run("ip", "addr", "add", HERE + "/24", "dev", DEV)
    run("ip", "link", "set", DEV, "up")
    run("ip", "-n", "peer", "addr", "add", THERE + "/24", "dev", "v1")
    run("ip", "-n", "peer", "link", "set", "v1", "up")
    ping(1)


def make_vlan():
    run("modprobe", "8021q")
    for command in (f"link add link {DEV} name tagged type vlan id 7", "addr add 10.77.7.1/24 dev tagged",
                    "link set tagged up",
                    "neigh add 10.77.7.2 lladdr 02:00:00:00:00:07 dev tagged nud permanent"):
        run("ip", *command.split())


def load_unsigned(module):
    """Without its signature the kernel marks it, as it does modules from outside its tree. Its address."""
    path, = glob.glob(f"/lib/modules/{os.uname().release}/**/{module}.ko*", recursive=True)
    with (lzma.open if path.endswith(".xz") else open)(path, "rb") as file:
        image = file.read().removesuffix(b"~Module signature appended~\n")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(175, image, ctypes.c_ulong(len(image)), b""):  # init_module()
        raise Failed(f"{path} cannot be loaded: {os.strerror(ctypes.get_errno())}")
    with open("/proc/modules", encoding="ascii") as file:
        found = re.search(rf"^{module} .* (0x\w+) \(\w+\)$", file.read(), re.MULTILINE)
    if not found:
        raise Failed(f"{path} was loaded and the kernel does not mark it")
    return found[1]


@contextlib.contextmanager
def make_dummy():
    """A device whose module is loaded for it alone; the address of that."""
    address = load_unsigned("dummy")
    try:
        for command in ("link add swallow type dummy", "addr add 10.77.8.1/24 dev swallow",
                        "link set swallow up",
                        "neigh add 10.77.8.2 lladdr 02:00:00:00:00:08 dev swallow nud permanent"):
            run("ip", *command.split())
        yield address
    finally:
        # programs hold the module until they are detached, which is after the summary
        if not wait_until(lambda: not subprocess.run(["modprobe", "-r", "dummy"], capture_output=True,
                                                     timeout=60).returncode, GONE_SECONDS):
            raise Failed(f"the module dummy was still in use after {GONE_SECONDS} s")


# ---- daemon and captures ----

class Daemon:
    def __init__(self, build, directory):
        self.socket = os.path.join(directory, "socket")
        self.errors = open(os.path.join(directory, "netcapd.log"), "ab+")
        self.process = subprocess.Popen([f"{build}/daemon/netcapd", "--socket", self.socket],
                                        stdin=subprocess.DEVNULL, stdout=self.errors,
                                        stderr=self.errors)
        if not wait_until(lambda: os.path.exists(self.socket), 60):
            raise Failed(f"netcapd made no socket in 60 s and said: {self.log()}")

    def log(self):
        with open(self.errors.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def resident(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])

    def kill(self):
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)


class Capture:
    """netcapctl skb or xdp, from start to summary."""

    def __init__(self, test, points, *options, expression=None, verb="skb"):
        self.errors, self.packets = [], []
        self.started = time.monotonic()
        argv = [test.client, "--socket", test.daemon.socket, verb, "-f", points, "--json", *options]
        if expression:
            argv += ["-e", expression]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.capturing = threading.Event()
        self.threads = [threading.Thread(target=self._read_errors),
                        threading.Thread(target=self._read_packets)]
        for thread in self.threads:
            thread.daemon = True
            thread.start()
        if not self.capturing.wait(ATTACH_SECONDS) or not self.attached:
            self.process.kill()
            raise Failed("the capture did not start: " + " ".join(self.errors)[-600:])
        self.attach_seconds = time.monotonic() - self.started

    attached = 0

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line.strip())
            found = re.match(r"capturing at (\d+) trace point", line)
            if found:
                self.attached = int(found[1])
                self.capturing.set()
        self.capturing.set()

    def _read_packets(self):
        for line in self.process.stdout:
            self.packets.append(json.loads(line))

    def end(self):
        start = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        for thread in self.threads:
            thread.join(SUMMARY_SECONDS)
        if any(thread.is_alive() for thread in self.threads):
            self.process.kill()
            raise Failed(f"no summary in {SUMMARY_SECONDS} s: " + " ".join(self.errors)[-600:])
        code = self.process.wait(SUMMARY_SECONDS)
        self.end_seconds = time.monotonic() - start
        if code:
            raise Failed(f"netcapctl ended with {code}: " + " ".join(self.errors)[-600:])
        return self

    def expect_none_lost(self):
        summary = " ".join(self.errors)
        counts = [int(n) for n in re.search(
            r"(\d+) hits = (\d+) filtered \+ (\d+) captured \+ (\d+) lost", summary).groups()]
        if counts[3] or counts[0] != counts[1] + counts[2] or counts[2] != len(self.packets):
            raise Failed(f"{len(self.packets)} packets came, but: {summary[-600:]}")

    def expect(self, count):
        self.expect_none_lost()
        if len(self.packets) != count:
            raise Failed(f"{count} packets were due and {len(self.packets)} came: "
                         + " ".join(self.errors)[-600:])
