# SPDX-License-Identifier: BSD-2-Clause
"""What -w writes: other programs read it, its times are right, and a full disk is no disaster."""
import os
import re
import struct
import subprocess
import time

import pytest

import pcapng
from lab import DROP_PORT

KFREE = "tracepoint:skb:kfree_skb"
NUMBER = re.compile(rb"#(\d{8})#")
CLOCK_SLACK_NS = 2_000_000  # between two readings of the clocks, on a busy machine


def capture_to(client, daemon, lab, path, count=7, *options):
    """Captures count SYNs into path; the wall-clock times around the sending."""
    process = client.start("skb", "-f", KFREE, "-e", lab.expression(f"tcp port {DROP_PORT}"),
                           "-w", path, "-c", count, *options)
    daemon.wait_sessions()
    start = time.time_ns()
    lab.send_syns(count)
    end = time.time_ns()
    assert process.wait() == 0, process.err
    return process, start, end


def tool(*argv):
    """Output of a Wireshark program, which must have nothing to complain about."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    complaints = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    assert done.returncode == 0 and not complaints, done.stderr
    return done.stdout


def test_a_reader_that_goes_away(client, daemon, lab):
    """As in "netcapctl skb ... | head": it has had what it wanted, so all went well."""
    argv = [client.program, *client.options, "skb", "-f", KFREE, "-e",
            lab.expression(f"tcp port {DROP_PORT}")]
    read_end, write_end = os.pipe()
    process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=write_end,
                               stderr=subprocess.DEVNULL)
    os.close(write_end)
    try:
        daemon.wait_sessions()
        os.close(read_end)
        lab.send_syns(3)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()


def test_pcapng_opens_in_tshark_and_capinfos(client, daemon, lab, tmp_path):
    path = tmp_path / "drops.pcapng"
    _, start, end = capture_to(client, daemon, lab, path, 7, "-S")
    lines = tool("tshark", "-n", "-r", path, "-T", "fields", "-e", "tcp.dstport", "-e",
                 "frame.time_epoch", "-e", "frame.comment").splitlines()
    assert len(lines) == 7
    for line in lines:
        port, seconds, comment = line.split("\t")
        assert port == str(DROP_PORT)
        whole, fraction = seconds.split(".")
        assert len(fraction) == 9
        assert start - CLOCK_SLACK_NS <= int(whole + fraction) <= end + CLOCK_SLACK_NS
        assert f"point={KFREE} " in comment and "nf_hook_slow" in comment
    summary = tool("capinfos", path)
    assert re.search(r"Number of packets:\s*7\b", summary), summary
    assert "nanoseconds (9)" in summary, summary


def test_pcapng_times_comments_and_statistics(client, daemon, lab, tmp_path):
    path = tmp_path / "drops.pcapng"
    _, start, end = capture_to(client, daemon, lab, path, 31)
    capture = pcapng.parse(path.read_bytes())
    assert capture.rest == b""
    assert len(capture.packets) == 31
    times = [packet.time_ns for packet in capture.packets]
    assert start - CLOCK_SLACK_NS <= min(times) <= max(times) <= end + CLOCK_SLACK_NS
    assert any(t % 1000 for t in times), "the times have no nanoseconds"
    assert all(packet.meta["point"] == KFREE for packet in capture.packets)
    assert len(capture.statistics) == len(capture.interfaces), "loss counts are missing"


@pytest.mark.parametrize("name, options", [("drops.pcap", ()), ("drops", ("--format", "pcap"))])
def test_classic_pcap_opens_in_tcpdump(client, daemon, lab, tmp_path, name, options):
    path = tmp_path / name
    _, start, end = capture_to(client, daemon, lab, path, 7, *options)
    data = path.read_bytes()
    assert struct.unpack("=I", data[:4])[0] == 0xA1B23C4D, "not a pcap file with nanoseconds"
    seconds, nanoseconds = struct.unpack("=II", data[24:32])
    assert start - CLOCK_SLACK_NS <= seconds * 10**9 + nanoseconds <= end + CLOCK_SLACK_NS
    with open(path, "rb") as file:
        done = subprocess.run(["tcpdump", "-nn", "-r", "-"], stdin=file, capture_output=True,
                              text=True, timeout=30, check=True)
    assert done.stdout.count(f"> {lab.b.address}.{DROP_PORT}: Flags [S]") == 7
    assert len(done.stderr.splitlines()) == 1, done.stderr  # "reading from file ..."


def test_standard_output_has_only_the_file(client, daemon, lab):
    process, _, _ = capture_to(client, daemon, lab, "-", 7)
    capture = pcapng.parse(process.out_path.read_bytes())
    assert len(capture.packets) == 7 and capture.rest == b""


def test_an_interrupted_capture_is_a_whole_file(client, daemon, lab, tmp_path):
    path = tmp_path / "drops.pcapng"
    process = client.start("skb", "-f", KFREE, "-e", lab.expression(f"udp port {DROP_PORT}"),
                           "-w", path)
    daemon.wait_sessions()
    sent = lab.flood(2003, 20000)
    assert process.interrupt() == 0, process.err
    capture = pcapng.parse(path.read_bytes())
    assert capture.rest == b""
    assert len(capture.packets) == sent == 2003
    assert "2003" in process.err, "the summary does not say how many were captured"


@pytest.mark.parametrize("name", ["last.pcapng", "last.pcap"])
def test_rotation_keeps_the_last_packets(client, daemon, lab, tmp_path, name):
    path = tmp_path / name
    process = client.start("skb", "-f", KFREE, "-e", lab.expression(f"udp port {DROP_PORT}"),
                           "-w", path, "--write-file-rotate", 17)
    daemon.wait_sessions()
    lab.flood(1009, 20000)
    assert process.interrupt() == 0, process.err
    assert [f.name for f in tmp_path.iterdir() if f.name.startswith("last")] == [name]
    numbers = [int(n) for n in NUMBER.findall(path.read_bytes())]
    assert numbers == list(range(1009 - 17 + 1, 1009 + 1))
    assert re.search(r"Number of packets:\s*17\b", tool("capinfos", path))


def test_a_file_that_cannot_be_written(client, daemon, tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "missing" / "file.pcapng", tmp_path / "folder"):
        done = client.run("skb", "-f", KFREE, "-w", path)
        assert done.returncode == 1
        assert str(path) in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert daemon.sessions() == []


def test_a_full_disk(client, daemon, lab, tmp_path):
    """Ends with a sentence and a non-zero exit; what was written before is whole packets."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], check=True, timeout=10)
    try:
        path = disk / "drops.pcapng"
        process = client.start("skb", "-f", KFREE, "-w", path, "-e",
                               lab.expression(f"udp port {DROP_PORT}"))
        daemon.wait_sessions()
        lab.flood(2000, 20000, size=200)
        assert process.wait() == 1, process.err
        assert "No space left" in process.err and str(path) in process.err
        assert path.stat().st_size <= 65536
        assert daemon.wait_no_sessions()
    finally:
        subprocess.run(["umount", disk], check=True, timeout=10)
