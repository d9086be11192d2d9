# SPDX-License-Identifier: BSD-2-Clause
"""The configuration: it limits, it gives roles, it is read anew while sessions run, and a bad one changes nothing."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile

import pytest

import netcap
from netcap import Daemon, Session
from varlink import Error, INTERFACE

KFREE = "tracepoint:skb:kfree_skb"
FAILED, NO_DAEMON = 1, 3
USER, GROUP = 54321, 54322
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "systemd/netcapd.json"
READ_ANEW, STAYS = "the configuration is read anew", "the configuration stays as it was"


@pytest.fixture
def directory():
    """One that other users get into."""
    with tempfile.TemporaryDirectory(prefix="netcap-test-") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


@pytest.fixture
def start(build, directory):
    """A function that starts a daemon with this configuration, whose socket is open to everybody."""
    started = []

    def start_daemon(config, **options):
        text = config if isinstance(config, str) else json.dumps(config)
        daemon = Daemon(build, directory, config=text, **options)
        started.append(daemon)
        os.chmod(daemon.socket_path, 0o666)
        return daemon
    try:
        yield start_daemon
        for daemon in started:
            status = daemon.stop()
            assert status == daemon.expected_status, f"netcapd ended with {status}:\n{daemon.err}"
            netcap.assert_nothing_left(daemon.socket_path)
    finally:
        for daemon in started:
            if daemon.alive:
                daemon.kill()
        netcap.kill_children()


def configure(daemon, config):
    text = config if isinstance(config, str) else json.dumps(config)
    daemon.config_path.write_text(text)


def reload(daemon):
    with daemon.connect() as connection:
        return connection.call("Reload")


def hang_up(daemon, line):
    """SIGHUP, and waits for another line of this kind in the log."""
    before = daemon.err.count(line)
    daemon.signal(signal.SIGHUP)
    assert netcap.wait_until(lambda: daemon.err.count(line) > before), daemon.err


def netcapctl(build, daemon, *argv):
    return subprocess.run([build / "client/netcapctl", "--socket", daemon.socket_path, *argv],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=15, check=False)


@contextlib.contextmanager
def another_user(uid=USER, groups=()):
    """Connections made in here are this user's."""
    own = os.getgroups()
    os.setgroups(groups)
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(own)


def connect_as(daemon, uid=USER, groups=()):
    with another_user(uid, groups):
        return daemon.connect()


def may(connection, method, parameters=None):
    """Whether the role allows the call."""
    try:
        connection.call(method, parameters)
    except Error as error:
        if error.name == INTERFACE + "NotPermitted":
            return False
        raise
    return True


def may_capture(connection):
    return may(connection, "Start", {"points": [KFREE], "dryRun": True})


def assert_limit(caught, *parts):
    assert caught.value.name == INTERFACE + "LimitReached"
    for part in parts:
        assert part in caught.value.parameters["message"]


def test_sessions_are_limited(start):
    daemon = start({"limits": {"sessionsPerUser": 1}})
    with Session(daemon):
        with pytest.raises(Error) as caught:
            Session(daemon)
        assert_limit(caught, "user 0 has 1 sessions already")
    assert daemon.wait_no_sessions()
    with Session(daemon):
        pass


@pytest.mark.parametrize("limits, points, part", [
    ({"sessions": 1}, [KFREE], "there are 1 sessions already"),
    ({"tracePointsPerUser": 2}, [KFREE, "tracepoint:skb:consume_skb"], "the 2 that a user may have"),
    ({"tracePoints": 2}, [KFREE, "tracepoint:skb:consume_skb"], "the 2 that there may be"),
    ({"ringBytesPerUser": 5 << 20}, [KFREE], "the 5 that a user may have"),
    ({"ringBytes": 5 << 20}, [KFREE], "the 5 that there are"),
], ids=lambda value: next(iter(value)) if isinstance(value, dict) else "")
def test_every_limit_limits(start, limits, points, part):
    daemon = start({"limits": limits})
    with Session(daemon):
        with pytest.raises(Error) as caught:
            Session(daemon, points=points)
        assert_limit(caught, part)


def wait_no_connections(daemon):
    """The daemon has seen all of them go: of the sockets with the name that it made, the listening one is left."""
    def sockets():
        with open("/proc/net/unix", encoding="utf-8") as file:
            return sum(line.endswith(f".netcapd-{daemon.pid}\n") for line in file)
    assert netcap.wait_until(lambda: sockets() == 1), sockets()


