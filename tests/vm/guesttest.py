# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of trace points share: a daemon, and captures with exact counts."""
import json
import re
import shutil
import time

from guestlab import K, REQUESTS, Capture, Daemon, ping
from guesttap import Failed, Skipped, Tap, run


class Test(Tap):
    """One kernel's tests, and the daemon that they ask."""

    def __init__(self, build, directory):
        super().__init__()
        self.build, self.directory = build, directory
        self.client = f"{build}/client/netcapctl"
        self.daemon = Daemon(build, directory)
        self.features = {f["name"]: f for f in json.loads(run(
            self.client, "--socket", self.daemon.socket, "features", "--json"))["features"]}

    def need(self, feature):
        entry = self.features[feature]
        if not entry["available"]:
            raise Skipped(f"this kernel has no {feature}")

    def need_symbol(self, name):
        with open("/proc/kallsyms", encoding="ascii") as file:
            if not re.search(rf" [tT] {name}(\.isra\.\d+|\.constprop\.\d+)?[\s]", file.read()):
                raise Skipped(f"this kernel has no function {name}")

    def need_types(self, name):
        """BTF leaves out functions whose prototype the compiler changed, and on 5.10 all of modules."""
        if not self.points(name):
            raise Skipped(f"this kernel has no type information for {name}")

    def points(self, *arguments):
        """What netcapctl points says, by name."""
        return {p["name"]: p for p in json.loads(run(
            self.client, "--socket", self.daemon.socket, "points", *arguments, "--json"))["points"]}

    def capture(self, points, *options, expression=REQUESTS, traffic=ping, count=K, verb="skb"):
        capture = Capture(self, points, *options, expression=expression, verb=verb)
        traffic(K)
        time.sleep(0.1)
        capture.end().expect(count)
        return capture

    def end(self):  # pylint: disable=arguments-differ
        """The last lines, and the exit code."""
        code = super().end(self.daemon.log())
        self.daemon.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        return code


def test_kernel_log():
    bad = re.findall(r"^.*(?:WARNING:|BUG:|Oops|general protection).*$", run("dmesg"), re.MULTILINE)
    if bad:
        raise Failed(f"the kernel complained: {bad[:5]}")
