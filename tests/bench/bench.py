# SPDX-License-Identifier: BSD-2-Clause
"""Measures netcapd beside reference programs and tcpdump, in one run: bench.py [--quick]

Each subject sees the same flood of UDP packets in network namespaces made for this, one subject
after the other, round after round; ratios are taken within a round. Prints one table. Exits with 0
when everything ran, whatever the figures. scripts/bench builds and calls this.
"""
import argparse
import contextlib
import os
import pathlib
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from subprocess import SubprocessError

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/integration"))

# pylint: disable=wrong-import-position
import gathercosts  # noqa: E402
import optioncosts  # noqa: E402
import subjects  # noqa: E402
import usercosts  # noqa: E402
import varlink  # noqa: E402
from figures import Row, percentile, print_table, ratios, spread, verdict  # noqa: E402
from lab import DROP_PORT, Lab  # noqa: E402
from netcap import Daemon, adopt_orphans, descendants, kill_children  # noqa: E402
from subjects import NO_MATCH, Failure, Ledger, Netcap, Reference, Subject, Tcpdump  # noqa: E402

PAYLOAD = 100           # bytes; 142 with headers, so that netcapd's record has 304
NO_MATCH_LIMIT = 0.25   # of a filter with a probe read per load
CAPTURE_LIMIT = 0.1     # of the same program with default wake-ups
LEDGER_LIMIT_NS = 150   # per drop, above an empty program
START_LIMIT_MS = 30
LOAD_LIMIT = 0.13       # of opening, loading and attaching a libbpf object: 2 ms of 15 ms
IDLE_LIMIT_KIB = 16384
PRIORITY = -10          # of all that takes part: a reader that other work keeps waiting needs fewer
                        # wake-ups, which flatters the reference that pays for them


@dataclass
class Size:
    """How much is measured."""
    rounds: int = 7
    cost_packets: int = 90000
    capture_rate: int = 100000      # packets/s, so that nobody loses any
    flood_packets: int = 120000
    step_seconds: float = 0.5
    step_passes: int = 3
    steps: tuple = (25000, 50000, 75000, 100000, 150000, 200000, 250000, 300000, 400000)
    starts: int = 25
    user_hits: int = 40000          # of a function or a probe, by each subject in each round
    idle_seconds: float = 10
    settle_seconds: float = 10      # before that: what a new network announces is dropped, and the daemon looks at drops


QUICK = Size(rounds=2, cost_packets=20000, flood_packets=40000, step_seconds=0.2, step_passes=1,
             steps=(25000, 100000), starts=5, user_hits=5000, idle_seconds=0.5,
             settle_seconds=0.5)


