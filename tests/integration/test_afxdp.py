# SPDX-License-Identifier: BSD-2-Clause
"""An application of AF_XDP: its packets in its own memory and in the kernel, as one journey."""
import contextlib
import socket

import pytest

from netcap import wait_until
from userland import XDP_SOCKET_PORT, Capturing, xsk_echo

K = 31
SO_NO_CHECK = 11  # asm-generic/socket.h: the device would compute the sum, and veth leaves that out
QUEUE, RECEIVE = "tracepoint:net:net_dev_queue", "tracepoint:net:netif_receive_skb"
IN, OUT = "raw:xsk_in@1@2", "raw:xsk_out@1@2"


@pytest.fixture
def echo(build, lab, daemon):
    if not (build / "tests/integration/xskecho").exists():
        pytest.skip("xskecho is not built: libxdp is missing")
    with xsk_echo(build, lab.b) as echo:
        yield echo
        assert echo.end() == 0


def exchange(lab, count):
    """Each is answered before the next is sent."""
    with lab.a.socket() as sender:
        sender.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        sender.settimeout(5)
        for number in range(count):
            sender.sendto(b"packet %04d" % number, (lab.b.address, XDP_SOCKET_PORT))
            assert sender.recv(2000) == b"packet %04d" % number


def counts(echo):
    echo.tell("how many")
    words = echo.process.stdout.readline().split()
    return int(words[1]), int(words[3])


def test_bytes(client, daemon, tmp_path, lab, echo):
    """raw sees what came in and what goes out, and nothing else."""
    with Capturing(client, daemon, tmp_path, "raw", "-f", "xsk_in@1@2,xsk_out@1@2", "--pid", echo.pid) as session:
        exchange(lab, K)
    assert counts(echo) == (K, K)
    packets = session.expect(2 * K)
    for number in range(K):
        came, went = packets[2 * number:2 * number + 2]
        assert came.data.endswith(b"packet %04d" % number)
        assert went.data == (came.data[6:12] + came.data[:6] + came.data[12:26] + came.data[30:34] + came.data[26:30]
                             + came.data[36:38] + came.data[34:36] + came.data[38:])
        assert {int(p.meta["netns"]) for p in (came, went)} == {lab.b.inode}


def test_filter(client, daemon, tmp_path, lab, echo):
    with Capturing(client, daemon, tmp_path, "raw", "-f", "xsk_in@1@2,xsk_out@1@2", "--pid", echo.pid,
                   "-e", f"udp src port {XDP_SOCKET_PORT}") as session:
        exchange(lab, K)
    session.expect(K)
    assert session.counts["hits"] == 2 * K


@pytest.mark.parametrize("points, expression, journey", [
    ((QUEUE, IN), f"udp dst port {XDP_SOCKET_PORT}", ["net_dev_queue", "xsk_in"]),
    ((OUT, RECEIVE), f"udp src port {XDP_SOCKET_PORT}", ["xsk_out", "netif_receive_skb"]),
], ids=["in", "out"])
def test_one_journey(client, daemon, tmp_path, lab, echo, points, expression, journey):
    """From the sender's queue to the application, and from the application to the receiver."""
    with Capturing(client, daemon, tmp_path, "skb", "-f", ",".join(points), "--pid", echo.pid,
                   "--gather", "--gather-distinguish-by-content", "--gather-timeout", "300ms",
                   "-e", f"{expression} and net {lab.subnet}") as session:
        exchange(lab, K)
    assert len(session.packets) == K
    for packet in session.packets:
        assert not packet.journey.missing
        assert [name in point for name, point in zip(journey, packet.journey.points(), strict=True)] == [True, True]
        times = [step["ns"] for step in packet.journey.steps]
        assert times[0] == 0 and times[1] > 0


def test_it_ends(client, daemon, tmp_path, lab, echo):
    """The kernel's points go on without it."""
    with Capturing(client, daemon, tmp_path, "skb", "-f", f"{QUEUE},{IN}", "--pid", echo.pid,
                   "-e", f"udp dst port {XDP_SOCKET_PORT} and net {lab.subnet}") as session:
        exchange(lab, K)
        with contextlib.suppress(BrokenPipeError):
            echo.process.stdin.close()
        assert wait_until(lambda: not echo.alive)
        lab.send_udp(b"x" * 30, count=7, port=XDP_SOCKET_PORT)
    session.expect(2 * K + 7)
