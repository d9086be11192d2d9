# SPDX-License-Identifier: BSD-2-Clause
"""Packets that functions and USDT probes of a process have as bytes: netcapctl raw."""
import os
import shutil
import subprocess

import pytest

from netcap import children, wait_until
from test_bad_input import FAILED, USAGE, assert_one_sentence
from test_config import NO_DAEMON, USER, directory, start  # noqa: F401 (two fixtures)
from userland import (Capturing, Paced, assert_text_is, from_source, packet_bytes, second_instruction, stripped,
                      symbols, text_of, wait_for_text)

K = 101
SIZE = 150
TAKE = "take@1@2"


@pytest.fixture
def program(build):
    path = build / "tests/integration/rawprog"
    if not path.exists():
        pytest.skip("rawprog is not built: the header sys/sdt.h is missing")
    return path


@pytest.fixture
def process(program, daemon):
    with Paced(program) as process:
        yield process
        assert process.end() == 0, "the process did not end well"


@pytest.fixture
def capturing(client, daemon, tmp_path):
    def start(*argv, verb="raw"):
        return Capturing(client, daemon, tmp_path, verb, *argv)
    return start


def expect_made(session, count, size=SIZE, first=0):
    """Exactly these packets, with every byte, in order."""
    packets = session.expect(count)
    assert [p.data for p in packets] == [packet_bytes(first + i, size) for i in range(count)]
    assert {p.wire_len for p in packets} == {size}
    return packets


def test_function(process, capturing):
    before = text_of(process.pid)
    process.send("take", 3, SIZE)  # nobody looks yet
    with capturing("-f", TAKE, "--pid", process.pid) as session:
        assert process.send("take", K, SIZE) == K
    process.send("take", 3, SIZE)
    packets = expect_made(session, K, first=3)
    assert session.counts["hits"] == K
    for packet in packets:
        assert "take" in packet.meta["point"]
        assert int(packet.meta["pid"]) == process.pid and packet.meta["comm"] == "rawprog"
        assert int(packet.meta["netns"]) == os.stat("/proc/self/ns/net").st_ino
        assert "dev" not in packet.meta
    assert_text_is(before, process.pid)


def test_filter(process, capturing):
    with capturing("-f", TAKE, "--pid", process.pid, "-e", "udp src port 1001") as session:
        process.send("take", K, SIZE)
    assert len(session.expect(from_source(0, K, 1001))) == session.counts["hits"] - session.counts["filtered"]
    assert session.counts["hits"] == K


@pytest.mark.parametrize("size, longest", [(60, 256), (300, 256), (9000, 256), (9000, 9000)])
def test_sizes(process, capturing, size, longest):
    with capturing("-f", TAKE, "--pid", process.pid, "--capture-max-size", longest, "-e", f"len = {size}") as session:
        process.send("take", 7, size)
    for number, packet in enumerate(session.expect(7)):
        assert packet.wire_len == size and packet.data == packet_bytes(number, size)[:longest]


@pytest.mark.parametrize("points", [
    (("usdt:netcapraw:packet@1@2", "probe"), ("usdt:packet@1@2", "probe"), ("usdt:netcaplib:shared@1@2", "libprobe"),
     ("usdt:netcapraw:guarded@1@2", "guarded")),
    (("lib_take@1@2", "lib"), ("librawlib.so:lib_take@1@2", "lib"), ("net::Stack::take@1@2", "cpp")),
], ids=["probes", "functions"])
def test_points(process, capturing, points):
    """In a shared object, at USDT probes with and without semaphore, in C++."""
    made = 5
    assert process.send("guarded", made, SIZE) == 0
    for point, command in points:
        with capturing("-f", point, "--pid", process.pid) as session:
            assert process.send(command, K, SIZE) == K
        expect_made(session, K, first=made)
        made += K
    assert wait_until(lambda: process.send("guarded", 1, SIZE) == 0), "the semaphore is still set"


