# SPDX-License-Identifier: BSD-2-Clause
"""The service has a few capabilities only: everything must work with just those."""
import pathlib
import re
import tempfile

import netcap
from lab import DROP_PORT

KFREE = "tracepoint:skb:kfree_skb"
SYNS = 7
UNIT = pathlib.Path(__file__).parents[2] / "systemd/netcapd.service.in"


def unit_capabilities():
    line = re.search(r"^CapabilityBoundingSet=(.+)$", UNIT.read_text(encoding="ascii"), re.M)
    return [name.removeprefix("CAP_").lower() for name in line.group(1).split()]


def test_capture_with_the_capabilities_of_the_unit(build, lab):
    kept = "".join(f",+{name}" for name in unit_capabilities())
    prefix = ["setpriv", f"--bounding-set=-all{kept}", "--inh-caps=-all", "--no-new-privs"]
    with tempfile.TemporaryDirectory(prefix="netcap-test-") as directory:
        daemon = netcap.Daemon(build, pathlib.Path(directory), prefix)
        try:
            with netcap.Session(daemon, points=[KFREE], stack=True,
                                filter=lab.expression(f"tcp port {DROP_PORT}")) as session:
                lab.send_syns(SYNS)
                ended, stream = session.end()
            assert len([p for p in stream.packets if "nf_hook_slow" in p.comment]) == SYNS
            netcap.assert_session_identity(ended)
            with daemon.connect() as connection:
                row, = (row for row in connection.call("Drops")["rows"] if row["netns"] == lab.b.inode
                        and row["transport"] == "tcp")
            assert row["packets"] == SYNS and row["location"].startswith(("nf_", "nft_")), row
            assert (pathlib.Path(directory) / "ledger").stat().st_size > 1 << 20
            assert daemon.stop() == 0
        finally:
            netcap.kill_children()
    netcap.assert_nothing_left()
