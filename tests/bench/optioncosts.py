# SPDX-License-Identifier: BSD-2-Clause
"""What options cost at each packet: rows for the tables of bench.py and functions.py."""
import contextlib
import pathlib
import subprocess
import tempfile

from figures import Row, spread
from lab import DEVICE, DROP_PORT
from netcap import bpftool
from subjects import NO_MATCH, Failure, ProgramStatistics

POINT = "tracepoint:net:net_dev_queue"  # packets of a socket, as headers are made of one
MATCH = f"udp and port {DROP_PORT}"
OPTIONS = ((), ("--fake-hdr=always",), ("--inner",), ("--track",), ("--skb-data",))

OUTPUT = "ip_output"     # in the guest; the same for functions
INPUT = "ip_rcv"
XDP_PORT = 9001          # whose packets xdpports.bpf.c drops
XDP_PROGRAM = "xdp_by_port"


def totals(statistics_of, programs):
    """Nanoseconds and runs of all of them."""
    figures = [statistics_of.read(program) for program in programs]
    return [sum(values) for values in zip(*figures, strict=True)]


def above_empty(statistics_of, subject, empty, flood):
    """
    Nanoseconds per packet in all programs of the session, but for what so many runs of an empty one take: a session
    that follows packets has more than one program. flood: sends, and returns how many packets.
    """
    with subject:
        time0, runs0 = totals(statistics_of, subject.programs)
        sent = flood()
        subject.settle()
        time1, runs1 = totals(statistics_of, subject.programs)
    if runs1 - runs0 < 0.9 * sent:
        raise Failure(f"{subject.name} ran {runs1 - runs0} times for {sent} packets")
    return (time1 - time0 - (runs1 - runs0) * empty) / sent


def empty_run(bench, statistics_of, count):
    with bench.reference("empty") as subject:
        time0, runs0 = statistics_of.read(subject.program)
        bench.flood(count, 0)
        time1, runs1 = statistics_of.read(subject.program)
    return (time1 - time0) / max(1, runs1 - runs0)


def measure_options(bench):
    """Option to lists of ns per packet: no match, and captured at a rate at which nothing is lost."""
    size = bench.size
    found = {options: ([], []) for options in OPTIONS}
    with ProgramStatistics(bench.build) as statistics_of:
        for _ in range(max(1, size.rounds - 2)):
            empty = empty_run(bench, statistics_of, size.cost_packets // 2)
            for options, (no_match, captured) in found.items():
                no_match.append(above_empty(
                    statistics_of, bench.netcap("-e", NO_MATCH, *options, point=POINT), empty,
                    lambda: bench.flood(size.cost_packets // 2, 0)[0]))
                captured.append(above_empty(
                    statistics_of, bench.netcap("-e", MATCH, *options, point=POINT), empty,
                    lambda: bench.flood(size.cost_packets // 6, size.capture_rate)[0]))
    return found


def option_rows(found):
    rows = [Row("Options, ns in the programs per packet above an empty one, at net_dev_queue")]
    for options, (no_match, captured) in found.items():
        name = " ".join(options) or "without"
        rows += [Row(f"{name}: no match", spread(no_match)), Row(f"{name}: captured", spread(captured))]
    return rows


# ---- in a guest ----

@contextlib.contextmanager
def xdp_program(bench):
    """The second host's device runs a program of XDP."""
    with tempfile.TemporaryDirectory(prefix="netcap-bench-bpf-") as mount:
        pinned = pathlib.Path(mount) / "xdpports"
        subprocess.run(["mount", "-t", "bpf", "bpf", mount], check=True)
        try:
            subprocess.run(["bpftool", "prog", "loadall", str(bench.build / "tests/vm/xdpports.bpf.o"), str(pinned)],
                           check=True, capture_output=True)
            with bench.lab.b.entered():
                subprocess.run(["bpftool", "net", "attach", "xdpdrv", "pinned", str(pinned / XDP_PROGRAM), "dev",
                                DEVICE], check=True, capture_output=True)
            yield
        finally:
            with bench.lab.b.entered():
                subprocess.run(["bpftool", "net", "detach", "xdpdrv", "dev", DEVICE], check=False,
                               capture_output=True)
            subprocess.run(["umount", mount], check=True)


def guest_subjects(bench):
    """What the row says, to the session without a match, the one with, and the port that is flooded."""
    def pair(point, *options):
        return (lambda: bench.netcap("-e", NO_MATCH, *options, point=point),
                lambda: bench.netcap("-e", MATCH, *options, point=point), DROP_PORT)
    return {
        OUTPUT: pair(OUTPUT),
        f"{OUTPUT} --fake-hdr=always": pair(OUTPUT, "--fake-hdr=always"),
        f"{INPUT} --track": pair(INPUT, "--track"),
        f"prog:{XDP_PROGRAM}, of XDP": (
            lambda: bench.netcap("-e", MATCH, point=f"prog:{XDP_PROGRAM}", verb="xdp"),
            lambda: bench.netcap("-e", f"udp and port {XDP_PORT}", point=f"prog:{XDP_PROGRAM}", verb="xdp"), XDP_PORT)}


def guest_cost(bench, statistics_of, subject, port, count):
    """Runs of the session's programs per packet, and nanoseconds of each."""
    with subject:
        # the daemon also holds the program that is traced
        programs = [entry["id"] for entry in bpftool("prog", "show")
                    if entry["id"] in subject.programs and entry.get("name", "").startswith("netcap")]
        time0, runs0 = totals(statistics_of, programs)
        sent, _, _ = bench.flood(count, 0, port=port)
        subject.settle()
        time1, runs1 = totals(statistics_of, programs)
    return (runs1 - runs0) / sent, (time1 - time0) / max(1, runs1 - runs0)


def measure_guest_options(bench):
    found = {}
    with ProgramStatistics(bench.build) as statistics_of:
        for name, (no_match, match, port) in guest_subjects(bench).items():
            with xdp_program(bench) if port == XDP_PORT else contextlib.nullcontext():
                found[name] = [guest_cost(bench, statistics_of, make(), port, bench.size.packets // 2)
                               for make in (no_match, match)]
    return found


def guest_option_rows(found):
    """Behind those of functions.py, which have the same heading."""
    return [Row(f"{name}, {what}", f"{runs:.1f} x {ns / 1000:.1f}")
            for name, figures in found.items()
            for what, (runs, ns) in zip(("filter that matches nothing", "all captured"), figures, strict=True)]
