# SPDX-License-Identifier: BSD-2-Clause
"""What the tests in guests share: a daemon, captures with exact counts, and TAP."""
import json
import re
import shutil
import subprocess
import time

from guestlab import K, REQUESTS, Capture, Daemon, Failed, Skipped, ping, run


class Test:
    """One kernel's tests, and the daemon that they ask."""

    def __init__(self, build, directory):
        self.build, self.directory = build, directory
        self.client = f"{build}/client/netcapctl"
        self.daemon = Daemon(build, directory)
        self.features = {f["name"]: f for f in json.loads(run(
            self.client, "--socket", self.daemon.socket, "features", "--json"))["features"]}
        self.number, self.bad, self.skipped = 0, 0, 0

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

    def say(self, name, function):
        self.number += 1
        start = time.monotonic()
        try:
            note = function() or ""
        except Skipped as skip:
            self.skipped += 1
            print(f"ok {self.number} - {name} # SKIP {skip}", flush=True)
            return
        except (Failed, OSError, ValueError, KeyError, AttributeError, subprocess.SubprocessError) as why:
            self.bad += 1
            print(f"not ok {self.number} - {name}\n# {type(why).__name__}: {why}", flush=True)
            return
        print(f"ok {self.number} - {name}\n# {time.monotonic() - start:.1f} s {note}", flush=True)

    def capture(self, points, *options, expression=REQUESTS, traffic=ping, count=K, verb="skb"):
        capture = Capture(self, points, *options, expression=expression, verb=verb)
        traffic(K)
        time.sleep(0.1)
        capture.end().expect(count)
        return capture

    def end(self):
        """The last lines, and the exit code."""
        print(f"1..{self.number}")
        if self.bad:
            print("\n".join("# netcapd: " + line for line in self.daemon.log().splitlines()[-20:]))
        print(f"{self.number - self.bad - self.skipped} passed, {self.bad} failed, {self.skipped} skipped",
              flush=True)
        self.daemon.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        return 1 if self.bad else 0


def test_kernel_log():
    bad = re.findall(r"^.*(?:WARNING:|BUG:|Oops|general protection).*$", run("dmesg"), re.MULTILINE)
    if bad:
        raise Failed(f"the kernel complained: {bad[:5]}")