def test_connections_are_limited(start):
    daemon = start({"limits": {"connectionsPerUser": 2, "connections": 12}})
    wait_no_connections(daemon)
    with daemon.connect() as first, daemon.connect() as second, daemon.connect() as third:
        first.call("List")
        second.call("List")
        with pytest.raises(Error) as caught:
            third.reply()
        assert_limit(caught, "user 0 has 2 connections already")
    wait_no_connections(daemon)
    # of 12, 8 are kept for administrators
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect_as(daemon, USER + i)) for i in range(5)]
        for connection in connections[:4]:
            connection.call("List")
        with pytest.raises(Error) as caught:
            connections[4].reply()
        assert_limit(caught, "there are 4 connections already")
        with daemon.connect() as admin:
            admin.call("List")


@pytest.mark.parametrize("how", ["SIGHUP", "Reload"])
def test_a_reload_takes_nothing_from_a_session(start, lab, how):
    daemon = start({"limits": {"sessionsPerUser": 1}})
    with Session(daemon, filter=lab.expression("tcp")) as session:
        lab.send_syns(3)
        configure(daemon, {"limits": {"sessionsPerUser": 2}})
        if how == "SIGHUP":
            hang_up(daemon, READ_ANEW)
        else:
            assert reload(daemon) == {}
        lab.send_syns(4)
        with Session(daemon):
            daemon.wait_sessions(2)
        summary, capture = session.end()
    netcap.assert_session_identity(summary)
    assert summary["counters"]["captured"] == len(capture.packets) == 7


@pytest.mark.parametrize("how", ["SIGHUP", "Reload"])
def test_a_bad_file_changes_nothing(start, lab, how):
    daemon = start({"limits": {"sessionsPerUser": 1}})
    wrong = f"{daemon.config_path}:3: limits.sessions = 0: "
    with Session(daemon, filter=lab.expression("tcp")) as session:
        configure(daemon, '{"limits": {\n  "sessionsPerUser": 2, // better\n  "sessions": 0}}')
        if how == "SIGHUP":
            hang_up(daemon, STAYS)
        else:
            with pytest.raises(Error) as caught:
                reload(daemon)
            assert caught.value.name == INTERFACE + "InvalidSpec"
            assert caught.value.parameters["field"] == "limits.sessions"
            assert caught.value.parameters["message"].startswith(wrong)
        assert daemon.err.count(f"{STAYS}: {wrong}") == 1
        with pytest.raises(Error) as caught:
            Session(daemon)
        assert_limit(caught, "user 0 has 1 sessions already")
        lab.send_syns(3)
        summary, capture = session.end()
    netcap.assert_session_identity(summary)
    assert summary["counters"]["captured"] == len(capture.packets) == 3
    configure(daemon, "{}")
    reload(daemon)
    with Session(daemon), Session(daemon):
        daemon.wait_sessions(2)


def test_many_reloads_and_calls_at_a_time(start):
    daemon = start({})
    connections = [daemon.connect() for _ in range(20)]
    for connection in connections:
        connection.send("Reload")
        daemon.signal(signal.SIGHUP)
    for connection in connections[10:]:
        assert connection.reply() == {}
    for connection in connections:
        connection.close()
    daemon.assert_answers()


def test_netcapctl_reload(build, start):
    daemon = start({})
    done = netcapctl(build, daemon, "reload")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    configure(daemon, '{"journal": {"interval": 5}}')
    done = netcapctl(build, daemon, "reload")
    assert done.returncode == FAILED and done.stdout == ""
    assert done.stderr.startswith("netcapctl: ") and done.stderr.count("\n") == 1
    assert f"{daemon.config_path}:1: journal.interval = 5: " in done.stderr
    assert "from 10 to 86400 (seconds)" in done.stderr


def test_netcapctl_reload_starts_no_private_daemon(lone_client):
    done = lone_client.run("--socket", "/nosuch/netcapd.sock", "reload")
    assert done.returncode == NO_DAEMON


def test_dropins(start):
    daemon = start({"limits": {"sessions": 7, "sessionsPerUser": 7}})
    dropins = daemon.config_path.with_name("netcapd.json.d")
    dropins.mkdir()
    (dropins / "20-b.json").write_text('{"limits": {"sessionsPerUser": 1}}')
    (dropins / "10-a.json").write_text('{"limits": {"sessionsPerUser": 3}}')
    reload(daemon)
    with Session(daemon):
        with pytest.raises(Error) as caught:
            Session(daemon)
        assert_limit(caught, "has 1 sessions already")


