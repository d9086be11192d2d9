# SPDX-License-Identifier: BSD-2-Clause
"""
The ways to ask netcapd how many packets of a kind were dropped: each a class, used as a context manager
before the drops are made. packets(kind) is what it has told of lab.b so far, finish() ends the telling.
"""
import contextlib
import json
import re
import socket

from droptraffic import CLOSED_PORT, function_of
from journal import Journal
from lab import DEVICE
from netcap import wait_until

BY = ("reason", "location", "dev", "netns", "proto")
METRIC = "netcap_drops_packets_total"
JOURNAL_CONFIG = '{"journal": {"interval": 10, "linesPerMinute": 6000}}'


def ask(client, *options):
    done = client.run("drops", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask_json(client, *options):
    return json.loads(ask(client, "--json", *options))


def drop_entries(entries):
    """Those of the journal on drops."""
    return [entry for entry in entries if entry["MESSAGE_ID"].startswith("DROP")]


class View:
    def __init__(self, daemon, client, lab):
        self.daemon, self.client, self.lab, self.netns = daemon, client, lab, lab.b.inode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def wait(self, kind, count):
        """Until so many are told, or none can be missing any more."""
        wait_until(lambda: self.packets(kind) >= count, 5)

    def finish(self):
        """From now on packets() is the last word."""

    def sum_rows(self, kind, rows):
        return sum(row["packets"] for row in rows if kind.matches(row, self.netns))


class Json(View):
    def packets(self, kind):
        return self.sum_rows(kind, ask_json(self.client)["rows"])


class Table(View):
    """Its rows are not told apart by protocols and ports."""

    def packets(self, kind):
        lines = [line.split() for line in ask(self.client).splitlines()]
        title = ["REASON", "WHERE", "DEVICE", "NETNS", "PACKETS"]
        assert not lines or len(lines) == 1 or lines[0][:5] == title, lines
        return sum(int(line[4]) for line in lines if len(line) > 5
                   and line[0] == (kind.expected_reason() or "-") and line[2:4] == [DEVICE, str(self.netns)]
                   and function_of(line[1]) in kind.functions)


def group_of(by):
    """What rows with the same value of are one with --by: a function of a row."""
    members = {"reason": ("subsystem", "reason"), "location": ("location",), "dev": ("device", "ifindex", "netns"),
               "netns": ("netns",), "proto": ("protocol", "transport")}[by]
    return lambda row: tuple(row[member] for member in members)


class By(View):
    """
    Sums over more than a kind, and some of them over more than this test's namespaces: each must be the sum of the
    rows of the full table right before and right after it.
    """

    def sums(self, by):
        """The full table's rows, and of each group (sum, what --by says); None: there were drops meanwhile."""
        before, grouped, after = ask_json(self.client), ask_json(self.client, "--by", by), ask_json(self.client)
        if before["packets"] != after["packets"]:
            return None
        group, sums = group_of(by), {}
        for row in before["rows"]:
            sums[group(row)] = sums.get(group(row), 0) + row["packets"]
        said = {group(row): row["packets"] for row in grouped["rows"]}
        assert len(said) == len(grouped["rows"]) and said.keys() <= sums.keys(), f"--by {by}: {grouped['rows']}"
        return before["rows"], {name: (count, said.get(name, 0)) for name, count in sums.items()}

    def packets(self, kind):
        """The number that all agree on."""
        counts = set()
        for by in BY:
            both = next(filter(None, (self.sums(by) for _ in range(50))), None)
            assert both, "there were new drops each time that all were counted"
            rows, sums = both
            for name, (count, said) in sums.items():
                assert count == said, f"--by {by} says {said} of {name}, whose rows have {count}"
            counts.add(self.sum_rows(kind, rows))
        return counts.pop() if len(counts) == 1 else 0


class Follow(View):
    def __enter__(self):
        self.process = self.client.start("drops", "--follow", "--json")
        assert wait_until(self.hears, 15, 0.2), self.process.err
        return self

    def hears(self):
        """Whether it shows drops already, of a kind that is none of those that are counted."""
        self.lab.send_udp(b"x", port=CLOSED_PORT, family=socket.AF_INET6)
        return "udp" in self.process.out

    def packets(self, kind):
        whole = self.process.out.rpartition("\n")[0]
        return sum(self.sum_rows(kind, json.loads(line)["rows"]) for line in whole.splitlines())

    def finish(self):
        assert self.process.interrupt() == 0, self.process.err


class Metrics(View):
    def packets(self, kind):
        done = self.client.run("metrics")
        assert done.returncode == 0, done.stderr
        total = 0
        for labels, value in re.findall(rf"^{METRIC}\{{(.*)\}} (\d+)", done.stdout, re.MULTILINE):
            labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels))
            if (labels["reason"], labels["device"], labels["netns"]) == (kind.expected_reason(), DEVICE,
                                                                       str(self.netns)):
                total += int(value)
        return total


class JournalSummary(View):
    """A daemon of its own. Summaries have every packet once; the first ones that were seen are in them, too."""

    def __enter__(self):
        directory = self.client.directory / "journal"
        directory.mkdir()
        journal = Journal(directory)
        build = self.client.program.parents[1]
        self.own = journal.start_daemon(build, directory, config=JOURNAL_CONFIG)
        self.reading = contextlib.ExitStack()
        self.reading.callback(journal.close)
        self.entries = self.reading.enter_context(journal.read_along())
        return self

    def __exit__(self, *_):
        if self.own.alive:
            self.own.kill()
        self.reading.close()

    def packets(self, kind):
        return sum(int(entry["NETCAP_PACKETS"]) for entry in self.entries
                   if entry["MESSAGE_ID"] == "DROP_SUMMARY" and self.is_of(entry, kind))

    def is_of(self, entry, kind):
        return ((entry.get("NETCAP_REASON", ""), entry.get("NETCAP_DEVICE"), entry.get("NETCAP_NETNS"))
                == (kind.expected_reason(), DEVICE, str(self.netns))
                and function_of(entry["NETCAP_LOCATION"]) in kind.functions)

    def wait(self, kind, count):
        """The summary comes at the end. Until the first ones are told: the place has its name then."""
        wait_until(lambda: any(entry["MESSAGE_ID"] == "DROP_SEEN" and self.is_of(entry, kind)
                               for entry in list(self.entries)), 10)

    def finish(self):
        """The daemon's end tells what is left."""
        assert self.own.stop() == 0
        self.reading.close()
        drops = drop_entries(self.entries)
        assert not [e for e in drops if e["MESSAGE_ID"] == "DROPS_SUPPRESSED" or "NETCAP_JOURNAL_LOST" in e], drops


VIEWS = (Json, Table, By, Follow, Metrics, JournalSummary)
