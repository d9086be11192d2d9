# SPDX-License-Identifier: BSD-2-Clause
"""DPDK's testpmd as it is in the package: what netcapctl mbuf sees of it, beside DPDK's own counts and files."""
import os

import pytest

from userland import Capturing, Forwarder, assert_text_is, from_source, packet_bytes, text_of

K = 997
LONGEST = 3000
CALLBACKS = "--latencystats=0"  # has ports call rte_eth_call_rx_callbacks() and its like for each burst
RX, TX = "rte_eth_call_rx_callbacks@3@4", "rte_eth_call_tx_callbacks@3@4"


def frames():
    """Most are short; each 31st needs more than one mbuf."""
    return [packet_bytes(number, LONGEST if number % 31 == 5 else 60 + number % 200) for number in range(K)]


@pytest.fixture(params=[2176, 384], ids=lambda size: f"mbufs of {size}")
def testpmd(request, tmp_path, daemon):
    if not Forwarder.PROGRAM:
        pytest.skip("dpdk-testpmd is missing: the package dpdk-dev has it")
    with Forwarder(frames(), tmp_path, CALLBACKS, buffer=request.param) as testpmd:
        yield testpmd


@pytest.fixture
def capturing(client, daemon, tmp_path, testpmd):
    def start(point, *options):
        return Capturing(client, daemon, tmp_path, "mbuf", "-f", point, "--pid", testpmd.pid, "--capture-max-size",
                         LONGEST, *options)
    return start


def points_of(testpmd, kind):
    """In the driver, which has no symbols: the function that fills the array, and the one that gets it."""
    path, receive, send = testpmd.burst_functions()
    driver = os.path.basename(path)
    return {"rx callbacks": RX, "tx callbacks": TX, "driver's receive": f"uretprobe:{driver}:{receive:#x}@2",
            "driver's send": f"{driver}:{send:#x}@2@3"}[kind]


@pytest.mark.parametrize("kind", ["rx callbacks", "tx callbacks", "driver's receive", "driver's send"])
def test_every_packet(testpmd, capturing, kind):
    """Exact counts, and byte by byte what DPDK's own pcap device wrote."""
    before = text_of(testpmd.pid)
    with capturing(points_of(testpmd, kind)) as session:
        testpmd.forward(K)
    assert_text_is(before, testpmd.pid)
    written = testpmd.quit()
    packets = session.expect(K)
    assert session.counts["hits"] == K
    assert written == frames()
    assert [p.data for p in packets] == written
    assert all("worker" in p.meta["comm"] for p in packets)


def test_filter(testpmd, capturing):
    with capturing(RX, "-e", f"udp src port 1001 and greater {LONGEST}") as session:
        testpmd.forward(K)
    testpmd.quit()
    expected = [frame for frame in frames() if frame[34:36] == (1001).to_bytes(2, "big") and len(frame) == LONGEST]
    assert [p.data for p in session.expect(len(expected))] == expected
    assert len(expected) < from_source(0, K, 1001)


def test_both_ways(testpmd, capturing):
    """What is received is sent: one journey of two steps each."""
    with capturing(f"{RX},{TX}", "--gather", "--gather-timeout", "300ms") as session:
        testpmd.forward(K)
    testpmd.quit()
    assert len(session.packets) == K
    assert all(len(p.journey.steps) == 2 and not p.journey.missing for p in session.packets)
