# SPDX-License-Identifier: BSD-2-Clause
"""Packets' ways through four tracepoints, beside the same session without --gather: rows for bench.py."""
from dataclasses import dataclass, field

from figures import Row, ratios, spread
from lab import DROP_PORT
from optioncosts import above_empty, empty_run
from subjects import Failure, Netcap, ProgramStatistics

POINTS = ("tracepoint:net:net_dev_queue", "tracepoint:net:net_dev_start_xmit",
          "tracepoint:net:netif_receive_skb", "tracepoint:skb:kfree_skb")
MATCH = f"udp and port {DROP_PORT}"
OFFERED = 200000  # packets/s, each of which is at all of the points
SUBJECTS = {"apart": (), "gather": ("--gather",), "histogram": ("--histogram",)}
HEADING = f"Ways through four tracepoints, {OFFERED:,} packets/s offered; reference: without --gather"


class Ways(Netcap):
    """At all points; a packet counts once, and none may be without account."""

    def __init__(self, bench, *options):
        super().__init__(bench.build, bench.daemon, "-e", MATCH, "--ring-size", "16M", *options,
                         point=",".join(POINTS))
        if "--histogram" in options:  # it writes no packets
            at = self.argv.index("-w")
            del self.argv[at:at + 2]

    def __exit__(self, *_):
        super().__exit__()
        self.events = self.captured + self.lost
        self.captured //= len(POINTS)


@dataclass
class Figures:
    """Of one subject, a figure per round."""
    program: list = field(default_factory=list)   # ns in the programs per hit, above an empty one
    rate: list = field(default_factory=list)      # packets/s that went through
    consumer: list = field(default_factory=list)  # ns of CPU of daemon and client per packet
    captured: list = field(default_factory=list)  # share of the packets sent


def flood(bench, subject, count, figures):
    with subject:
        sent, took, _ = bench.flood(count, OFFERED)
        subject.settle()
    if subject.events != sent * len(POINTS):
        raise Failure(f"{subject.name} accounts for {subject.events} of {sent * len(POINTS)} events")
    figures.rate.append(sent / took)
    figures.consumer.append(subject.cpu / sent)
    figures.captured.append(subject.captured / sent)


def measure_ways(bench, lossless_rate):
    """lossless_rate: that of bench.py."""
    found = {name: Figures() for name in SUBJECTS}
    size = bench.size
    with ProgramStatistics(bench.build) as statistics_of:
        for _ in range(size.rounds):
            empty = empty_run(bench, statistics_of, size.cost_packets // 2)
            for name, options in SUBJECTS.items():
                found[name].program.append(above_empty(
                    statistics_of, Ways(bench, *options), empty,
                    lambda: bench.flood(size.cost_packets // 6, size.capture_rate)[0]) / len(POINTS))
    for _ in range(size.rounds):
        for name, options in SUBJECTS.items():
            flood(bench, Ways(bench, *options), size.flood_packets, found[name])
    lossless = {name: [lossless_rate(bench, lambda o=options: Ways(bench, *o)) for _ in range(size.step_passes)]
                for name, options in SUBJECTS.items()}
    return found, lossless


def way_rows(measured):
    found, lossless = measured
    gather, apart, histogram = found["gather"], found["apart"], found["histogram"]

    def row(what, member, scale=1.0, digits=0):
        of_gather, of_apart = ([scale * v for v in getattr(f, member)] for f in (gather, apart))
        return Row(what, spread(of_gather, digits), spread(of_apart, digits), "", spread(ratios(of_gather, of_apart), 2))

    def rate(name):
        return spread([r for r, _ in lossless[name]]) + (" or more" if all(last for _, last in lossless[name]) else "")
    return [Row(HEADING),
            row("packets/s that go through", "rate"),
            row("reader's CPU, ns per packet", "consumer"),
            row("packets captured of those sent, %", "captured", 100, 1),
            row("in the programs, ns per hit above an empty one", "program"),
            Row("highest rate without loss, packets/s", rate("gather"), rate("apart")),
            Row("--histogram: packets/s that go through", spread(histogram.rate)),
            Row("--histogram: in the programs, ns per hit above an empty one", spread(histogram.program)),
            Row("--histogram: reader's CPU, ns per packet", spread(histogram.consumer))]
