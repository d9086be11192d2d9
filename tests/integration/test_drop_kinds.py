# SPDX-License-Identifier: BSD-2-Clause
"""Drops of several kinds, each counted to the packet, whichever way netcapd is asked."""
import pytest

from droptraffic import KINDS
from dropviews import VIEWS, ask_json
from lab import DEVICE
from netcap import wait_until

K = 101


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    if not request.param.is_traced():
        pytest.skip("this kernel drops these packets without its tracepoint skb:kfree_skb")
    return request.param


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_every_drop_is_told_once(daemon, client, lab, view, kind):
    with view(daemon, client, lab) as told:
        assert told.packets(kind) == 0
        kind.make(lab, K)
        told.wait(kind, K)
        told.finish()
        assert told.packets(kind) == K


def test_what_is_told_of_a_kind(daemon, client, lab, kind):
    kind.make(lab, K)
    wait_until(lambda: rows_of(client, lab, kind), 5)
    row, = rows_of(client, lab, kind)
    assert row["packets"] == row["lastMinute"] == sum(row["recent"]) == K, row
    assert row["bytes"] == K * kind.size, row
    assert (row["device"], row["ifindex"]) == (DEVICE, lab.b.ifindex()), row
    assert row["subsystem"] == ("core" if kind.expected_reason() else ""), row
    assert 0 < row["first"] <= row["last"], row


def rows_of(client, lab, kind):
    return [row for row in ask_json(client)["rows"] if kind.matches(row, lab.b.inode)]
