# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of trace points share: a daemon, and captures with exact counts."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

from guestlab import K, REQUESTS, SUMMARY_SECONDS, Capture, Daemon, ping
from guesttap import Failed, Skipped, Tap, run, wait_until


SERVICE_SOCKET = "/run/netcapd/netcapd.sock"  # where netcapctl looks first


@contextlib.contextmanager
def served(path):
    """Meanwhile netcapctl finds the daemon at path without being told so."""
    os.makedirs(os.path.dirname(SERVICE_SOCKET), exist_ok=True)
    os.symlink(path, SERVICE_SOCKET)
    try:
        yield
    finally:
        os.unlink(SERVICE_SOCKET)


class Test(Tap):
    """One kernel's tests, and the daemon that they ask."""

    def __init__(self, build, directory):
        super().__init__()
        self.build, self.directory = build, directory
        self.client, self.symbols = f"{build}/client/netcapctl", ""
        self.daemon = Daemon(build, directory)
        self.features = {f["name"]: f for f in json.loads(run(
            self.client, "--socket", self.daemon.socket, "features", "--json"))["features"]}

    def need(self, feature):
        entry = self.features[feature]
        if not entry["available"]:
            raise Skipped(f"this kernel has no {feature}")

    def need_symbol(self, name):
        pattern = rf" [tT] {name}(\.isra\.\d+|\.constprop\.\d+)?[\s]"
        if not re.search(pattern, self.symbols):  # a module may have come since they were read
            with open("/proc/kallsyms", encoding="ascii") as file:
                self.symbols = file.read()
        if not re.search(pattern, self.symbols):
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

    def command(self, line, traffic, due):
        """
        A command line as it is typed, which finds the daemon at the service's place: all that it says until it is
        interrupted after the traffic. due: how often texts must be in that, or None: at least once.
        """
        with served(self.daemon.socket):
            return self._command(line, traffic, due)

    def _command(self, line, traffic, due):
        environment = {**os.environ, "PATH": f"{self.build}/client:{os.environ['PATH']}"}
        with open(os.path.join(self.directory, "out"), "w+", encoding="utf-8") as out, \
                subprocess.Popen(["bash", "-c", "exec " + line], stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, env=environment) as process:
            def said():
                with open(out.name, encoding="utf-8", errors="replace") as file:
                    return file.read()
            try:
                if not wait_until(lambda: "Ctrl-C ends it" in said(), 60):
                    raise Failed(f"no capture began in 60 s: {said()}")
                traffic(K)
                time.sleep(0.5)
                process.send_signal(signal.SIGINT)
                process.wait(SUMMARY_SECONDS)
            finally:
                process.kill()
        text = said()
        for part, count in due.items():
            if text.count(part) != count and not (count is None and part in text):
                raise Failed(f"{text.count(part)} times {part!r} instead of {count}: ...{text[-1500:]!r}")
        if "nothing was lost." not in text:
            raise Failed(f"something was lost: {text[-600:]!r}")
        return text

    def end(self):  # pylint: disable=arguments-differ
        """The last lines, and the exit code."""
        code = super().end(self.daemon.log())
        self.daemon.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        return code


def test_kernel_log():
    """The line before a warning says what it is about."""
    bad = re.findall(r"^(?:.*\n)?.*(?:WARNING:|BUG:|Oops|general protection).*$", run("dmesg"), re.MULTILINE)
    if bad:
        raise Failed(f"the kernel complained: {bad[:5]}")
