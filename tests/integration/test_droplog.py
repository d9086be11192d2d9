# SPDX-License-Identifier: BSD-2-Clause
"""Drops in the log: the first ones at once, the rest at the end, and a new configuration at once."""
import re
import signal

import pytest
from lab import DROP_PORT
from netcap import Daemon, wait_until

K = 101
CONFIG = '{"journal": {"interval": 10}}'


@pytest.fixture
def logging(build, tmp_path):
    daemon = Daemon(build, tmp_path, config=CONFIG)
    yield daemon
    daemon.stop()


def test_first_and_the_rest_at_the_end(logging, lab):
    """Other hosts of this machine may drop, too; test_drop_kinds counts exactly, by network namespace."""
    sent = lab.flood(K, 0, port=DROP_PORT)
    assert wait_until(lambda: "first drops for NETFILTER_DROP" in logging.err, 10), logging.err
    logging.stop()
    told = [int(n) for n in re.findall(r"dropped for NETFILTER_DROP at \S+ on \S+: (\d+) packet", logging.err)]
    assert sum(told) >= sent, logging.err


def test_ignored_after_reload(logging, lab):
    logging.config_path.write_text('{"journal": {"interval": 10, "ignore": ["NETFILTER_DROP@*@*"]}}')
    logging.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: "is read anew" in logging.err, 10)
    lab.flood(K, 0, port=DROP_PORT)
    logging.stop()
    assert "NETFILTER_DROP" not in logging.err


def test_turned_off(build, tmp_path, lab):
    daemon = Daemon(build, tmp_path, config='{"journal": {"drops": false}}')
    lab.flood(K, 0, port=DROP_PORT)
    daemon.stop()
    assert "drops for" not in daemon.err and "dropped for" not in daemon.err
