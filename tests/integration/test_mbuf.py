# SPDX-License-Identifier: BSD-2-Clause
"""Packets that functions and USDT probes of a process have as mbufs of DPDK: netcapctl mbuf."""
import re
import struct

import pytest

from netcap import wait_until
from test_bad_input import FAILED, USAGE, assert_one_sentence
from usercode import EXAMPLES
from userland import Capturing, Paced, assert_text_is, from_source, packet_bytes, stripped, symbols, text_of

K = 101
SIZE = 150
BURST, ONE, RECEIVE = "burst@1@2", "one@1", "uretprobe:receive@2"
# struct rte_mbuf of DPDK 22.11 on x86-64
LAYOUT = ("buf_addr=0,data_off=16,port=22,ol_flags=24,pkt_len=36,data_len=40,vlan_tci=42,vlan_tci_outer=52,next=64")


@pytest.fixture
def program(build):
    path = build / "tests/integration/mbufprog"
    if not path.exists():
        pytest.skip("mbufprog is not built: libdpdk, or the header sys/sdt.h, is missing")
    return path


@pytest.fixture
def process(program, daemon):
    with Paced(program) as process:
        yield process
        assert process.end() == 0, "the process did not end well"


@pytest.fixture
def capturing(client, daemon, tmp_path):
    def start(*argv, verb="mbuf"):
        return Capturing(client, daemon, tmp_path, verb, *argv)
    return start


def tagged(frame, *tags):
    """With tags, outermost first: pairs of their protocol and their value."""
    return frame[:12] + b"".join(struct.pack("!HH", *tag) for tag in tags) + frame[12:]


@pytest.mark.parametrize("points", [
    ((ONE, "one"), ("one", "one"), ("usdt:netcapdpdk:one@1", "probe"), ("usdt:one@1", "probe")),
    ((BURST, "burst"), (RECEIVE, "receive"), ("usdt:netcapdpdk:burst@1@2", "probes")),
], ids=["one at a time", "arrays"])
def test_points(process, capturing, points):
    """Each packet is an event, with all of its bytes, in order."""
    before, made = text_of(process.pid), 0
    process.set("port", 7)
    for point, command in points:
        for burst in (1, 32, 512) if command in ("burst", "receive", "probes") else (0,):
            with capturing("-f", point, "--pid", process.pid) as session:
                assert process.send(command, K, SIZE, burst) == K
            packets = session.expect(K)
            assert [p.data for p in packets] == [packet_bytes(made + i, SIZE) for i in range(K)]
            assert session.counts["hits"] == K
            assert {p.meta["dev"] for p in packets} == {"port7"}
            assert {int(p.meta["pid"]) for p in packets} == {process.pid}
            made += K
    assert_text_is(before, process.pid)


@pytest.mark.parametrize("point, command", [(ONE, "one"), (BURST, "burst"), (RECEIVE, "receive")])
def test_filter(process, capturing, point, command):
    with capturing("-f", point, "--pid", process.pid, "-e", "udp src port 1002") as session:
        process.send(command, K, SIZE)
    session.expect(from_source(0, K, 1002))
    assert session.counts["hits"] == K


def test_device(process, capturing):
    """-i asks for a port of DPDK."""
    with capturing("-f", BURST, "--pid", process.pid, "-i", "port3") as session:
        for port, count in ((2, 7), (3, 11), (31, 13)):
            process.set("port", port)
            process.send("burst", count, SIZE)
    session.expect(11)


@pytest.mark.parametrize("pieces, size", [(2, SIZE), (3, 3001), (16, 9000)])
def test_chained(process, capturing, pieces, size):
    """Pieces are put together, and a filter reads across their ends."""
    process.set("segments", pieces)
    with capturing("-f", BURST, "--pid", process.pid, "--capture-max-size", 9000,
                   "-e", f"udp[8 + 64] = {(42 + 64) & 255} or udp") as session:
        assert process.send("burst", 31, size) == 31
    packets = session.expect(31)
    assert [p.data for p in packets] == [packet_bytes(i, size) for i in range(31)]
    assert {p.wire_len for p in packets} == {size}


def test_filter_in_a_later_piece(process, capturing):
    """The first piece of 16 has 37 bytes, which is not even the ports."""
    process.set("segments", 16)
    with capturing("-f", BURST, "--pid", process.pid, "-e", "udp src port 1001") as session:
        process.send("burst", K, 600)
    session.expect(from_source(0, K, 1001))


@pytest.mark.parametrize("words, tags", [
    (("vlan", 0x6064), [(0x8100, 0x6064)]),
    (("txvlan", 5), [(0x8100, 5)]),
    (("qinq", 0x2005, 0x4006), [(0x88A8, 0x4006), (0x8100, 0x2005)]),
], ids=lambda value: str(value[0]))
def test_tags(process, capturing, words, tags):
    """Tags that DPDK keeps beside the packet are where they belong, for filters as well."""
    process.set(*words)
    expression = " and ".join(f"vlan {tag & 0xFFF}" for _, tag in tags)
    with capturing("-f", BURST, "--pid", process.pid, "-e", expression + " and ip and udp") as session:
        process.send("burst", K, SIZE)
        process.set("plain")
        process.send("burst", K, SIZE)
    packets = session.expect(K)
    assert [p.data for p in packets] == [tagged(packet_bytes(i, SIZE), *tags) for i in range(K)]
    assert {p.wire_len for p in packets} == {SIZE + 4 * len(tags)}


