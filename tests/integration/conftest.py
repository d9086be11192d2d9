# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import signal
import subprocess

import pytest

import netcap
from lab import Lab
from netcap import Daemon, Process


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true",
                     help="10,000 session starts and stops instead of some hundred")


def interrupt(*_):
    raise KeyboardInterrupt


def pytest_configure():
    """A SIGTERM, such as a time limit's, cleans up as Ctrl-C does."""
    signal.signal(signal.SIGTERM, interrupt)


@pytest.fixture(scope="session", autouse=True)
def reaper():
    netcap.adopt_orphans()


@pytest.fixture(scope="session")
def build():
    """The build directory: NETCAP_BUILD, or build/ of this checkout."""
    if os.geteuid() != 0:
        pytest.exit("These tests make network namespaces and load BPF programs. Run them as root.", 1)
    top = pathlib.Path(__file__).resolve().parents[2]
    path = pathlib.Path(os.environ.get("NETCAP_BUILD", top / "build")).resolve()
    for program in ("daemon/netcapd", "client/netcapctl", "tests/integration/flood"):
        if not (path / program).exists():
            pytest.exit(f"{path / program} is missing. Build first, or set NETCAP_BUILD.", 1)
    return path


@pytest.fixture(scope="session")
def lab(build):
    tests = build / "tests/integration"
    lab = Lab(str(tests / "flood"), str(tests / "tagpush.bpf.o"))
    try:
        lab.configure()
        yield lab
    finally:
        lab.close()


@pytest.fixture
def daemon(build, tmp_path):
    """A netcapd of one's own. At the end it must exit cleanly and leave nothing."""
    daemon = Daemon(build, tmp_path)
    try:
        yield daemon
        status = daemon.stop()
        assert status == daemon.expected_status, f"netcapd ended with {status}:\n{daemon.err}"
        netcap.assert_nothing_left(daemon.socket_path)
    finally:
        if daemon.alive:
            daemon.kill()
        netcap.kill_children()


@pytest.fixture(scope="session")
def type_cache(tmp_path_factory):
    """The kernel's types, for user code, are made once, and not where the user has them."""
    directory = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(directory))
        yield directory


class Client:
    """Runs netcapctl against one daemon, or with the options given instead of its socket."""

    def __init__(self, build, directory, socket_path):
        self.program = build / "client/netcapctl"
        self.directory = directory
        self.options = ["--socket", str(socket_path)] if socket_path else []
        self.started = []

    def run(self, *argv, timeout=15, **options):
        """To its end, which must come by itself."""
        return subprocess.run([str(self.program), *self.options, *map(str, argv)], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                              errors="replace", check=False, **options)

    def start(self, *argv, **options):
        process = Process([self.program, *self.options, *argv], self.directory,
                          f"netcapctl{len(self.started)}", **options)
        self.started.append(process)
        return process

    def close(self):
        for process in self.started:
            if process.alive:
                process.kill()


@pytest.fixture
def client(build, tmp_path, daemon):
    client = Client(build, tmp_path, daemon.socket_path)
    yield client
    client.close()


@pytest.fixture
def lone_client(build, tmp_path):
    """netcapctl with no daemon to talk to. Nothing may be left of what it starts."""
    client = Client(build, tmp_path, None)
    try:
        yield client
        client.close()
        netcap.assert_nothing_left()
    finally:
        netcap.kill_children()