@dataclass
class Bench:
    """What all measurements need."""
    build: pathlib.Path
    lab: Lab
    daemon: Daemon
    size: Size
    cpus: set               # for everything but the sender
    sender_cpus: set
    payload: int = PAYLOAD
    kept: set = field(default_factory=set)  # BPF programs that the daemon has without a session

    def reference(self, mode):
        return Reference(self.build, mode)

    def netcap(self, *options, point=subjects.POINT, verb="skb"):
        return Netcap(self.build, self.daemon, *options, point=point, verb=verb)

    def user_code(self, kind):
        """An object of user_filter.c or user_action.c, compiled when it is first wanted."""
        made = self.build / f"tests/bench/user_{kind}.o"
        source = TOP / f"tests/bench/user_{kind}.c"
        if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
            subprocess.run([self.build / "client/netcapctl", "compile", source, "-o", made], check=True, timeout=60)
        return str(made)

    def tcpdump(self, *expression):
        return Tcpdump(self.lab, *expression)

    def flood(self, count, rate, port=DROP_PORT):
        """Packets sent, the seconds that it took, and the sender's seconds on its CPU."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.sched_setaffinity(0, self.sender_cpus)
        process = self.lab.flood(count, rate, size=self.payload, port=port, background=True)
        os.sched_setaffinity(0, self.cpus)
        sent, took = self.lab.flood_end_timed(process)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return sent, took, used


@dataclass
class Cost:
    """Of one subject, a figure per round."""
    per_run: list = field(default_factory=list)      # ns, as the kernel measures it
    per_packet: list = field(default_factory=list)   # ns of the program per captured packet
    consumer: list = field(default_factory=list)     # ns of CPU per captured packet
    captured: list = field(default_factory=list)     # share of the packets sent


def check_reference(bench):
    """The filter of the reference must match what it is for, or it is cheaper than it should be."""
    with bench.reference("per-load") as subject:
        sent, _, _ = bench.flood(1000, 10000, port=9001)
    if subject.matches < sent:
        raise Failure(f"the reference filter matched {subject.matches} of {sent} packets")


def measure_cost(bench, subject, statistics_of, count, rate, cost):
    with subject:
        time0, runs0 = statistics_of.read(subject.program)
        sent, _, _ = bench.flood(count, rate)
        subject.settle()
        time1, runs1 = statistics_of.read(subject.program)
    if runs1 - runs0 < 0.9 * sent:  # the kernel may drop some before the trace point
        raise Failure(f"{subject.name} ran {runs1 - runs0} times for {sent} packets")
    cost.per_run.append((time1 - time0) / (runs1 - runs0))
    captured = min(subject.captured, runs1 - runs0)
    cost.captured.append(min(1.0, subject.captured / sent))
    cost.per_packet.append((time1 - time0) / captured if captured else 0.0)
    cost.consumer.append(subject.cpu / captured if captured else 0.0)


def measure_costs(bench):
    """Program run times: no match in a full flood, captures at a rate that all can bear."""
    size = bench.size
    no_match = {"empty": lambda: bench.reference("empty"),
                "per-load": lambda: bench.reference("per-load"),
                "netcap": lambda: bench.netcap("-e", NO_MATCH),
                "ledger": lambda: Ledger(bench.daemon),
                "netcap mark": lambda: bench.netcap("--mark", "0x7e57"),
               "user filter": lambda: bench.netcap("--user-filter", bench.user_code("filter"))}
    capture = {"empty paced": lambda: bench.reference("empty"),
               "netcap-wakeups": lambda: bench.reference("netcap-wakeups"),
               "record": lambda: bench.reference("record"),
               "record-polled": lambda: bench.reference("record-polled"),
               "netcap all": bench.netcap,
               "user action": lambda: bench.netcap("--user-action", bench.user_code("action"))}
    costs = {name: Cost() for name in [*no_match, *capture]}
    with subjects.ProgramStatistics(bench.build) as statistics_of:
        for _ in range(size.rounds):
            for name, make in no_match.items():
                measure_cost(bench, make(), statistics_of, size.cost_packets, 0, costs[name])
            for name, make in capture.items():
                measure_cost(bench, make(), statistics_of, size.cost_packets // 3,
                             size.capture_rate, costs[name])
    return costs


def net(costs, name, empty="empty"):
    """Per run, above the empty program in the same round."""
    return [a - b for a, b in zip(costs[name].per_run, costs[empty].per_run, strict=True)]


def net_captured(costs, name):
    """Per captured packet, above the empty program in the same round."""
    empty = costs["empty paced"].per_run
    return [a - b for a, b in zip(costs[name].per_packet, empty, strict=True)]


def cost_rows(costs):
    no_match, per_load = net(costs, "netcap"), net(costs, "per-load")
    filter_ratio = ratios(no_match, per_load)
    ledger = net(costs, "ledger")
    wakeups, captured = net_captured(costs, "netcap-wakeups"), net_captured(costs, "netcap all")
    capture_ratio = ratios(captured, wakeups)
    return [
        Row("Time in the program, ns per hit above an empty one"),
        Row("no match; reference: a probe read per load", spread(no_match), spread(per_load), "",
            spread(filter_ratio, 2),
            verdict(statistics.median(filter_ratio), NO_MATCH_LIMIT, f"<= {NO_MATCH_LIMIT}")),
        Row("  of which without any filter (--mark)", spread(net(costs, "netcap mark"))),
        Row("counted by the drop ledger, per drop", spread(ledger), "", "", "",
            verdict(statistics.median(ledger), LEDGER_LIMIT_NS, f"<= {LEDGER_LIMIT_NS}")),
        Row("no match by a user's filter of one line (skb->mark == 0x7e57)", spread(net(costs, "user filter"))),
        Row("captured; reference: the same, default wake-ups", spread(captured), spread(wakeups),
            "", spread(capture_ratio, 3),
            verdict(statistics.median(capture_ratio), CAPTURE_LIMIT, f"<= {CAPTURE_LIMIT}")),
        Row("  reference: bare 304-byte record, default wake-ups", "",
            spread(net_captured(costs, "record"))),
        Row("  reference: bare 304-byte record, no wake-ups", "",
            spread(net_captured(costs, "record-polled"))),
        Row("captured, with a user's action of six fields", spread(net_captured(costs, "user action"))),
        Row("  packets captured of those sent, %",
            spread([100 * v for v in costs["netcap all"].captured], 1),
            spread([100 * v for v in costs["netcap-wakeups"].captured], 1)),
    ]


@dataclass
class Load:
    """What tracing does to a flood, a figure per round."""
    share: list = field(default_factory=list)     # packets/s, of those with no tracer
    rate: list = field(default_factory=list)      # packets/s
    sender: list = field(default_factory=list)    # ns of the sender's CPU per packet
    consumer: list = field(default_factory=list)  # ns of CPU per captured packet
    captured: list = field(default_factory=list)  # share of the packets sent
    lost: list = field(default_factory=list)      # packets, as the subject itself says


def measure_load(bench, subject, load, free_rate, count):
    """Returns packets/s."""
    with subject:
        sent, took, used = bench.flood(count, 0)
        subject.settle()
    rate = sent / took
    load.rate.append(rate)
    load.share.append(rate / (free_rate or rate))
    load.sender.append(used / sent * 1e9)
    captured = min(subject.captured, sent)
    load.captured.append(captured / sent)
    load.lost.append(subject.lost)
    load.consumer.append(subject.cpu / captured if captured else 0.0)
    return rate


def measure_loads(bench):
    """The same flood, as fast as it goes, under each tracer."""
    traced = {"netcap": lambda: bench.netcap("-e", NO_MATCH),
              "per-load": lambda: bench.reference("per-load"),
              "tcpdump": lambda: bench.tcpdump(NO_MATCH),
              "netcap all": bench.netcap,
              "netcap-wakeups": lambda: bench.reference("netcap-wakeups"),
              "tcpdump all": bench.tcpdump}
    loads = {name: Load() for name in ["none", *traced]}
    count = bench.size.flood_packets
    for _ in range(bench.size.rounds):
        free_rate = measure_load(bench, Subject(), loads["none"], None, count)
        for name, make in traced.items():
            measure_load(bench, make(), loads[name], free_rate, count)
    return loads


def load_rows(loads):
    def columns(what, member, names, scale=1.0, digits=0):
        texts = [spread([scale * v for v in getattr(loads[name], member)], digits)
                 for name in names]
        return Row(what, *texts)
    no_match, capture = ["netcap", "per-load", "tcpdump"], ["netcap all", "netcap-wakeups",
                                                            "tcpdump all"]
    free = loads["none"]
    return [
        Row(f"Sending as fast as it goes; with no tracer {spread(free.rate)} packets/s, "
            f"{spread(free.sender)} ns of the sender's CPU each"),
        columns("no match: packets/s, % of no tracer", "share", no_match, 100),
        columns("no match: sender's CPU, ns per packet", "sender", no_match),
        columns("captured: packets/s, % of no tracer", "share", capture, 100),
        columns("captured: sender's CPU, ns per packet", "sender", capture),
        columns("captured: reader's CPU, ns per captured packet", "consumer", capture),
        columns("captured: packets captured of those sent, %", "captured", capture, 100, 1),
    ]


def try_step(bench, make, rate):
    """Packets/s as sent if nothing was lost, else 0. Two tries: a machine has other work, too."""
    for _ in range(2):
        with make() as subject:
            sent, took, _ = bench.flood(int(rate * bench.size.step_seconds), rate)
            subject.settle()
        if not subject.lost and subject.captured >= sent:
            return sent / took
    return 0.0


def lossless_rate(bench, make):
    """The highest step at which nothing was lost, in packets/s; and was that all there is?"""
    best = 0.0
    for rate in bench.size.steps:
        reached = try_step(bench, make, rate)
        if not reached:
            return best, False
        best = max(best, reached)
        if reached < 0.8 * rate:  # more than that this machine cannot send
            break
    return best, True


def measure_lossless(bench):
    """Both only see the receiver: what else goes on in this machine costs neither anything."""
    found = {"netcap": [], "tcpdump": []}
    for _ in range(bench.size.step_passes):
        found["netcap"].append(lossless_rate(
            bench, lambda: bench.netcap("--netns", str(bench.lab.b.inode))))
        found["tcpdump"].append(lossless_rate(bench, bench.tcpdump))
    return found


def lossless_row(found):
    texts = [spread([rate for rate, _ in found[name]]) +
             (" or more" if all(last for _, last in found[name]) else "")
             for name in ("netcap", "tcpdump")]
    return Row("highest rate without loss, packets/s", texts[0], "", texts[1])


def measure_starts(bench):
    plain, filtered, tcpdump, reference = [], [], [], []
    for _ in range(bench.size.starts):
        plain.append(subjects.session_start(bench.daemon))
        filtered.append(subjects.session_start(bench.daemon, filter=NO_MATCH))
        reference.append(subjects.object_start(bench.build))
    for _ in range(min(5, bench.size.starts)):
        with bench.tcpdump(NO_MATCH) as subject:
            pass
        tcpdump.append(subject.start_ms)
    return plain, filtered, tcpdump, reference, subjects.kernel_floor(bench.build, bench.size.starts)


def start_rows(times):
    plain, plain_load, plain_cpu = zip(*times[0])
    filtered, filtered_load, filtered_cpu = zip(*times[1])
    tcpdump, reference = times[2], times[3]
    ring, least, additions = zip(*times[4])

    def text(values):
        return f"{spread(values, 1)}, 95%: {percentile(values, 0.95):.1f}"

    def load_row(what, values):
        shares = ratios(values, reference)
        return Row(f"to the call that attaches, {what}; reference: a libbpf object", spread(values, 1),
                   spread(reference, 1), "", spread(shares, 2),
                   verdict(statistics.median(shares), LOAD_LIMIT, f"<= {LOAD_LIMIT}"))
    limit = f"95% <= {START_LIMIT_MS}"
    return [Row(f"Starting a session, ms ({len(plain)} times; of tcpdump until it listens)"),
            load_row("without a filter", plain_load), load_row("with a filter", filtered_load),
            Row("  the kernel's share at least: a ring; a program of two instructions; of 1,000 additions", "",
                "; ".join(spread(part, 1) for part in (ring, least, additions))),
            Row("to the first possible packet, without a filter", text(plain), "", "", "",
                verdict(percentile(plain, 0.95), START_LIMIT_MS, limit)),
            Row("to the first possible packet, with a filter", text(filtered), "", spread(tcpdump, 1), "",
                verdict(percentile(filtered, 0.95), START_LIMIT_MS, limit)),
            Row("daemon's CPU, start to end, without a filter", spread(plain_cpu, 1)),
            Row("daemon's CPU, start to end, with a filter", spread(filtered_cpu, 1))]


def idle_figures(pids, size):
    time.sleep(size.settle_seconds)
    before = subjects.sleeps(pids)
    time.sleep(size.idle_seconds)
    return subjects.resident_kib(pids), subjects.sleeps(pids) - before


def measure_idle(bench):
    """Memory and wake-ups while no packet comes: daemon alone, with a session, tcpdump."""
    daemon = [bench.daemon.pid, *descendants(bench.daemon.pid)]
    alone = idle_figures(daemon, bench.size)
    with bench.netcap("-e", NO_MATCH) as subject:
        session = idle_figures([*daemon, subject.process.pid], bench.size)
    with bench.tcpdump(NO_MATCH) as subject:
        tcpdump = idle_figures([subject.process.pid], bench.size)
    return alone, session, tcpdump


def idle_rows(idle, seconds):
    alone, session, tcpdump = idle
    return [Row(f"Idle, {seconds:g} s"),
            Row("netcapd without a session: RSS, KiB", f"{alone[0]:,}", "", "", "",
                verdict(alone[0], IDLE_LIMIT_KIB, f"<= {IDLE_LIMIT_KIB:,}")),
            Row("netcapd without a session: wake-ups", f"{alone[1]:,}", "", "", "",
                verdict(alone[1], 0, "0")),
            Row("one session that matches nothing, and its reader: RSS, KiB", f"{session[0]:,}", "",
                f"{tcpdump[0]:,}"),
            Row("one session that matches nothing, and its reader: wake-ups", f"{session[1]:,}", "",
                f"{tcpdump[1]:,}")]


def run(bench):
    start = time.monotonic()

    def phase(text):
        print(f"bench: {time.monotonic() - start:3.0f} s: {text} ...", file=sys.stderr, flush=True)
    check_reference(bench)
    phase("idle")  # first, before sessions have left their memory behind
    idle = measure_idle(bench)
    phase("session starts")
    starts = measure_starts(bench)
    phase("time in the programs")
    costs = measure_costs(bench)
    phase("time that options take")
    options = optioncosts.measure_options(bench)
    phase("ways of packets")
    ways = gathercosts.measure_ways(bench, lossless_rate)
    phase("functions and probes of processes")
    processes = usercosts.measure_processes(bench)
    phase("the flood under each tracer")
    loads = measure_loads(bench)
    phase("rates without loss")
    lossless = measure_lossless(bench)
    print(f"netcapd bench: {subjects.describe_machine()}; {bench.size.rounds} rounds; UDP packets "
          f"of {PAYLOAD + 42} bytes\nFigures are medians, with quartiles in parentheses.")
    print_table([*cost_rows(costs), *optioncosts.option_rows(options), *gathercosts.way_rows(ways),
                 *usercosts.process_rows(processes),
                 *load_rows(loads), lossless_row(lossless), *start_rows(starts), *idle_rows(idle, bench.size.idle_seconds)])


def split_cpus():
    """One CPU for the sender, the rest for those who read, so that each is disturbed alike."""
    available = sorted(os.sched_getaffinity(0))
    return {available[0]}, set(available[1:] or available)


@contextlib.contextmanager
def daemon_in(build, directory, config):
    daemon = Daemon(build, directory, config=config)
    try:
        yield daemon
    finally:
        if daemon.stop() != 0:
            raise Failure(f"netcapd did not end well:\n{daemon.err}")


def build_directory():
    return pathlib.Path(os.environ.get("NETCAP_BUILD", TOP / "build-bench")).resolve()


def measure(run_all, size, payload=PAYLOAD, pinned=True, config="{}"):
    """
    Calls run_all(bench) with a lab and a daemon, and takes both away again, whatever happens.
    pinned: the sender has a CPU of its own. config: the daemon's.
    """
    build = build_directory()
    sender_cpus, cpus = split_cpus() if pinned else [os.sched_getaffinity(0)] * 2
    os.sched_setaffinity(0, cpus)
    os.nice(PRIORITY)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))
    adopt_orphans()
    lab = Lab(str(build / "tests/integration/flood"), "")
    try:
        lab.configure()
        with tempfile.TemporaryDirectory(prefix="netcap-bench-") as directory, \
                daemon_in(build, pathlib.Path(directory), config) as daemon:
            run_all(Bench(build, lab, daemon, size, cpus, sender_cpus, payload))
    except (Failure, AssertionError, OSError, SubprocessError, varlink.Error,
            varlink.Closed) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit("bench: interrupted")
    finally:
        kill_children()
        lab.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true",
                        help="much less of everything: does it run, never mind the figures")
    measure(run, QUICK if parser.parse_args().quick else Size())


if __name__ == "__main__":
    main()
