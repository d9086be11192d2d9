# SPDX-License-Identifier: BSD-2-Clause
"""The service's metrics: by the control socket and by HTTP, read by a strict parser, with exact counts."""
import contextlib
import fcntl
import http.client
import json
import os
import select
import socket
import time

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import netcap
from lab import DEVICE, DROP_PORT
from netcap import Daemon, Session
from test_ledger import drops, has_drop_reasons

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
CONNECTIONS, HEADER_BYTES, SECONDS = 8, 8192, 10
GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Metrics:
    """Samples by name and labels. No series may come twice."""

    def __init__(self, text):
        assert text.endswith("\n# EOF\n")
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        samples = [sample for family in self.families.values() for sample in family.samples]
        self.samples = {(s.name, tuple(sorted(s.labels.items()))): s.value for s in samples}
        assert len(self.samples) == len(samples)

    def sum(self, name, /, **labels):
        return sum(value for (found, pairs), value in self.samples.items()
                   if found == name and labels.items() <= dict(pairs).items())


def by_method(daemon):
    with daemon.connect() as connection:
        return Metrics(connection.call("Metrics")["text"])


# ---- the method ----

def test_drops_are_exact(daemon, client, lab):
    lab.send_udp(b"x", count=37, port=DROP_PORT)
    lab.send_syns(41)
    done = client.run("metrics", encoding="utf-8")
    assert done.returncode == 0, done.stderr
    metrics = Metrics(done.stdout)
    labels = {"device": DEVICE, "netns": str(lab.b.inode)}
    if has_drop_reasons():
        labels |= {"reason": "NETFILTER_DROP", "subsystem": "core"}
        assert metrics.sum("netcap_drops_packets_total", **labels) == 78
        # one series of both protocols
        assert metrics.samples["netcap_drops_packets_total", tuple(sorted(labels.items()))] == 78
    assert metrics.sum("netcap_drops_packets_total", netns=str(lab.b.inode)) >= 78
    assert metrics.sum("netcap_drops_bytes_total", **labels) >= 37 * 29 + 41 * 40
    assert metrics.sum("netcap_ledger_running") == 1


def test_sums_are_all_drops(daemon, lab):
    lab.send_udp(b"x", count=53, port=DROP_PORT)

    def total(answer):
        return answer["packets"] + answer["overflow"]
    before = total(drops(daemon))
    metrics = by_method(daemon)
    after = total(drops(daemon))
    counted = metrics.sum("netcap_drops_packets_total") + metrics.sum("netcap_drops_overflow_packets_total")
    assert 53 <= before <= counted <= after
    assert {family.unit for name, family in metrics.families.items() if name.endswith("_packets")} == {"packets"}


def test_captures_are_counted_while_and_after_they_run(daemon, lab):
    names = {"hits": "netcap_capture_hits_packets_total", "filtered": "netcap_capture_filtered_packets_total",
             "captured": "netcap_capture_captured_packets_total", "limited": "netcap_capture_limited_packets_total"}

    def assert_counts(metrics, sessions, running):
        expected = {name: sum(s["counters"][name] for s in sessions) for name in sessions[0]["counters"]}
        for name, metric in names.items():
            assert metrics.sum(metric) == expected[name], (name, metrics.samples)
        assert metrics.sum("netcap_capture_lost_packets_total", where="ring") == expected["lostRing"]
        assert metrics.sum("netcap_capture_lost_packets_total", where="client") == expected["lostClient"]
        assert metrics.sum("netcap_sessions") == running

    assert by_method(daemon).sum(names["hits"]) == 0
    expression = lab.expression(f"udp port {DROP_PORT}")
    with Session(daemon, filter=expression) as session:
        lab.send_udp(b"x", count=29)
        assert netcap.wait_until(lambda: by_method(daemon).sum(names["captured"]) == 29)
        assert by_method(daemon).sum("netcap_sessions") == 1
        first, _ = session.end()
    assert daemon.wait_no_sessions()
    assert_counts(by_method(daemon), [first], 0)
    with Session(daemon, filter=expression) as session:
        lab.send_udp(b"x", count=31)
        second, _ = session.end()
    assert daemon.wait_no_sessions()
    metrics = by_method(daemon)
    assert_counts(metrics, [first, second], 0)
    assert metrics.sum(names["captured"]) == 60
    assert metrics.sum("netcap_capture_in_flight_packets") == 0


