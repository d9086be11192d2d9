# SPDX-License-Identifier: BSD-2-Clause
"""netcapctl drops, against a daemon that answers what the test says."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import time

import pytest

import netcap
from conftest import Client
from fakedaemon import Error, FakeDaemon

FAILED, USAGE, NO_DAEMON, GONE = 1, 2, 3, 4
SECOND = 1000000
HOST = 4026531840
UTF8 = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
ASCII = {"LC_ALL": "C", "TZ": "UTC"}
BARS = "▁▂▃▄▅▆▇█"


def row(reason, location="", device="", netns=0, packets=1, **other):
    return {"reason": reason, "subsystem": "core" if reason else "", "location": location, "device": device,
            "ifindex": 0, "netns": netns, "protocol": "ipv4", "transport": "tcp", "ports": "user",
            "packets": packets, "bytes": 60 * packets, "lastMinute": 0, "first": 1, "last": 1,
            "recent": [0] * 30, **other}


def reply(rows, now=None, **other):
    now = now or int(time.time())
    return {"rows": rows, "packets": sum(r["packets"] for r in rows), "overflow": 0, "resolution": 60,
            "began": (now - 7200) * SECOND, **other}


def ledger():
    now = int(time.time())
    return reply([
        row("NETFILTER_DROP", "nft_do_chain+0x3e8", "eth0", HOST, 182311, lastMinute=738,
            last=(now - 1) * SECOND, recent=[0] * 22 + list(range(1, 9))),
        row("NO_SOCKET", "__udp4_lib_rcv+0xa33", "eth0", HOST, 9120, lastMinute=60, last=(now - 30) * SECOND),
        row("NETFILTER_DROP", "nft_do_chain+0x3e8", "eth0", HOST, 11, protocol="ipv6"),
        row("TCP_INVALID_SEQUENCE", "tcp_validate_incoming+0x1d5", "veth1a2b3c4d", 4026532527, 17,
            lastMinute=1, last=(now - 86400) * SECOND),
    ])


@pytest.fixture
def fake(tmp_path):
    """Starts a fake daemon with these replies to Drops; there is one in each test."""
    started = []

    def start(*replies, **methods):
        started.append(FakeDaemon(tmp_path / "fake.sock", **(methods or {"Drops": replies})))
        return started[0]
    yield start
    for daemon in started:
        daemon.close()


@pytest.fixture
def drops(build, tmp_path):
    client = Client(build, tmp_path, tmp_path / "fake.sock")

    def run(*argv, status=0, env=None):
        done = client.run("drops", *argv, env={**os.environ, **(env or UTF8)}, encoding="utf-8")
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout
    run.client = client
    yield run
    client.close()


def on_terminal(client, width, *argv, env=None):
    """What netcapctl prints on a terminal so many characters wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    child = subprocess.Popen([client.program, *client.options, "drops", *argv], stdout=theirs, stderr=theirs,
                             stdin=subprocess.DEVNULL, env={**plain, **UTF8, **(env or {})})
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:  # the end of a pseudo terminal
        pass
    os.close(ours)
    assert child.wait(10) == 0
    return b"".join(parts).decode().replace("\r\n", "\n")


def parameters(daemon):
    return daemon.calls[-1]["parameters"]


def test_table(fake, drops):
    fake(ledger())
    lines = drops().splitlines()
    assert re.match(r"REASON +WHERE +DEVICE +NETNS +PACKETS PKT/S LAST +30 MIN$", lines[0])
    assert re.match(r"NETFILTER_DROP +nft_do_chain\+0x3e8 +eth0 +4026531840 +182322 +12 \d s ago +" + BARS + "$",
                    lines[1])
    assert re.match(r"NO_SOCKET +__udp4_lib_rcv\+0xa33 +eth0 +4026531840 +9120 +1\.0 3\d s ago", lines[2])
    assert re.match(r"TCP_INVALID_SEQUENCE +tcp_validate_incoming\+0x1d5 +veth1a2b3c4d +4026532527 +17 +<0\.1 "
                    r"\w{3} \d\d:\d\d", lines[3])
    assert re.match(r"191459 packets since (\w{3} )?\d\d:\d\d, in steps of 60 s$", lines[4])
    assert len(lines) == 5


@pytest.mark.parametrize("width", [80, 100, 132])
def test_lines_fit_a_terminal(fake, drops, width):
    fake(ledger())
    out = on_terminal(drops.client, width, env={"NO_COLOR": "1"})
    table = out.splitlines()[:4]
    assert max(map(len, table)) <= width, out
    assert "NETFILTER_DROP " in table[1] and "veth1a" in table[3] and "█" in table[1]
    assert ("tcp_validate_incoming+0x1d5" in table[3]) == (width == 132), out
    assert "\033" not in out


