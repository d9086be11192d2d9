# SPDX-License-Identifier: BSD-2-Clause
"""Measures netcapd at kernel functions beside pwru and tcpdump: functions.py [--quick] [--pwru FILE]

For a kernel with kprobes; scripts/bench vm runs it in one. Each subject sees the same flood of UDP
packets over a veth pair, one subject after the other, round after round; ratios are to the floods
with no tracer right before and after. Prints one table. Exits with 0 when everything ran, whatever
the figures.
"""
import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

import bench as common
import optioncosts
import subjects
from bench import Load, measure_load
from figures import Row, print_table, ratios, spread, verdict, verdict_least
from lab import DROP_PORT
from netcap import bpftool, descendants, wait_until
from subjects import DETACH_TIMEOUT, NO_MATCH, START_TIMEOUT, Failure, Netcap, Pwru, Subject

PAYLOAD = 22            # bytes; 64 with headers
FUNCTION = "ip_rcv"
SILENT = "icmp_rcv"     # nobody sends that here
SOME = "tcp_*"          # somewhat more than a hundred functions
MATCH = f"udp and port {DROP_PORT}"
CAPTURE_LIMIT = 0.8     # of the packets/s with no tracer
ALL_LIMIT = 0.2
START_LIMIT_MS = 1000
# The flood ends in drops. What the drop ledger costs for each is measured by bench.py; here it would be in every
# figure, those of no tracer included.
LEDGER_OFF = '{"ledger": false}'
HEADING = Row("", "netcapd", "pwru", "tcpdump", "netcapd/pwru", "to reach")


@dataclass
class Size:
    """How much is measured. What is slow gets fewer packets, so that each flood takes about as long."""
    rounds: int = 5
    packets: int = 80000
    all_packets: int = 12000
    pwru_packets: int = 30000
    pwru_all_packets: int = 8000
    starts: int = 3
    idle_seconds: float = 5


QUICK = Size(rounds=1, packets=10000, all_packets=1000, pwru_packets=3000, pwru_all_packets=500,
             starts=1, idle_seconds=1)


class Peer:
    """pwru, and what its starts and ends took. Without the program nothing of it is measured."""

    def __init__(self, program, directory):
        self.program = program
        self.directory = directory
        self.starts = {}
        self.ends = {}

    def make(self, functions, *expression):
        return Pwru(self.program, self.directory, functions, *expression)

    def note(self, what, subject):
        self.starts.setdefault(what, []).append(subject.start_ms)
        self.ends.setdefault(what, []).append(subject.end_ms)


@dataclass
class Shares:
    """Of one subject: packets/s of those with no tracer, and the loads that this comes from."""
    share: list = field(default_factory=list)
    load: Load = field(default_factory=Load)


def flooded(bench, peer):
    """Name to what makes the subject, and the packets that it gets."""
    size = bench.size
    made = {
        "netcap": (lambda: bench.netcap("-e", MATCH, point=FUNCTION), size.packets),
        "netcap no match": (lambda: bench.netcap("-e", NO_MATCH, point=FUNCTION), size.packets),
        "tcpdump": (lambda: bench.tcpdump(MATCH), size.packets),
        "tcpdump no match": (lambda: bench.tcpdump(NO_MATCH), size.packets),
        "netcap all": (lambda: bench.netcap("-e", NO_MATCH, point="all"), size.all_packets)}
    if peer.program:
        made["pwru"] = (lambda: peer.make(f"^{FUNCTION}$", MATCH), size.pwru_packets)
        made["pwru all"] = (lambda: peer.make("", NO_MATCH), size.pwru_all_packets)
    return made