def test_several_points(process, capturing):
    with capturing("-f", f"{TAKE},usdt:netcapraw:packet@1@2,lib_take@1@2", "--pid", process.pid) as session:
        for command, count in (("take", 7), ("probe", 11), ("lib", 13)):
            process.send(command, count, SIZE)
    expect_made(session, 31)
    seen = [p.meta["point"] for p in session.packets]
    assert sorted(map(seen.count, set(seen))) == [7, 11, 13]


def test_inside_a_function(process, capturing):
    offset = second_instruction(process.path, "take")
    with capturing("-f", f"take+{offset:#x}@1@2", "--pid", process.pid) as session:
        process.send("take", K, SIZE)
    expect_made(session, K)


@pytest.mark.parametrize("how", ["debuglink", "offset"])
def test_stripped(program, capturing, tmp_path, how):
    """Its symbols are in another file, or nowhere."""
    address = symbols(program)["take"]
    copy = stripped(program, tmp_path / "rawstripped", how == "debuglink")
    point = TAKE if how == "debuglink" else f"{address:#x}@1@2"
    library = {"LD_LIBRARY_PATH": str(program.parent)}
    with Paced(copy, env=library) as process:
        with capturing("-f", point, "--pid", process.pid) as session:
            process.send("take", K, SIZE)
        expect_made(session, K)
        assert process.end() == 0


def test_threads(process, capturing):
    with capturing("-f", TAKE, "--pid", process.pid) as session:
        assert process.send("threads", 7, 31, SIZE) == 7 * 31
    packets = session.expect(7 * 31)
    by_thread = {(p.meta["comm"], p.meta["tid"]) for p in packets}
    assert {name for name, _ in by_thread} == {f"packets{i}" for i in range(7)} and len(by_thread) == 7
    assert {int(p.meta["pid"]) for p in packets} == {process.pid}


def test_binary(program, capturing):
    """All processes of a file, those included that start later."""
    with Paced(program) as first, Paced(program) as second:
        with capturing("-f", TAKE, "--binary", program) as session, Paced(program) as third:
            for process, count in ((first, 7), (second, 11), (third, 13)):
                process.send("take", count, SIZE)
        packets = session.expect(31)
        pids = [int(p.meta["pid"]) for p in packets]
        assert [pids.count(process.pid) for process in (first, second, third)] == [7, 11, 13]


def test_only_this_process(program, process, capturing):
    """Others that run the same file are not seen."""
    with Paced(program) as other, capturing("-f", TAKE, "--pid", process.pid) as session:
        other.send("take", 7, SIZE)
        process.send("take", 11, SIZE)
        other.send("take", 7, SIZE)
    expect_made(session, 11)


def test_file_in_a_mount_namespace(program, capturing, tmp_path):
    """As in a container: the file is where the process sees it, and there is none outside."""
    place = tmp_path / "root"
    place.mkdir()
    script = (f"mount -t tmpfs none {place} && cp {program} {program.parent}/librawlib.so {place}/ && "
              f"LD_LIBRARY_PATH={place} exec {place}/rawprog")
    with Paced("/bin/sh", "-c", script, prefix=["unshare", "-m"]) as process:
        assert not (place / "rawprog").exists()
        for point, command in ((TAKE, "take"), ("lib_take@1@2", "lib"), ("usdt:netcapraw:packet@1@2", "probe")):
            with capturing("-f", point, "--pid", process.pid) as session:
                process.send(command, K, SIZE)
            session.expect(K)