def test_full_width_without_a_terminal(fake, drops):
    long = "x" * 200
    fake(reply([row("NO_SOCKET", long, "eth0", HOST)]))
    assert long in drops()


def test_colors(fake, drops):
    fake(ledger())
    assert "\033[33mNETFILTER_DROP" in on_terminal(drops.client, 132)
    assert "\033" not in on_terminal(drops.client, 132, env={"NO_COLOR": "1"})
    assert "\033" not in drops()


def test_ascii_locale(fake, drops):
    fake(ledger())
    out = drops(env=ASCII)
    assert out.isascii() and " .:-=+*#@\n" in out


def test_names_are_escaped(fake, drops):
    fake(reply([row("A\033[31m", "b\n", "é", HOST)]))
    out = drops()
    assert "A\\x1b[31m" in out and "b\\x0a" in out and "\\xc3\\xa9" in out and "\033" not in out


def test_top(fake, drops):
    daemon = fake(reply([row(f"REASON_{i}", packets=100 - i) for i in range(50)]))
    assert drops().count("REASON_") == 50
    out = on_terminal(drops.client, 80)
    assert out.count("REASON_") == 20
    assert "30 more rows with 1965 packets; --top 0 shows all\n" in out
    assert on_terminal(drops.client, 80, "--top", "0").count("REASON_") == 50
    assert drops("--top", "49").splitlines()[-2] == "1 more row with 51 packets; --top 0 shows all"
    assert not any("top" in call["parameters"] for call in daemon.calls)
    drops("--json", "--top", "3")
    assert parameters(daemon)["top"] == 3


def test_nothing_was_dropped(fake, drops):
    now = int(time.time())
    fake(reply([], began=(now - now % 86400 - 86400 * 30) * SECOND))
    assert re.match(r"nothing was dropped since \d{4}-\d\d-\d\d 00:00, in steps of 60 s\n$", drops())


def test_by(fake, drops):
    daemon = fake(reply([row("", device="eth0", packets=7, protocol="", transport="", ports="")]))
    assert drops("--by", "dev").splitlines()[0].split() == ["DEVICE", "PACKETS", "PKT/S", "LAST", "30", "MIN"]
    assert parameters(daemon)["by"] == "dev"


def test_by_proto(fake, drops):
    daemon = fake(reply([row("", packets=7), row("", packets=5, protocol="ipv6", transport="udp", ports="")]))
    lines = drops("--by", "proto").splitlines()
    assert lines[1].startswith("ipv4/tcp/user") and lines[2].startswith("ipv6/udp ")
    assert parameters(daemon)["by"] == "proto"


def test_since_and_until(fake, drops):
    daemon = fake(reply([row("NO_SOCKET")], began=1))
    out = drops("--since", "2026-11-01 03:00", "--until", "2026-11-01 04:30")
    assert "1 packet from " in out and " to " in out
    assert parameters(daemon)["since"] == 1793502000 * SECOND
    assert parameters(daemon)["until"] == 1793507400 * SECOND
    drops("--since", "90s")
    assert abs(parameters(daemon)["since"] / SECOND - (time.time() - 90)) < 30
    assert "until" not in parameters(daemon)


def test_history_that_is_too_short(fake, drops):
    now = int(time.time())
    fake(reply([row("NO_SOCKET")], began=(now - 60) * SECOND, resolution=1))
    assert re.search(r"1 packet since (\w+ )?\d\d:\d\d:\d\d, in steps of 1 s; the history does not reach back to "
                     r"[\w-]+ \d\d:\d\d:\d\d\n", drops("--since", "2d"))
    assert "nothing is known of that time: the history begins at" in drops("--since", "3d", "--until", "2d")


def test_overflow(fake, drops):
    fake(reply([row("NO_SOCKET", packets=2)], overflow=12))
    assert drops().endswith("in steps of 60 s; 12 more of kinds that there was no row for\n")


def test_layers(fake, drops):
    layers = [{"layer": "device", "device": "eth0", "name": "rx_missed_errors", "value": 1200, "since": 31},
              {"layer": "softnet", "device": "", "name": "dropped", "value": 5, "since": 0}]
    daemon = fake(reply([row("NO_SOCKET")], layers=layers))
    out = drops()
    assert parameters(daemon)["layers"] is True
    assert re.search(r"^device +eth0 +rx_missed_errors +31 +1200$", out, re.M)
    assert "softnet" not in out
    assert re.search(r"^softnet +- +dropped +0 +5$", drops("--layers"), re.M)


def test_no_layers(fake, drops):
    fake(reply([row("NO_SOCKET")]))
    assert "layers" not in drops()
    assert drops("--layers").endswith("the daemon has no counters of layers\n")