def test_the_daemon_itself(daemon):
    metrics = by_method(daemon)
    assert 0 < metrics.sum("process_cpu_seconds_total") < 60
    with open(f"/proc/{daemon.pid}/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    assert 0.5 * resident < metrics.sum("process_resident_memory_bytes") < 2 * resident
    assert abs(metrics.sum("process_open_fds") - len(os.listdir(f"/proc/{daemon.pid}/fd"))) <= 3
    assert 0 < metrics.sum("netcap_uptime_seconds") < 60
    assert metrics.sum("netcap_build_info") == 1


def test_layers(daemon):
    """Counters of one layer in the kernel's own words; others than this test's may go up meanwhile."""
    def udp_in_errors():
        with open("/proc/net/snmp", encoding="ascii") as file:
            names, values = [line.split() for line in file if line.startswith("Udp:")]
        return int(values[names.index("InErrors")])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        receiver.bind(("127.0.0.1", 0))
        for _ in range(20):
            sender.sendto(b"x" * 1000, receiver.getsockname())
    before = udp_in_errors()
    lost = by_method(daemon).sum("netcap_layer_lost_total", layer="protocol", name="UdpInErrors", device="")
    assert 0 < before <= lost <= udp_in_errors()


# ---- HTTP ----

class Activated(Daemon):
    """A daemon that gets its sockets as systemd passes them: [(name, socket), ...]."""

    def __init__(self, build, directory, passed, config):
        high = [fcntl.fcntl(s, fcntl.F_DUPFD, 100) for _, s in passed]
        moves = " ".join(f"{number}<&{fd} {fd}<&-" for number, fd in enumerate(high, start=3))
        script = f'export LISTEN_PID=$$; exec "$@" {moves}'
        environment = os.environ | {"LISTEN_FDS": str(len(passed)), "RUNTIME_DIRECTORY": str(directory),
                                    "LISTEN_FDNAMES": ":".join(name for name, _ in passed)}
        try:
            super().__init__(build, directory, prefix=("bash", "-c", script, "bash"), config=config,
                             env=environment, pass_fds=high)
        finally:
            for fd in high:
                os.close(fd)


def listening(address, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.bind(address)
    s.listen()
    return s


@pytest.fixture
def activate(build, tmp_path):
    """A function that starts a daemon with the control socket and these others."""
    with contextlib.ExitStack() as stack:
        def start(*others, enabled=True):
            path = tmp_path / "netcapd.sock"
            sockets = [("netcapd.socket", listening(str(path), socket.AF_UNIX))]
            sockets = [*others, *sockets]
            for _, s in sockets:
                stack.callback(s.close)
            daemon = Activated(build, tmp_path, sockets, json.dumps({"metrics": {"enabled": enabled}}))
            stack.callback(netcap.kill_children)
            stack.callback(finish, daemon, path)
            daemon.sessions()  # it is ready; the socket was before
            return daemon

        def finish(daemon, path):
            status = daemon.stop()
            path.unlink()
            assert status == daemon.expected_status, daemon.err
            netcap.assert_nothing_left()
        yield start


@pytest.fixture
def served(activate):
    """The address of a daemon's metrics over HTTP, and the daemon."""
    metrics = listening(("127.0.0.1", 0))
    return metrics.getsockname(), activate(("metrics", metrics))


def scrape(address):
    connection = http.client.HTTPConnection(*address, timeout=15)
    connection.request("GET", "/metrics")
    response = connection.getresponse()
    text = response.read().decode("utf-8")
    assert (response.status, response.headers["Content-Type"]) == (200, CONTENT_TYPE), text
    connection.close()
    return Metrics(text)


def connect(address, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(15)
    s.connect(address)
    return s


def read_all(s):
    """To the end that the daemon makes."""
    parts = []
    while part := s.recv(65536):
        parts.append(part)
    return b"".join(parts)


def ask(address, request, family=socket.AF_INET):
    """The status and the whole response."""
    with connect(address, family) as s:
        s.sendall(request)
        response = read_all(s)
    return int(response.split(b" ", 2)[1]), response


def test_scrape(served, lab):
    address, daemon = served
    lab.send_udp(b"x", count=43, port=DROP_PORT)
    assert scrape(address).sum("netcap_drops_packets_total", netns=str(lab.b.inode), device=DEVICE,
                               **({"reason": "NETFILTER_DROP"} if has_drop_reasons() else {})) == 43
    assert by_method(daemon).sum("netcap_ledger_running") == 1
    assert "metrics" not in daemon.err


@pytest.mark.parametrize("family, address", [(socket.AF_INET6, "::1"), (socket.AF_UNIX, "metrics.sock")])
def test_other_local_sockets(activate, tmp_path, family, address):
    s = listening(str(tmp_path / address) if family == socket.AF_UNIX else (address, 0), family)
    activate(("metrics", s))
    status, response = ask(s.getsockname(), GET, family)
    assert status == 200
    Metrics(response.split(b"\r\n\r\n", 1)[1].decode())


def test_many_scrapes_at_a_time(served):
    address, daemon = served
    scrapers = [connect(address) for _ in range(3 * CONNECTIONS)]
    for s in scrapers:
        s.sendall(GET)
    for s in scrapers:
        Metrics(read_all(s).split(b"\r\n\r\n", 1)[1].decode())
        s.close()
    daemon.assert_answers()


def test_client_that_sends_no_more(served):
    with connect(served[0]) as s:
        s.sendall(GET)
        s.shutdown(socket.SHUT_WR)
        assert read_all(s).endswith(b"\n# EOF\n")


@pytest.mark.parametrize("request_bytes, status", [
    (b"GET /metrics?x=y HTTP/1.0\r\n\r\n", 200),
    (b"GET / HTTP/1.1\r\n\r\n", 404),
    (b"GET /metrics/ HTTP/1.1\r\n\r\n", 404),
    (b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nx=y", 405),
    (b"HEAD /metrics HTTP/1.1\r\n\r\n", 405),
    (b"get /metrics HTTP/1.1\r\n\r\n", 405),
    (b"GET /metrics\r\n\r\n", 400),
    (b"GET /metrics SMTP\r\n\r\n", 400),
    (b" /metrics HTTP/1.1\r\n\r\n", 400),
    (b"\r\n\r\n", 400),
    (b"\0\xff GET\r\n\r\n", 400),
    (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * HEADER_BYTES + b"\r\n\r\n", 431),
    (b"GET /" + b"x" * 20000, 431)])
def test_requests(served, request_bytes, status):
    address, daemon = served
    found, response = ask(address, request_bytes)
    assert found == status, response
    assert (b"\r\nAllow: GET\r\n" in response) == (status == 405)
    assert daemon.alive


def test_slow_clients_end(served):
    """As many as there may be: those that send nothing, byte after byte, or do not close."""
    address, daemon = served
    began = time.monotonic()
    slow = [connect(address) for _ in range(CONNECTIONS)]
    slow[1].sendall(GET)
    with connect(address) as late:
        late.sendall(GET)
        while not select.select([late], [], [], 0.5)[0]:
            assert time.monotonic() - began < 2 * SECONDS, "nobody is served"
            with contextlib.suppress(ConnectionError):
                slow[0].sendall(b"G")
        assert read_all(late).endswith(b"\n# EOF\n")
    for s in slow[2:]:
        assert read_all(s) == b""
    for s in slow:
        s.close()
    daemon.assert_answers()


def test_endless_body(served):
    address, daemon = served
    with connect(address) as s, contextlib.suppress(ConnectionError):
        for _ in range(1000):
            s.sendall(b"POST /metrics HTTP/1.1\r\n\r\n" + b"x" * 10000)
        pytest.fail("10 MB were taken")
    scrape(address)
    daemon.assert_answers()


def test_clients_that_leave(served):
    address, daemon = served
    for _ in range(5 * CONNECTIONS):
        with connect(address) as s:
            s.sendall(GET)
    scrape(address)
    daemon.assert_answers()


def test_stop_with_connections(served):
    address, daemon = served
    with connect(address), connect(address) as other:
        other.sendall(GET[:10])
        daemon.assert_answers()
        assert daemon.stop() == 0


# ---- what is not served ----

def assert_refuses(address):
    """The daemon has closed it, and the test has the only descriptor that keeps it: nobody accepts."""
    with connect(address) as s:
        s.settimeout(0.5)
        s.sendall(GET)
        with pytest.raises(TimeoutError):
            s.recv(1)


def test_off(activate):
    s = listening(("127.0.0.1", 0))
    daemon = activate(("metrics", s), enabled=False)
    daemon.assert_answers()
    assert daemon.err.count("metrics.enabled") == 1
    assert_refuses(s.getsockname())
    by_method(daemon)


def test_address_of_others(activate):
    s = listening(("0.0.0.0", 0))
    daemon = activate(("metrics", s))
    daemon.assert_answers()
    assert f"0.0.0.0 port {s.getsockname()[1]}" in daemon.err and "127.0.0.1" in daemon.err
    assert_refuses(("127.0.0.1", s.getsockname()[1]))


def test_no_listening_stream(activate):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    daemon = activate(("metrics", s))
    daemon.assert_answers()
    assert "no listening stream socket" in daemon.err


def test_no_socket(activate):
    daemon = activate()
    daemon.assert_answers()
    assert "systemd passes no socket for metrics" in daemon.err


@pytest.mark.parametrize("names", [["metrics"], ["x", "y", "metrics"], ["metrics", "metrics", "control"]])
def test_sockets_that_are_not_expected(build, tmp_path, names):
    sockets = [(name, listening(("127.0.0.1", 0))) for name in names]
    with pytest.raises(AssertionError, match=f"systemd passes {len(names)} descriptors"):
        Activated(build, tmp_path, sockets, "{}")
    for _, s in sockets:
        s.close()
