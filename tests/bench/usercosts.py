# SPDX-License-Identifier: BSD-2-Clause
"""What a process pays for being traced, per call of a function and per pass of a probe: rows for bench.py."""
import os
import shutil
from dataclasses import dataclass, field

from figures import Row, ratios, spread
from netcap import wait_until
from subjects import NO_MATCH, Bpftrace, Failure, Netcap
from userland import PORT, Paced, text_of

MATCH = f"udp and port {PORT}"
SIZE = 142          # bytes of a packet, as those of the flood
ROOM = 4000         # records that are handed over before more come, so that the ring has place for all
UNTRACED = 100      # times as many calls, where they cost next to nothing
BURST = 32
HEADING = "Functions and probes of processes, ns per hit that the process pays; reference: bpftrace"


@dataclass(frozen=True)
class Kind:
    """A place in a process, by what netcapctl and bpftrace call it."""
    name: str
    program: str
    loop: str           # the program's command for a tight loop
    verb: str
    point: str
    bpftrace: str       # with {} for the file's name
    per_hit: int = 1    # packets


KINDS = (
    Kind("function that begins with a push", "rawprog", "hot", "raw", "take@1@2", "uprobe:{}:take"),
    Kind("function that begins otherwise", "rawprog", "hotlib", "raw", "lib_take@1@2", "uprobe:{lib}:lib_take"),
    Kind("USDT probe", "rawprog", "hotprobe", "raw", "usdt:netcapraw:packet@1@2", "usdt:{}:netcapraw:packet"),
    Kind("mbuf", "mbufprog", "hot", "mbuf", "one@1", "uprobe:{}:one"),
    Kind(f"array of {BURST} mbufs, per mbuf", "mbufprog", "hotburst", "mbuf", "burst@1@2", "uprobe:{}:burst", BURST))
COUNTS, PRINTS = "@hits = count();", 'printf("%d %r\\n", arg1, buf(arg0, 64));'


@dataclass
class Figures:
    """Of one kind, ns per packet and a figure per round, above those without a tracer."""
    untraced: list = field(default_factory=list)
    no_match: list = field(default_factory=list)
    match: list = field(default_factory=list)
    counts: list = field(default_factory=list)  # bpftrace
    prints: list = field(default_factory=list)


class Traced(Netcap):
    """A session at a process, each of whose packets the daemon is waited for."""

    def __init__(self, bench, kind, process, expression):
        super().__init__(bench.build, bench.daemon, "-e", expression, "--pid", str(process.pid), point=kind.point,
                         verb=kind.verb)


class Target:
    """A process, and what its text is when nobody traces it."""

    def __init__(self, process):
        self.process = process
        self.untraced = text_of(process.pid)

    def wait_untraced(self):
        """What a session has set is taken away behind its end."""
        if not wait_until(lambda: text_of(self.process.pid) == self.untraced, 20):
            raise Failure(f"{self.process.path.name} is still traced")


def loop(kind, target, subject, hits):
    """Nanoseconds per packet of so many, made in parts that there is room for."""
    took = done = 0
    process = target.process
    target.wait_untraced()
    with subject:
        while done < hits:
            part = min(hits - done, ROOM) if subject.name.startswith("netcap") else hits
            took += process.hot(kind.loop, part, SIZE)
            done += part
            subject.settle()
    return took / hits


def captured_loop(bench, kind, target, hits):
    """The same, where all packets must have been captured."""
    subject = Traced(bench, kind, target.process, MATCH)
    took = loop(kind, target, subject, hits)
    if subject.captured != hits or subject.lost:
        raise Failure(f"{kind.name}: {subject.captured} of {hits} packets were captured, {subject.lost} lost")
    return took


def measure_round(bench, kind, target, figures):
    hits, process = bench.size.user_hits // BURST * BURST, target.process
    target.wait_untraced()
    untraced = process.hot(kind.loop, hits * UNTRACED, SIZE) / (hits * UNTRACED)
    figures.untraced.append(untraced)
    figures.no_match.append(loop(kind, target, Traced(bench, kind, process, NO_MATCH), hits) - untraced)
    figures.match.append(captured_loop(bench, kind, target, hits) - untraced)
    if not shutil.which("bpftrace"):
        return
    point = kind.bpftrace.format(process.path, lib=process.path.parent / "librawlib.so")
    figures.counts.append(loop(kind, target, Bpftrace(process, target.untraced, point, COUNTS), hits) - untraced)
    if kind.verb == "raw":  # it does not know what an mbuf is
        figures.prints.append(loop(kind, target, Bpftrace(process, target.untraced, point, PRINTS), hits) - untraced)


def pin(process, cpus):
    for task in os.listdir(f"/proc/{process.pid}/task"):
        os.sched_setaffinity(int(task), cpus)


def measure_processes(bench):
    """Kind to its figures, of those whose programs could be built."""
    found = {}
    for kind in KINDS:
        path = bench.build / "tests/integration" / kind.program
        if not path.exists():
            continue
        found[kind] = Figures()
        with Paced(path) as process:
            pin(process, bench.sender_cpus)
            target = Target(process)
            for _ in range(max(1, bench.size.rounds - 2)):
                measure_round(bench, kind, target, found[kind])
    return found


def process_rows(found):
    rows = [Row(HEADING)]
    for kind, figures in found.items():
        rows += [Row(f"{kind.name}: not traced", spread(figures.untraced, 1)),
                 Row(f"{kind.name}: no match; reference: counts", spread(figures.no_match), spread(figures.counts), "",
                     spread(ratios(figures.no_match, figures.counts), 2) if figures.counts else ""),
                 Row(f"{kind.name}: captured; reference: prints 64 bytes", spread(figures.match),
                     spread(figures.prints), "",
                     spread(ratios(figures.match, figures.prints), 2) if figures.prints else "")]
    return rows