def test_json(fake, drops):
    answer = ledger()
    daemon = fake(answer)
    out = drops("--json")
    assert json.loads(out) == answer and out.count("\n") == 1
    assert "layers" not in parameters(daemon)
    drops("--json", "--layers")
    assert parameters(daemon)["layers"] is True


def test_follow(fake, drops):
    now = int(time.time())
    change = reply([row("NO_SOCKET", "udp_rcv+0x1", "lo", HOST, 3, last=now * SECOND)])
    daemon = fake(change, change)
    process = drops.client.start("drops", "--follow", env={**os.environ, **UTF8})
    assert netcap.wait_until(lambda: process.out.count("\n") == 2), process.err
    assert re.match(r"\d\d:\d\d:\d\d NO_SOCKET at udp_rcv\+0x1 dev lo netns 4026531840 ipv4/tcp/user: "
                    r"3 packets, 180 bytes\n", process.out)
    assert daemon.calls[0]["more"] is True
    assert process.interrupt() == 0, process.err
    assert process.err == ""


def test_follow_json(fake, drops):
    """Ctrl-C leaves out nothing that the daemon has counted."""
    changes = [reply([row("NO_SOCKET", packets=n)]) for n in (1, 2, 3)]
    fake(*changes[:2]).last = changes[2]
    process = drops.client.start("drops", "--follow", "--json")
    assert netcap.wait_until(lambda: process.out.count("\n") == 2), process.err
    assert process.interrupt() == 0
    assert [json.loads(line) for line in process.out.splitlines()] == changes


def test_follow_ends_with_its_reader(fake, drops):
    """Even if nothing is dropped any more."""
    fake(reply([row("NO_SOCKET")]))
    with subprocess.Popen([drops.client.program, *drops.client.options, "drops", "--follow"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            assert b"NO_SOCKET" in child.stdout.readline()
            child.stdout.close()
            assert child.wait(10) == 0
            assert child.stderr.read() == b""
        finally:
            child.kill()


def test_daemon_that_goes_away(fake, drops):
    fake(reply([row("NO_SOCKET")]), None)
    process = drops.client.start("drops", "--follow")
    assert process.wait() == GONE
    assert process.err.startswith("netcapctl: the daemon went away")


def test_refused(fake, drops):
    fake(Error("Failed", message="the drop ledger is off; DropLedger=yes in netcapd.conf turns it on"))
    for options in (), ("--follow",), ("--json",):
        err = drops(*options, status=FAILED)
        assert err == "netcapctl: the drop ledger is off; DropLedger=yes in netcapd.conf turns it on.\n"


def test_no_daemon(drops):
    assert "no daemon" in drops(status=NO_DAEMON)


@pytest.mark.parametrize("arguments, part", [
    (["--by", "cpu"], "cpu"), (["--since", "soon"], "soon"), (["--until", "25:00"], "25:00"),
    (["--since", "2099-01-01 00:00"], "2099"), (["--since", "1h", "--until", "2h"], "--until"),
    (["--top", "x"], "x"), (["--follow", "--since", "1h"], "--since"), (["--follow", "--explain"], "--explain"),
    (["--json", "--explain"], "--json"), (["--by", "dev", "--explain"], "--by reason"),
    (["NO_SOCKET"], "NO_SOCKET"), (["--explain", "A", "B"], "B"), (["--nosuch"], "--nosuch"), (["--by"], "--by"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_command_line(drops, arguments, part):
    err = drops(*arguments, status=USAGE)
    assert err.startswith("netcapctl: ") and part in err and err.count("\n") == 1


def test_explain_a_reason(drops):
    out = drops("--explain", "SKB_DROP_REASON_NO_SOCKET")
    assert out == drops("--explain", "NO_SOCKET")
    assert re.match(r"NO_SOCKET\n  means: .+\n  next:  .+\n$", out)
    assert drops("--explain", "OVS_DROP_METER").startswith("OVS_DROP_METER\n  means: ")
    assert "NO_SUCH_REASON" in drops("--explain", "NO_SUCH_REASON", status=FAILED)


def test_explain_the_table(fake, drops):
    fake(reply([row("NO_SOCKET", "a", packets=3), row("NO_SOCKET", "b", packets=2), row("NEW_ONE"),
                row("OTHER", subsystem="openvswitch")]))
    out = drops("--explain")
    assert out.count("\nNO_SOCKET\n  means: ") == 1
    assert "\nNEW_ONE\n  means: not known to this netcapctl.\n" in out
    assert "\nOTHER\n  means: not known to this netcapctl; it is a reason of openvswitch.\n" in out


def test_explanations_fit_a_terminal(drops):
    out = on_terminal(drops.client, 60, "--explain", "NO_SOCKET")
    assert max(map(len, out.splitlines())) <= 60 and "\n         " in out
