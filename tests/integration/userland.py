# SPDX-License-Identifier: BSD-2-Clause
"""Processes whose packets are traced in user space: the tests' own, and DPDK's testpmd."""
import contextlib
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

import pcapng
from lab import DEVICE
from netcap import wait_until

PORT = 9000          # paced.h
SOURCE_PORTS = 3     # packet N comes from 1000 + N % 3
XDP_SOCKET_PORT = 9005  # tests/vm/xdpports.bpf.c
COUNTS = re.compile(r"(\d+) hits = (\d+) filtered \+ (\d+) captured \+ (\d+) lost \((\d+) ring, (\d+) slow client\) "
                    r"\+ (\d+) limited")


def ip_sum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet_bytes(number, size):
    """What paced_packet() makes, written anew."""
    start = bytes.fromhex("020000000002 020000000001 0800")
    fields = [0x45, 0, size - 14, number & 0xFFFF, 0, 64, 17, 0, bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))]
    fields[7] = ip_sum(struct.pack("!BBHHHBBH4s4s", *fields))
    head = start + struct.pack("!BBHHHBBH4s4s", *fields)
    head += struct.pack("!HHHH", 1000 + number % SOURCE_PORTS, PORT, size - 34, 0)
    return head + bytes((number + i) & 0xFF for i in range(42, size))


def from_source(first, count, port):
    """How many of count packets from number first on come from this port."""
    return sum(1000 + number % SOURCE_PORTS == port for number in range(first, first + count))


# ---- what a process consists of ----

@dataclass
class Mapping:
    start: int
    end: int
    access: str
    offset: int
    path: str


def mappings(pid):
    found = []
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
        span, access, offset, _, _, *path = line.split(None, 5)
        start, end = (int(part, 16) for part in span.split("-"))
        found.append(Mapping(start, end, access, int(offset, 16), path[0] if path else ""))
    return found


def read_memory(pid, address, size):
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        memory.seek(address)
        return memory.read(size)


def text_of(pid):
    """Every executable byte that comes from a file, by its address: breakpoints would be seen in it."""
    return {m.start: read_memory(pid, m.start, m.end - m.start) for m in mappings(pid)
            if "x" in m.access and m.path.startswith("/")}


def assert_text_is(before, pid, seconds=10.0):
    """As it was before: what was set is taken away in the background when a session has ended."""
    assert wait_until(lambda: text_of(pid) == before, seconds), "breakpoints are left in the process"


def symbols(path, *options):
    """Name to address, as the file has it. options: of nm, "-D" for those that other objects may use."""
    lines = subprocess.run(["nm", *options, "--defined-only", str(path)], check=True, capture_output=True,
                           text=True, timeout=30).stdout.splitlines()
    return {words[2].split("@")[0]: int(words[0], 16) for words in map(str.split, lines) if len(words) == 3}


def second_instruction(path, function):
    """How many bytes behind the function's entry. At its entry the arguments are where they are there, too."""
    lines = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--disassemble={function}", str(path)], check=True,
                           capture_output=True, text=True, timeout=30).stdout.splitlines()
    addresses = [int(line.split(":")[0], 16) for line in lines if re.match(r"\s+[0-9a-f]+:\t", line)]
    return addresses[1] - addresses[0]


def segments(path):
    """Of those that are loaded: offset in the file, address, bytes."""
    lines = subprocess.run(["readelf", "-lW", str(path)], check=True, capture_output=True, text=True,
                           timeout=30).stdout.splitlines()
    loads = [line.split() for line in lines if line.split()[:1] == ["LOAD"]]
    return [(int(w[1], 16), int(w[2], 16), int(w[4], 16)) for w in loads]


def address_in_file(pid, address):
    """The file that is mapped there, and the address that the file itself has for it, as symbols do."""
    where, = (m for m in mappings(pid) if m.start <= address < m.end)
    offset = address - where.start + where.offset
    virtual, = (vaddr + offset - start for start, vaddr, size in segments(where.path)
                if start <= offset < start + size)
    return where.path, virtual


def stripped(source, target, debuglink=True):
    """A copy without symbols, which are in TARGET.debug then if debuglink, or nowhere."""
    debug = f"{target}.debug"
    if debuglink:
        subprocess.run(["objcopy", "--only-keep-debug", source, debug], check=True, timeout=30)
    subprocess.run(["objcopy", "--strip-all", source, target], check=True, timeout=30)
    if debuglink:
        subprocess.run(["objcopy", f"--add-gnu-debuglink={debug}", target], check=True, timeout=30)
    return target