def test_user_action(process, capturing):
    """The mbuf's address is what the action gets, and its values are in the comment of each packet."""
    with capturing("-f", BURST, "--pid", process.pid, "--ext-action", EXAMPLES / "mbuf_action.c") as session:
        process.send("burst", K, SIZE, 32)
    values = [p.meta["user"] for p in session.expect(K)]
    assert all(re.fullmatch("mbuf:0x[0-9a-f]{8,};id:7;trace_index:0", value) for value in values), values[0]
    assert len(set(values[:32])) == 32, "each packet of a burst has an mbuf of its own"


def test_user_filter(process, capturing, tmp_path):
    """A plain read is one of the process' memory here."""
    (tmp_path / "filter.c").write_text(
        "struct my_mbuf { char before[36]; uint32_t pkt_len; };\n"
        "static inline int xcap_user_filter(void *ctx, void *pkt, u16 trace_index)\n"
        "{ return ((struct my_mbuf *)pkt)->pkt_len > 100; }\n")
    with capturing("-f", ONE, "--pid", process.pid, "--user-filter", tmp_path / "filter.c") as session:
        process.send("one", 7, 100)
        process.send("one", K, SIZE)
    assert {p.wire_len for p in session.expect(K)} == {SIZE}
    assert session.counts["filtered"] == 7


def test_length_that_lies(process, capturing):
    """What can be read of the array is shown, and the rest is said to have been left out."""
    with capturing("-f", BURST, "--pid", process.pid) as session:
        assert process.send("lie", 3, 60000) == 3
        process.send("burst", 7, SIZE)
    assert [p.data for p in session.expect(10)] == (
        [packet_bytes(i, 60) for i in range(3)] + [packet_bytes(i, SIZE) for i in range(3, 10)])
    assert "59488" in session.text  # of 60000 packets, 512 are looked at


def test_memory_that_is_not_there(process, capturing):
    """No mbuf, a wild one, and one whose bytes are not there: counted, and the others are shown."""
    with capturing("-f", f"{BURST},{ONE}", "--pid", process.pid) as session:
        process.send("burst", 7, SIZE)
        process.send("wild", 5)
        process.send("absent")
        process.send("burst", 11, SIZE)
    packets = session.expect(7 + 5 + 11)
    assert [len(p.data) for p in packets] == [SIZE] * 7 + [60] * 5 + [SIZE] * 11
    assert f"{2 * 5 + 1} packets in user space could not be read" in session.text


def test_calls_that_had_begun(process, capturing):
    """At a return, the array is the one that this call was given."""
    with capturing("-f", f"{RECEIVE},{BURST}", "--pid", process.pid) as session:
        for _ in range(31):
            process.send("receive", 3, SIZE, 2)
            process.send("burst", 2, SIZE)
    packets = session.expect(31 * 5)
    assert [p.data for p in packets] == [packet_bytes(i, SIZE) for i in range(31 * 5)]


@pytest.mark.parametrize("options, works", [([], True), (["--mbuf-layout", LAYOUT], True)], ids=["version", "given"])
def test_layout_without_types(program, capturing, tmp_path, options, works):
    """A file without DWARF: the layout is that of the DPDK that the process uses, or the one that is given."""
    address = symbols(program)["burst"]
    with Paced(stripped(program, tmp_path / "stripped", False)) as process:
        with capturing("-f", f"{address:#x}@1@2", "--pid", process.pid, *options) as session:
            process.set("vlan", 100)
            process.send("burst", K, SIZE)
        assert [p.data for p in session.expect(K)] == [tagged(packet_bytes(i, SIZE), (0x8100, 100)) for i in range(K)]
        assert process.end() == 0


def test_another_layout(process, capturing):
    """The layout that is given is the one that is used."""
    swapped = LAYOUT.replace("vlan_tci=42,vlan_tci_outer=52", "vlan_tci=52,vlan_tci_outer=42")
    process.set("qinq", 5, 6)
    process.set("vlan", 5)
    with capturing("-f", ONE, "--pid", process.pid, "--mbuf-layout", swapped) as session:
        process.send("one", 7, SIZE)
    assert {p.data[14:16] for p in session.expect(7)} == {b"\0\0"}


WRONG = [
    (["-f", "burst@1@2@3"], USAGE, ["burst@1@2@3"]),
    (["-f", "usdt:netcapdpdk:one@1@2"], FAILED, ["netcapdpdk:one", "1"]),
    (["-f", ONE, "--mbuf-layout", "buf_addr=0"], USAGE, ["data_off"]),
    (["-f", ONE, "--mbuf-layout", LAYOUT.replace("16", "x")], USAGE, ["data_off"]),
    (["-f", "uretprobe:nosuch@2"], FAILED, ["nosuch"]),
]


def test_command_line(client, process):
    for arguments, status, parts in WRONG:
        done = client.run("mbuf", *arguments, "--pid", process.pid)
        assert_one_sentence(done.stderr, *parts)
        assert done.returncode == status, done.stderr


def test_rate(process, capturing, daemon):
    """A steady stream, while others come and go at the same function."""
    with capturing("-f", ONE, "--pid", process.pid) as session:
        process.tell("one", 5003, SIZE, 5000)
        assert wait_until(lambda: daemon.sessions()[0]["counters"]["captured"] > 1000)
        assert process.answer("sent")[0] == 5003
    session.expect(5003)
