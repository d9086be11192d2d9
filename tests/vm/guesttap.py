# SPDX-License-Identifier: BSD-2-Clause
"""What every test in a guest needs: commands, waiting, and TAP."""
import subprocess
import time


class Failed(Exception):
    """What was expected, and what came."""


class Skipped(Exception):
    """Why this kernel cannot be asked."""


def run(*argv, check=True):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    if check and done.returncode:
        raise Failed(f"{' '.join(argv)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def run_ip(where, commands):
    """ip, once for all: each start costs more than what it does. where: () or ("-n", NAMESPACE)."""
    done = subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(commands), capture_output=True, text=True,
                          timeout=60)
    if done.returncode:
        raise Failed(f"ip ended with {done.returncode} at one of {commands}: {done.stdout}{done.stderr}")


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Tap:
    """Counts tests, and says what became of each."""

    def __init__(self):
        self.number, self.bad, self.skipped = 0, 0, 0

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

    def end(self, log=""):
        """The last lines, and the exit code. log: the daemon's, of which a failure shows the end."""
        print(f"1..{self.number}")
        if self.bad:
            print("\n".join("# netcapd: " + line for line in log.splitlines()[-20:]))
        print(f"{self.number - self.bad - self.skipped} passed, {self.bad} failed, {self.skipped} skipped",
              flush=True)
        return 1 if self.bad else 0