# ---- processes ----

class Paced:
    """A program that does what it is told on standard input (paced.h)."""

    def __init__(self, program, *argv, prefix=(), **options):
        self.path = pathlib.Path(program)
        self.process = subprocess.Popen([*map(str, prefix), str(program), *map(str, argv)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **options)
        self.pid = self.answer("ready")[0]
        self.packets = 0  # made so far, which is the number of the next

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def alive(self):
        return self.process.poll() is None

    def answer(self, expected):
        """The numbers behind the word that a line must begin with."""
        line = self.process.stdout.readline()
        word, *numbers = line.split() or [""]
        assert word == expected, f"{self.path.name} said {line!r}; its status is {self.process.poll()}"
        return [int(number) for number in numbers]

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def send(self, *words):
        """How many packets were sent, as the program counts them."""
        self.tell(*words)
        count, _ = self.answer("sent")
        return count

    def set(self, *words):
        self.tell(*words)
        self.answer("set")

    def hot(self, *words):
        """Nanoseconds that a tight loop took."""
        self.tell(*words)
        return self.answer("took")[0]

    def exec(self):
        self.tell("exec")
        assert self.answer("ready") == [self.pid]

    def end(self):
        """Its exit status, once it was told."""
        self.process.stdin.close()
        return self.process.wait(10)

    def close(self):
        if self.alive:
            self.process.kill()
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                file.close()


class Forwarder:
    """
    DPDK's testpmd as the package has it, without huge pages and devices: it forwards what one file has into another,
    once "start" was said. buffer: bytes of an mbuf, of which 128 are not for data; longer packets are chains of them.
    """
    PROGRAM = shutil.which("dpdk-testpmd")

    def __init__(self, frames, directory, *options, buffer=2176):
        self.input, self.output = directory / "in.pcap", directory / "out.pcap"
        write_pcap(self.input, frames)
        self.text, self.terminal = "", 0
        argv = [self.PROGRAM, "--no-huge", "--no-pci", "--no-telemetry", "--no-shconf", "-m", "256",
                f"--file-prefix=netcaptest{os.getpid()}", f"--lcores={lcores()}", "--log-level=4",
                f"--vdev=net_pcap0,rx_pcap={self.input},tx_pcap={self.output}", "--", "-i", "--no-flush-rx",
                "--no-mlockall", "--port-topology=loop", "--total-num-mbufs=16384", f"--mbuf-size={buffer}", *options]
        self.terminal, other = pty.openpty()  # so that it does not keep back what it says
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=other, stderr=other)
        os.close(other)
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.wait_for("testpmd> ", 30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self):
        with contextlib.suppress(OSError):  # EIO: it ended
            while data := os.read(self.terminal, 65536):
                self.text += data.decode(errors="replace")

    def wait_for(self, text, timeout=10.0):
        wait_until(lambda: text in self.text or self.process.poll() is not None, timeout)
        assert text in self.text, f"testpmd did not say {text!r}:\n{self.text[-3000:]}"

    def say(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def counts(self):
        """Packets received and sent by port 0, as DPDK counts them."""
        start = len(self.text)
        self.say("show port stats 0")
        wait_until(lambda: "Tx-bps" in self.text[start:], 10)
        return tuple(int(re.search(rf"{way}-packets: +(\d+)", self.text[start:]).group(1)) for way in ("RX", "TX"))

    def forward(self, count):
        """Starts, and waits until count packets are out."""
        self.say("start")
        wait_until(lambda: self.counts()[1] >= count, 20, 0.2)
        assert self.counts() == (count, count)

    def quit(self):
        """Ends it in good order, which completes the file that it writes."""
        self.say("stop")
        self.say("quit")
        assert self.process.wait(20) == 0, self.text[-3000:]
        return read_pcap(self.output)

    def burst_functions(self):
        """
        The driver's functions that receive and send, which have no symbols: their file, and their addresses in it. DPDK
        keeps them in rte_eth_fp_ops, which is public: receiving is first in there, sending 64 bytes later.
        """
        table = symbols(self.PROGRAM, "-D")["rte_eth_fp_ops"]
        program = os.path.realpath(self.PROGRAM)
        base = next(m.start for m in mappings(self.pid) if m.path == program)
        pointers = [struct.unpack("<Q", read_memory(self.pid, base + table + at, 8))[0] for at in (0, 64)]
        (path, receive), (other, send) = (address_in_file(self.pid, pointer) for pointer in pointers)
        assert path == other
        return path, receive, send

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.reader.join(5)
        os.close(self.terminal)


def lcores():
    """Two of DPDK's, on two processors if this process may use so many."""
    cpus = sorted(os.sched_getaffinity(0))
    return f"0@{cpus[0]},1@{cpus[-1]}"


def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate(frames):
            file.write(struct.pack("<IIII", number // 1000, number % 1000 * 1000, len(frame), len(frame)) + frame)


def read_pcap(path):
    """The frames of a file of microseconds or nanoseconds in this machine's byte order."""
    data, frames, at = pathlib.Path(path).read_bytes(), [], 24
    assert struct.unpack_from("<I", data)[0] in (0xA1B2C3D4, 0xA1B23C4D)
    while at < len(data):
        length, whole = struct.unpack_from("<II", data, at + 8)
        assert length == whole
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


@contextlib.contextmanager
def xsk_echo(build, host):
    """An application of AF_XDP at the host's device, which gets datagrams to XDP_SOCKET_PORT and sends them back."""
    with tempfile.TemporaryDirectory(prefix="netcap-xsk-") as mount:
        pinned = pathlib.Path(mount) / "p"
        subprocess.run(["mount", "-t", "bpf", "bpf", mount], check=True)
        try:
            subprocess.run(["bpftool", "prog", "loadall", str(build / "tests/vm/xdpports.bpf.o"), str(pinned),
                            "pinmaps", str(pinned / "maps")], check=True, capture_output=True)
            with host.entered():
                subprocess.run(["bpftool", "net", "attach", "xdpdrv", "pinned", str(pinned / "xdp_by_port"), "dev",
                                DEVICE], check=True, capture_output=True)
                echo = Paced(build / "tests/integration/xskecho", DEVICE, pinned / "maps/sockets")
            with echo:
                yield echo
        finally:
            with host.entered():
                subprocess.run(["bpftool", "net", "detach", "xdpdrv", "dev", DEVICE], check=False,
                               capture_output=True)
            subprocess.run(["umount", mount], check=True)


# ---- sessions ----

class Capturing:
    """
    netcapctl with -w, from when it captures until it is interrupted: what it wrote, and what its last lines count.
    The verb and its options come first, as on the command line.
    """

    def __init__(self, client, daemon, directory, *argv, sessions=1):
        self.path = directory / f"capture{len(client.started)}.pcapng"
        self.daemon = daemon
        self.process = client.start(*argv, "-w", self.path)
        self.capture = self.counts = None
        self.waits_for = sessions

    def __enter__(self):
        running = wait_until(lambda: not self.process.alive or self.running(), 15)
        assert running and self.process.alive, f"nothing is captured: {self.process.out}{self.process.err}"
        return self

    def running(self):
        sessions = self.daemon.sessions()
        return len(sessions) == self.waits_for and all(s["state"] in ("attached", "running") for s in sessions)

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        else:
            self.end()

    def end(self):
        if self.capture:
            return
        status = self.process.interrupt() if self.process.alive else self.process.wait()
        assert status == 0, self.text
        self.capture = pcapng.parse(self.path.read_bytes())
        found = COUNTS.search(self.text)
        assert found, self.text
        names = ("hits", "filtered", "captured", "lost", "ring", "slow", "limited")
        self.counts = dict(zip(names, map(int, found.groups()), strict=True))
        assert self.counts["hits"] == sum(self.counts[name] for name in ("filtered", "captured", "lost", "limited"))
        events = sum(len(p.journey.steps) + p.journey.more if p.journey else 1 for p in self.packets)
        assert self.counts["captured"] == events, self.text

    @property
    def text(self):
        return self.process.out + self.process.err

    @property
    def packets(self):
        return self.capture.packets

    def expect(self, count):
        """So many packets, and none of them lost. What they are."""
        assert self.counts["lost"] == 0, self.text
        assert len(self.packets) == count, f"{len(self.packets)} and not {count} packets: {self.text}"
        return self.packets


def wait_for_text(process, *parts, timeout=10.0):
    """What a process said, once all of the parts are in it."""
    wait_until(lambda: all(part in process.out + process.err for part in parts), timeout)
    text = process.out + process.err
    assert all(part in text for part in parts), f"{parts} are not all in: {text}"
    return text


def hold(seconds=0.3):
    """For what must not happen meanwhile."""
    time.sleep(seconds)