def measure_loads(bench, peer, free):
    """The same flood, as fast as it goes, under each tracer, with no tracer in between."""
    made = flooded(bench, peer)
    found = {name: Shares() for name in made}
    for _ in range(bench.size.rounds):
        before = measure_load(bench, Subject(), free, None, bench.size.packets)
        for name, (make, count) in made.items():
            subject = make()
            rate = measure_load(bench, subject, found[name].load, before, count)
            if isinstance(subject, Pwru):
                peer.note(name, subject)
            after = measure_load(bench, Subject(), free, None, bench.size.packets)
            found[name].share.append(rate / statistics.mean((before, after)))
            before = after
    return found


def shares(found, name, digits=2):
    return spread(found[name].share, digits) if name in found else "-"


def against(found, name, peer):
    return spread(ratios(found[name].share, found[peer].share), 1) if peer in found else "-"


def missing(found, name):
    """Of the packets sent, those that the tracer did not hand to its user, in percent."""
    if name not in found:
        return "-"
    return spread([100 * (1 - share) for share in found[name].load.captured], 1)


def load_rows(found, free):
    most_lost = max(found["netcap"].load.lost)
    return [
        Row(f"Packets/s let through, of those with no tracer ({spread(free.rate)})"),
        Row(f"{FUNCTION}, all captured", shares(found, "netcap"), shares(found, "pwru"),
            shares(found, "tcpdump"), against(found, "netcap", "pwru"),
            verdict_least(statistics.median(found["netcap"].share), CAPTURE_LIMIT,
                          f">= {CAPTURE_LIMIT}")),
        Row("  not shown of the packets sent, %", missing(found, "netcap"), missing(found, "pwru"),
            missing(found, "tcpdump")),
        Row("  lost by its own account, packets (most)", f"{most_lost:,}", "does not say" if
            "pwru" in found else "-", f"{max(found['tcpdump'].load.lost):,}", "",
            verdict(most_lost, 0, "0")),
        Row("  reader's CPU, us per captured packet", *(
            spread([ns / 1000 for ns in found[name].load.consumer], 1) if name in found else "-"
            for name in ("netcap", "pwru", "tcpdump"))),
        Row(f"{FUNCTION}, filter that matches nothing", shares(found, "netcap no match"), "",
            shares(found, "tcpdump no match")),
        Row("all functions, filter that matches nothing", shares(found, "netcap all"),
            shares(found, "pwru all"), "", against(found, "netcap all", "pwru all"),
            verdict_least(statistics.median(found["netcap all"].share), ALL_LIMIT,
                          f">= {ALL_LIMIT}"))]


@dataclass
class Cost:
    """Of the BPF programs while a flood runs."""
    runs: float      # per packet
    per_run: float   # ns


def measure_cost(bench, statistics_of, subject, holder, count):
    """holder: the pid that has the programs, known once the subject is entered."""
    def total(programs):
        figures = [statistics_of.read(program) for program in programs]
        return [sum(values) for values in zip(*figures)]
    with subject:
        programs = subjects.program_ids(holder())
        time0, runs0 = total(programs)
        sent, _, _ = bench.flood(count, 0)
        time1, runs1 = total(programs)
    return Cost((runs1 - runs0) / sent, (time1 - time0) / max(1, runs1 - runs0))


def measure_costs(bench, peer):
    found = {}
    with subjects.ProgramStatistics(bench.build) as statistics_of:
        for name, (make, count) in flooded(bench, peer).items():
            subject = make()
            if isinstance(subject, Netcap):
                found[name] = measure_cost(bench, statistics_of, subject, lambda: bench.daemon.pid,
                                           count)
            elif isinstance(subject, Pwru):
                found[name] = measure_cost(bench, statistics_of, subject,
                                           lambda s=subject: s.process.pid, count)
    return found


def cost_rows(costs):
    def cell(name):
        return (f"{costs[name].runs:.1f} x {costs[name].per_run / 1000:.1f}" if name in costs
                else "-")
    return [Row("Runs of BPF programs per packet x microseconds each, as the kernel measures it"),
            Row(f"{FUNCTION}, all captured", cell("netcap"), cell("pwru")),
            Row(f"{FUNCTION}, filter that matches nothing", cell("netcap no match")),
            Row("all functions, filter that matches nothing", cell("netcap all"),
                cell("pwru all"))]