def test_memory_that_is_not_there(process, capturing):
    """It is counted, and the rest goes on: of a packet whose first bytes can be read, those are shown."""
    with capturing("-f", TAKE, "--pid", process.pid, "--capture-max-size", 9000) as session:
        process.send("take", 7, SIZE)
        for words in (("wild", 8, 64), ("wild", "0xffffffff81000000", 64), ("absent", 100), ("edge", 64, 5000)):
            process.send(*words)
        process.send("take", 11, SIZE)
    packets = session.expect(7 + 1 + 11)
    assert session.counts["hits"] == 7 + 4 + 11
    assert "3 packets in user space could not be read" in session.text
    assert packets[7].data == packet_bytes(7, 64)[:len(packets[7].data)] and packets[7].wire_len == 5000
    assert packets[7].meta["partial"] == "1"


def test_with_kernel_points(daemon, client, process, tmp_path, lab):
    """One session with points of both kinds."""
    queue = "tracepoint:net:net_dev_queue"
    with Capturing(client, daemon, tmp_path, "skb", "-f", f"{queue},raw:{TAKE}", "--pid", process.pid, "-e",
                   f"udp dst port 9000 and (net {lab.subnet} or net 192.0.2.0/24)") as session:
        lab.send_udp(b"x" * 30, count=7)
        process.send("take", 11, SIZE)
    packets = session.expect(18)
    assert [p.meta["point"] == queue for p in packets] == [True] * 7 + [False] * 11


def test_gathered(client, daemon, process, tmp_path):
    """A packet goes through two functions: one journey."""
    with Capturing(client, daemon, tmp_path, "raw", "-f", f"{TAKE},usdt:netcapraw:packet@1@2", "--pid", process.pid,
                   "--gather", "--gather-timeout", "300ms") as session:
        process.send("take", 7, SIZE)
    assert len(session.packets) == 7
    assert all(len(p.journey.steps) == 1 and len(p.journey.missing) == 1 for p in session.packets)


def test_count_and_text(client, daemon, process):
    """-c and -t as anywhere else; tcpdump prints the packets."""
    running = client.start("raw", "-f", TAKE, "--pid", process.pid, "-c", 5, "-t", "-nne")
    daemon.wait_sessions()
    process.send("take", K, SIZE)
    assert running.wait() == 0, running.err
    assert running.out.count("192.0.2.1.1001 > 192.0.2.2.9000: UDP") == 2, running.out
    assert running.out.count("02:00:00:00:00:01 > 02:00:00:00:00:02") == 5


# ---- processes that change ----

def test_process_exits(program, client, daemon, tmp_path, process):
    """Its session says so; the points of others go on."""
    with Paced(program) as other, \
            Capturing(client, daemon, tmp_path, "raw", "-f", TAKE, "--binary", program) as session:
        other.send("take", 7, SIZE)
        assert other.end() == 0
        process.send("take", 11, SIZE)
    session.expect(18)


def test_the_only_process_exits(program, client, daemon, tmp_path):
    with Paced(program) as process, \
            Capturing(client, daemon, tmp_path, "raw", "-f", TAKE, "--pid", process.pid) as session:
        process.send("take", 7, SIZE)
        pid = process.pid
        assert process.end() == 0
        wait_for_text(session.process, str(pid))
    session.expect(7)


def test_exec(process, capturing):
    """The process becomes the program anew: what it is then is traced still, as the session says."""
    with capturing("-f", TAKE, "--pid", process.pid) as session:
        process.send("take", 7, SIZE)
        process.exec()
        process.send("take", 11, SIZE)
    packets = session.expect(18)
    assert [p.data for p in packets[7:]] == [packet_bytes(i, SIZE) for i in range(11)]


def test_upgrade(program, capturing, tmp_path):
    """A new file takes the place of the one that the process runs: the process goes on as it is."""
    path, new = tmp_path / "rawprog", tmp_path / "rawprog.new"
    shutil.copy(program, path)
    with Paced(path, env={"LD_LIBRARY_PATH": str(program.parent)}) as process:
        with capturing("-f", TAKE, "--pid", process.pid) as session:
            process.send("take", 7, SIZE)
            shutil.copy(program, new)
            os.rename(new, path)
            process.send("take", 11, SIZE)
        expect_made(session, 18)
        with capturing("-f", TAKE, "--pid", process.pid) as session:  # its file has no name any more
            process.send("take", 7, SIZE)
        session.expect(7)
        assert process.end() == 0


