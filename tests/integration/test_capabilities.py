# SPDX-License-Identifier: BSD-2-Clause
"""The service has a user of its own and a few capabilities only: everything must work with just those."""
import os
import pathlib
import re
import socket
import tempfile

import pytest

import netcap
import varlink
from lab import DROP_PORT

KFREE = "tracepoint:skb:kfree_skb"
SYNS = 7
OTHER_USER = 61234  # nobody's
UNIT = pathlib.Path(__file__).parents[2] / "systemd/netcapd.service.in"


def unit_capabilities(setting):
    line = re.search(rf"^{setting}=(.+)$", UNIT.read_text(encoding="ascii"), re.M)
    return [name.removeprefix("CAP_").lower() for name in line.group(1).split()]


def make_sockets():
    """A pipe of root's is nothing that the daemon may open anew."""
    return [end.detach() for end in socket.socketpair()]


def test_capture_with_the_user_and_the_capabilities_of_the_unit(build, lab):
    kept = "".join(f",+{name}" for name in unit_capabilities("CapabilityBoundingSet"))
    ambient = "-all" + "".join(f",+{name}" for name in unit_capabilities("AmbientCapabilities"))
    prefix = ["setpriv", f"--bounding-set=-all{kept}", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}",
              "--clear-groups", f"--inh-caps={ambient}", f"--ambient-caps={ambient}", "--no-new-privs"]
    with tempfile.TemporaryDirectory(prefix="netcap-test-") as directory:
        os.chown(directory, OTHER_USER, OTHER_USER)
        daemon = netcap.Daemon(build, pathlib.Path(directory), prefix)
        try:
            with netcap.Session(daemon, points=[KFREE], stack=True, make_ends=make_sockets,
                                filter=lab.expression(f"tcp port {DROP_PORT}")) as session:
                lab.send_syns(SYNS)
                ended, stream = session.end()
            assert len([p for p in stream.packets if "nf_hook_slow" in p.comment]) == SYNS
            netcap.assert_session_identity(ended)
            with daemon.connect() as connection:
                row, = (row for row in connection.call("Drops")["rows"] if row["netns"] == lab.b.inode
                        and row["transport"] == "tcp")
                points = connection.call("Points", {"pattern": "kfree_skb"})["points"]
            assert row["packets"] == SYNS and row["location"].startswith(("nf_", "nft_")), row
            assert (pathlib.Path(directory) / "ledger").stat().st_size > 1 << 20
            assert KFREE in [point["name"] for point in points], "tracefs is root's, and must be readable"
            assert daemon.stop() == 0
        finally:
            netcap.kill_children()
    netcap.assert_nothing_left()


def test_a_missing_capability_is_said(build):
    """Without CAP_PERFMON the kernel takes no program. The daemon runs on, and says to each caller where to look."""
    prefix = ["setpriv", "--bounding-set=-perfmon,-sys_admin", "--inh-caps=-perfmon,-sys_admin"]
    with tempfile.TemporaryDirectory(prefix="netcap-test-") as directory:
        daemon = netcap.Daemon(build, pathlib.Path(directory), prefix)
        try:
            with daemon.connect() as connection:
                connection.send("Start", {"points": [KFREE]}, more=True)
                with pytest.raises(varlink.Error, match="does not take the capture programs: Operation not permitted; "
                                                        "netcapctl features says what is missing"):
                    connection.reply()
                features = {f["name"]: f for f in connection.call("Features")["features"]}
            assert not features["capture"]["available"]
            missing, = (f for f in features.values() if "CAP_PERFMON" in f["name"] + f.get("detail", ""))
            assert not missing["available"], missing
            assert daemon.stop() == 0
        finally:
            netcap.kill_children()