def client_start(bench, point):
    """
    Milliseconds from the exec of netcapctl until it says that it captures. A packet sent then must
    be captured, or it said so too early.
    """
    subject = bench.netcap("-e", MATCH, point=point)
    start = time.monotonic()
    subject.process = subprocess.Popen(subject.argv, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
    try:
        said = []  # functions that cannot be traced come first
        while not said or said[-1] and not said[-1].startswith("capturing at"):
            said.append(subject.process.stderr.readline())
        took = (time.monotonic() - start) * 1000
        if not said[-1]:
            raise Failure(f"netcapctl did not start to capture at {point}: {''.join(said)[-400:]}")
        bench.lab.send_udp(bytes(PAYLOAD))
        if not wait_until(lambda: subject.counters()["captured"], START_TIMEOUT):
            raise Failure(f"a packet sent after netcapctl captured at {point} was not captured")
    finally:
        subjects.end(subject.process, signal.SIGINT)
    if not bench.daemon.wait_no_sessions(DETACH_TIMEOUT):
        raise Failure("a session of netcapd did not end")
    wait_until(lambda: not others(bench.kept), DETACH_TIMEOUT)
    return took


def measure_starts(bench):
    return {point: [client_start(bench, point) for _ in range(bench.size.starts)]
            for point in (FUNCTION, "all")}


def start_rows(starts, peer):
    def row(what, point, name):
        pwru = peer.starts.get(name, [])
        return Row(what, spread(starts[point]), spread(pwru), "",
                   f"{statistics.median(starts[point]) / statistics.median(pwru):.3f}" if pwru
                   else "-", verdict(max(starts[point]), START_LIMIT_MS, f"< {START_LIMIT_MS:,}"))
    return [Row("Start, ms: from exec of the client until it says that it captures"),
            row(FUNCTION, FUNCTION, "pwru"), row("all functions", "all", "pwru all")]


def programs_of_netcapd():
    return {entry["id"] for entry in bpftool("prog", "show")
            if entry.get("name", "").startswith("netcap")}


def others(kept):
    """Programs of sessions: all but those that netcapd keeps as long as it runs."""
    return programs_of_netcapd() - kept


@dataclass
class Attach:
    """Milliseconds, a figure per session."""
    functions: int = 0
    attached: list = field(default_factory=list)  # from Start to the reply that all is attached
    ended: list = field(default_factory=list)     # from the end of the call to the summary
    gone: list = field(default_factory=list)      # ... to the last program gone from the kernel


def attach_once(bench, point, found):
    read_end, write_end = os.pipe()
    try:
        with bench.daemon.connect(DETACH_TIMEOUT) as connection:
            start = time.monotonic()
            connection.send("Start", {"points": [point], "filter": NO_MATCH}, more=True,
                            fds=[write_end])
            points = connection.wait_state("attached")["session"]["points"]
            attached = time.monotonic()
            connection.half_close()
            connection.wait_state("ended")
            ended = time.monotonic()
    finally:
        os.close(write_end)
        os.close(read_end)
    if not wait_until(lambda: not others(bench.kept), DETACH_TIMEOUT):
        raise Failure(f"netcapd's programs at {point} are still there {DETACH_TIMEOUT:.0f} s later")
    found.gone.append((time.monotonic() - attached) * 1000)
    found.functions = sum(1 for entry in points if not entry.get("reason"))
    found.attached.append((attached - start) * 1000)
    found.ended.append((ended - attached) * 1000)


def measure_attaches(bench):
    found = {point: Attach() for point in (FUNCTION, SOME, "all")}
    for _ in range(bench.size.starts):
        for point, attach in found.items():
            attach_once(bench, point, attach)
    return found


def attach_rows(attaches, peer):
    rows = [Row("Attach and detach, ms (by netcapd; of pwru from SIGINT to its exit)")]
    names = {FUNCTION: "pwru", "all": "pwru all"}
    for point, attach in attaches.items():
        what = f"{attach.functions:,} function{'s' if attach.functions > 1 else ''} ({point})"
        rows += [Row(f"{what}: attached", spread(attach.attached)),
                 Row("  end of the session to its summary", spread(attach.ended)),
                 Row("  end of the session to the last program gone", spread(attach.gone),
                     spread(peer.ends.get(names.get(point), [])))]
    return rows


def idle_figures(pids, seconds):
    """CPUs that the processes use, and how often they were woken in a second."""
    time.sleep(2)
    start, cpu, sleeps = time.monotonic_ns(), subjects.cpu_ns(pids), subjects.sleeps(pids)
    time.sleep(seconds)
    took = time.monotonic_ns() - start
    return ((subjects.cpu_ns(pids) - cpu) / took, (subjects.sleeps(pids) - sleeps) / took * 1e9)


def measure_idle(bench, peer):
    """Sessions at a function that is never called."""
    seconds = bench.size.idle_seconds
    with bench.netcap("-e", MATCH, point=SILENT) as subject:
        daemon = [bench.daemon.pid, *descendants(bench.daemon.pid)]
        found = {"netcap": idle_figures(daemon, seconds),
                 "client": idle_figures([subject.process.pid], seconds)}
    if peer.program:
        with peer.make(f"^{SILENT}$", MATCH) as subject:
            found["pwru"] = idle_figures([subject.process.pid], seconds)
    return found


def idle_rows(idle, seconds):
    def row(what, number, digits, limit="", names=("netcap", "pwru")):
        cells = [f"{idle[name][number]:.{digits}f}" if name in idle else "-" for name in names]
        return Row(what, *cells, *[""] * (4 - len(cells)), limit)
    return [Row(f"Idle at {SILENT}, which is never called, for {seconds:g} s"),
            row("CPUs in use by the tracer", 0, 4, verdict(idle["netcap"][0], 0, "0")),
            row("  wake-ups a second", 1, 1, verdict(idle["netcap"][1], 0, "0")),
            row("CPUs in use by netcapctl", 0, 4, names=("client",)),
            row("  wake-ups a second", 1, 1, names=("client",))]


def run(bench, peer):
    start = time.monotonic()

    def phase(text):
        print(f"bench: {time.monotonic() - start:3.0f} s: {text} ...", file=sys.stderr, flush=True)
    bench.kept = programs_of_netcapd()
    free = Load()
    phase("idle")
    idle = measure_idle(bench, peer)
    phase("starts of the client")
    starts = measure_starts(bench)
    phase("attach and detach")
    attaches = measure_attaches(bench)
    phase("the flood under each tracer")
    found = measure_loads(bench, peer, free)
    phase("time in the programs")
    costs = measure_costs(bench, peer)
    options = optioncosts.measure_guest_options(bench)
    print(f"netcapd bench at functions: {subjects.describe_machine()}; {bench.size.rounds} rounds; "
          f"UDP packets of {PAYLOAD + 42} bytes\nFigures are medians, with quartiles in "
          f"parentheses.{'' if peer.program else ' pwru could not be had.'}")
    print_table([*load_rows(found, free), *cost_rows(costs),
                 *optioncosts.guest_option_rows(options), *start_rows(starts, peer),
                 *attach_rows(attaches, peer), *idle_rows(idle, bench.size.idle_seconds)], HEADING)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true",
                        help="much less of everything: does it run, never mind the figures")
    parser.add_argument("--pwru", default="", help="the program pwru, if it is to be had")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="netcap-bench-pwru-") as directory:
        peer = Peer(options.pwru, directory)
        common.measure(lambda bench: run(bench, peer), QUICK if options.quick else Size(), PAYLOAD,
                       pinned=False, config=LEDGER_OFF)


if __name__ == "__main__":
    main()
