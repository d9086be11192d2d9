# SPDX-License-Identifier: BSD-2-Clause
"""Every packet's metadata directly follows that packet's own lines, at rate, with any tcpdump flags.

Packet N carries the mark N, which only the metadata shows, and its number and its length, which
only tcpdump's lines show.
"""
import re

import pytest

from netcap import wait_until

QUEUE = "tracepoint:net:net_dev_queue"
PORT = 9001
COUNT = 4001
RATE = 10000
SIZE = 64
HEAD = re.compile(r"^\d\d:\d\d:\d\d\.\d{6} ")
META = re.compile(rf"^    {QUEUE} dev veth0\(\d+\) netns \d+ cpu \d+ pid \d+ \(flood\) mark (0x[0-9a-f]+)$")
STACK = re.compile(r"^        [A-Za-z_][\w.]*(\+0x[0-9a-f]+)?$")
HEX = re.compile(r"^\t0x([0-9a-f]{4}):  ((?:[0-9a-f]{2,4} ?)+) ")


def groups(text):
    """The lines from one packet's head to the next one's."""
    found = []
    for line in text.splitlines():
        if HEAD.match(line):
            found.append([])
        assert found, f"output before the first packet: {line!r}"
        found[-1].append(line)
    return found


def split(group):
    """tcpdump's lines, the mark in the metadata line, and the lines behind that."""
    places = [i for i, line in enumerate(group) if QUEUE in line]
    assert len(places) == 1, f"not one line of metadata: {group}"
    match = META.match(group[places[0]])
    assert match, f"metadata inside another line: {group[places[0]]!r}"
    return group[:places[0]], int(match.group(1), 16), group[places[0] + 1:]


def check_ascii(lines, number):
    assert f"#{number:08d}#" in "".join(lines), lines


def check_hex(lines, number):
    data = bytes.fromhex("".join(m.group(2) for m in map(HEX.match, lines) if m))
    assert f"#{number:08d}#".encode() in data, lines


def check_head(lines, number):
    assert len(lines) == 1, lines


CHECKS = {"-A": check_ascii, "-nnvvXX": check_hex, "-e": check_head}


@pytest.mark.parametrize("flags", CHECKS)
@pytest.mark.parametrize("stack", [False, True], ids=["plain", "stack"])
def test_metadata_stays_with_its_packet(client, daemon, lab, flags, stack):
    process = client.start("skb", "-f", QUEUE, "-t", flags, "-c", COUNT, "--ring-size", "32M", "-e",
                           lab.expression(f"udp dst port {PORT}"), *(["-S"] if stack else []))
    daemon.wait_sessions()
    lab.flood(COUNT, RATE, size=SIZE, port=PORT, mark=True)
    assert process.wait(60) == 0, process.err
    packets = groups(process.out)
    assert len(packets) == COUNT, process.err
    for number, group in enumerate(packets, start=1):
        lines, mark, rest = split(group)
        assert mark == number, "packets are missing or out of order"
        CHECKS[flags](lines, number)
        assert f"length {SIZE + number % 256}" in " ".join(lines), lines
        assert bool(rest) == stack
        assert all(STACK.match(line) for line in rest), rest


def test_one_packet_at_a_time(client, daemon, lab):
    """At low rates too a packet's lines do not wait for the next packet."""
    process = client.start("skb", "-f", QUEUE, "-t", "-A", "-e",
                           lab.expression(f"udp dst port {PORT}"))
    daemon.wait_sessions()
    for number in range(1, 4):
        lab.flood(1, 0, size=SIZE, port=PORT, mark=True)
        assert wait_until(lambda: process.out.count(f"    {QUEUE} ") == number, 5), process.out
    assert process.interrupt() == 0, process.err
