# SPDX-License-Identifier: BSD-2-Clause
"""netcapctl metrics, against a daemon that answers what the test says."""
import os
import stat

import pytest

from conftest import Client
from fakedaemon import Error, FakeDaemon

FAILED, USAGE, NO_DAEMON = 1, 2, 3
TEXT = '# TYPE netcap_drops counter\nnetcap_drops_total{reason="NO_SOCKET",device="é"} 3\n# EOF\n'


@pytest.fixture
def fake(tmp_path):
    daemon = FakeDaemon(tmp_path / "fake.sock", Metrics=[{"text": TEXT}])
    yield daemon
    daemon.close()


@pytest.fixture
def metrics(build, tmp_path):
    client = Client(build, tmp_path, tmp_path / "fake.sock")

    def run(*argv, status=0):
        done = client.run("metrics", *argv, encoding="utf-8")
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout
    return run


def test_standard_output(fake, metrics):
    assert metrics() == TEXT


def test_file(fake, metrics, tmp_path):
    directory = tmp_path / "textfile"
    directory.mkdir()
    path = directory / "netcap.prom"
    for _ in range(2):
        old = os.umask(0o077)
        try:
            assert metrics("--output", path) == ""
        finally:
            os.umask(old)
        assert path.read_text(encoding="utf-8") == TEXT
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert os.listdir(directory) == ["netcap.prom"]
        path.write_text("old")


def test_readers_of_the_old_file_keep_it(fake, metrics, tmp_path):
    path = tmp_path / "netcap.prom"
    path.write_text("old")
    with open(path, encoding="utf-8") as old:
        metrics("--output", path)
        assert old.read() == "old"


def test_what_is_no_file_is_kept(fake, metrics, tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("pipe")
    for path in pipe, link, tmp_path:
        assert str(path) in metrics("--output", path, status=FAILED)
    assert stat.S_ISFIFO(pipe.stat().st_mode) and link.is_symlink()


def test_directory_that_is_missing(fake, metrics, tmp_path):
    assert "No such file" in metrics("--output", tmp_path / "nosuch/netcap.prom", status=FAILED)


def test_failure_keeps_the_file(fake, metrics, tmp_path):
    path = tmp_path / "netcap.prom"
    path.write_text("old")
    for answer in Error("Failed", message="the drop ledger is off"), {}:
        fake.replies["Metrics"] = [answer]
        metrics("--output", path, status=FAILED)
    assert path.read_text() == "old"


def test_errors(metrics):
    assert "surplus" in metrics("surplus", status=USAGE)
    assert "--output" in metrics("--output", status=USAGE)
    assert "no daemon" in metrics(status=NO_DAEMON)