def test_roles_count_for_new_connections(start):
    daemon = start({})
    with connect_as(daemon) as old:
        assert not may_capture(old)
        assert not may(old, "Reload")
        configure(daemon, {"roles": {"capturer": [str(USER)]}})
        reload(daemon)
        assert not may_capture(old)
        with connect_as(daemon) as new:
            assert may_capture(new)
            assert not may(new, "Reload")
        with connect_as(daemon, USER + 1) as other:
            assert not may_capture(other)
        configure(daemon, {"roles": {"admin": [f"@{GROUP}"], "observer": [str(USER)]}})
        reload(daemon)
        with connect_as(daemon, USER + 1, [GROUP]) as admin:
            assert may(admin, "Reload")
        with connect_as(daemon, USER, [GROUP]) as observer:
            assert may(observer, "List")
            assert not may_capture(observer) and not may(observer, "Reload")


def test_only_administrators_load_user_code(start):
    """It is refused before anything looks at it."""
    daemon = start({"roles": {"capturer": [str(USER)], "admin": [str(USER + 1)]}})
    parameters = {"points": [KFREE], "userCode": "AAAA", "userFilter": True, "dryRun": True}
    with connect_as(daemon) as capturer:
        assert may_capture(capturer)
        with pytest.raises(Error) as caught:
            capturer.call("Start", parameters)
        assert caught.value.name == INTERFACE + "NotPermitted"
        assert caught.value.parameters["field"] == "userCode"
        assert "only administrators may load it" in caught.value.parameters["message"]
        # as long as code may be: to the daemon it is a call like any other
        with pytest.raises(Error) as caught:
            capturer.call("Start", {**parameters, "userCode": 40000 * "AAAA"})
        assert caught.value.name == INTERFACE + "NotPermitted"
    with connect_as(daemon, USER + 1) as admin:
        with pytest.raises(Error) as caught:
            admin.call("Start", parameters)
        assert caught.value.name == INTERFACE + "InvalidCode"


def test_root_stays_an_administrator(start):
    daemon = start({"roles": {"observer": ["root", "0", "@root"]}})
    assert reload(daemon) == {}


def test_unknown_names_are_warned_of(start):
    daemon = start({"roles": {"admin": ["no-such-user"], "capturer": ["@no-such-group"]}})
    assert 'no user "no-such-user" in /etc/passwd' in daemon.err
    assert 'no group "no-such-group" in /etc/group' in daemon.err
    with connect_as(daemon) as connection:
        assert not may_capture(connection)


def test_the_service_manager_is_told(start, directory):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(10)
        manager.bind(str(directory / "notify"))
        daemon = start({}, env={**os.environ, "NOTIFY_SOCKET": str(directory / "notify")})

        def next_state():
            while True:
                text = manager.recv(4096).decode()
                if "READY=1" in text or "RELOADING=1" in text:
                    return text
        assert "READY=1" in next_state()
        for config in ("{}", "{"):
            configure(daemon, config)
            daemon.signal(signal.SIGHUP)
            reloading = next_state()
            assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+\n?", reloading), reloading
            assert next_state().startswith("READY=1")


def check_config(build, *argv):
    return subprocess.run([build / "daemon/netcapd", *argv, "--check-config"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=15, check=False)


def test_check_config(build, tmp_path):
    path = tmp_path / "some.json"
    path.write_text('// comment\n{"limits": {"sessions": 3}}')
    done = check_config(build, "--config", path)
    assert done.returncode == 0 and done.stderr == ""
    shown = json.loads(done.stdout)
    assert shown["limits"]["sessions"] == 3 and shown["ledger"] is True
    path.write_text('{"limits":\n{"session": 3}}')
    done = check_config(build, "--config", path)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"netcapd: {path}:2: limits.session = 3: ")


def test_the_example_is_how_it_is_without(build, tmp_path):
    path = tmp_path / "empty.json"
    path.write_text("{}")
    shown = [check_config(build, "--config", p) for p in (EXAMPLE, path)]
    assert shown[0].returncode == 0, shown[0].stderr
    assert shown[0].stdout == shown[1].stdout


@pytest.mark.parametrize("text", [None, "{", '{"limits": {"connections": 1}}'])
def test_no_start_with_a_bad_configuration(build, tmp_path, text):
    path = tmp_path / "bad.json"
    if text:
        path.write_text(text)
    done = subprocess.run([build / "daemon/netcapd", "--socket", tmp_path / "sock", "--config", path],
                          capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"netcapd: {path}") and done.stderr.count("\n") == 1
    assert not (tmp_path / "sock").exists()