# ---- what is wrong ----

WRONG = [
    (["-f", "nosuch@1@2"], FAILED, ["nosuch", "rawprog"]),
    (["-f", "takee@1@2"], FAILED, ["takee", "take"]),
    (["-f", "twin@1@2"], FAILED, ["twin", "0x"]),
    (["-f", "usdt:netcapraw:nosuch@1@2"], FAILED, ["netcapraw:nosuch"]),
    (["-f", "usdt:netcapraw:packet@3@2"], FAILED, ["netcapraw:packet", "2"]),
    (["-f", "take"], USAGE, ["take"]),
    (["-f", "take@1"], USAGE, ["take@1"]),
    (["-f", "take@0@2"], USAGE, ["take@0@2"]),
    (["-f", "take@1@100"], USAGE, ["100"]),
    (["-f", "take+0x100000@1@2"], FAILED, ["0x100000"]),
    (["-f", "0xffffffffff@1@2"], FAILED, ["0xffffffffff"]),
    ([], USAGE, ["-f"]),
]


def test_command_line(client, process):
    for arguments, status, parts in WRONG:
        done = client.run("raw", *arguments, "--pid", process.pid)
        assert_one_sentence(done.stderr, *parts)
        assert done.returncode == status, done.stderr


def test_not_for_everybody(build, program, start, directory):
    """Who may capture in the kernel may not do so in processes, not even in one of theirs."""
    daemon = start({"roles": {"capturer": [str(USER)]}})
    for path in (program, program.parent / "librawlib.so", build / "client/netcapctl"):
        shutil.copy(path, directory)
    with Paced(directory / "rawprog", user=USER, group=USER, extra_groups=[],
               env={"LD_LIBRARY_PATH": str(directory)}) as process:
        argv = [directory / "netcapctl", "--socket", daemon.socket_path, "raw", "-f", TAKE, "--pid", str(process.pid)]
        done = subprocess.run(argv, user=USER, group=USER, extra_groups=[], capture_output=True, text=True, timeout=15,
                              check=False)
        assert_one_sentence(done.stderr, "sudo", str(USER))
        assert done.returncode == NO_DAEMON and not done.stdout
        assert process.send("take", 7, SIZE) == 7
        assert process.end() == 0


def test_no_such_process(client, process):
    gone = subprocess.run(["sh", "-c", "echo $$"], check=True, capture_output=True, text=True).stdout.strip()
    done = client.run("raw", "-f", TAKE, "--pid", gone)
    assert_one_sentence(done.stderr, gone)
    assert done.returncode == FAILED
    for pid in ("0", "-1", "x", "99999999999"):
        assert_one_sentence(client.run("raw", "-f", TAKE, "--pid", pid).stderr, pid)


def test_no_such_file(client, tmp_path):
    other = tmp_path / "text"
    other.write_text("no program")
    for path in (tmp_path / "nosuch", tmp_path, other, "/dev/zero"):
        done = client.run("raw", "-f", TAKE, "--binary", path)
        assert_one_sentence(done.stderr, str(path))
        assert done.returncode == FAILED


def test_neither_process_nor_file(client):
    done = client.run("raw", "-f", TAKE)
    assert_one_sentence(done.stderr, "--pid", "--binary")
    assert done.returncode == USAGE


def test_32_bits(client, build):
    path = build / "tests/integration/pause32"
    with subprocess.Popen([path], stdin=subprocess.PIPE) as process:
        for where in (("--pid", process.pid), ("--binary", path)):
            done = client.run("raw", "-f", TAKE, *where)
            assert_one_sentence(done.stderr, "32")
            assert done.returncode == FAILED
        process.communicate(b"x")
        assert process.returncode == 0
    assert process.pid not in children()
