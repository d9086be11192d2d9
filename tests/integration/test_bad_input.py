# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong is said in one sentence, with a non-zero exit, and leaves nothing attached."""
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

import netcap
from netcap import Session
from varlink import Closed, Error

KFREE = "tracepoint:skb:kfree_skb"
NOBODY = 65534
FAILED, USAGE, NO_DAEMON, GONE = 1, 2, 3, 4
LONG_NAME = "tracepoint:skb:" + "x" * 300


def assert_one_sentence(text, *parts):
    lines = text.strip().splitlines()
    assert len(lines) == 1, f"not one sentence: {text!r}"
    assert lines[0].startswith("netcapctl: "), text
    assert len(lines[0]) > 30, f"no sentence: {text!r}"
    for part in parts:
        assert part in lines[0], f"{part!r} is not in {lines[0]!r}"


@pytest.fixture
def idle(daemon):
    """Checks that the daemon holds afterwards what it held before, and answers."""
    before = netcap.bpf_left()
    yield daemon
    assert daemon.sessions() == []
    daemon.assert_answers()
    assert netcap.wait_until(lambda: netcap.bpf_left() <= before), "something is still attached"


@pytest.mark.parametrize("arguments, status, parts", [
    (["-f", "tracepoint:skb:kfree_skbb"], FAILED, ["skb:kfree_skbb", "skb:kfree_skb"]),
    (["-f", "tracepoint:nosuch:kfree_skb"], FAILED, ["nosuch", "skb:kfree_skb"]),
    (["-f", "tracepoint:sched:sched_switch"], FAILED, ["sched:sched_switch", "sk_buff"]),
    (["-f", KFREE + "@9"], FAILED, ["9"]),
    (["-f", "icmp_rcv"], FAILED, ["icmp_rcv"]),
    (["-f", KFREE, "-e", "tcp port"], FAILED, ["tcp port", "syntax error"]),
    (["-f", KFREE, "-e", "host 999.1.1.1"], FAILED, ["host 999.1.1.1"]),
    (["-f", KFREE, "-i", "nosuch0"], FAILED, ["nosuch0"]),
    (["-f", KFREE, "--netns", "nosuch"], FAILED, ["nosuch"]),
    (["-f", KFREE, "--netns", "/dev/null"], FAILED, ["/dev/null"]),
    (["-f", "tracepoint:"], USAGE, ["tracepoint:"]),
    (["-f", LONG_NAME], USAGE, []),
    (["-f", "nosuchkind:skb:kfree_skb"], USAGE, ["nosuchkind"]),
    (["-f", KFREE, "-c", "many"], USAGE, ["many"]),
    (["-f", KFREE, "--mark", "0x1/0x0"], USAGE, ["0x1/0x0"]),
    (["-f", KFREE, "--capture-max-size", "262145"], USAGE, ["262145"]),
    (["-f", KFREE, "-e", "x" * 1025], USAGE, ["1024"]),
    (["-f", KFREE, "--stack-dump-color", "mauve"], USAGE, ["mauve"]),
    (["-f", KFREE, "-w", "/nosuch/file"], FAILED, ["/nosuch/file"]),
    (["-f", KFREE, "--format", "pcap"], USAGE, ["-w"]),
    (["-f", KFREE, "-t", "--nosuchflag"], USAGE, ["nosuchflag"]),
    (["-f", KFREE, "surplus"], USAGE, ["surplus"]),
    (["--nosuch"], USAGE, ["--nosuch"]),
    ([], USAGE, ["-f"]),
], ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_command_line(client, idle, arguments, status, parts):
    done = client.run("skb", *arguments)
    assert_one_sentence(done.stderr, *parts)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("verb", ["skb", "points", "features", "reload", "drops", "metrics", "profile"])
def test_help_of_a_verb(lone_client, verb):
    texts = [lone_client.run(*words).stdout for words in (("help", verb), (verb, "--help"))]
    assert texts[0] == texts[1] and f"netcapctl {verb}" in texts[0]


def test_help_of_no_verb(lone_client):
    done = lone_client.run("help", "skbs")
    assert done.returncode == USAGE
    assert_one_sentence(done.stderr, '"skbs"', "--help")


@pytest.mark.parametrize("words", [("help", "skb", "list"), ("--help", "skb", "list"),
                                   ("help", "skb", "extra", "more")], ids=" ".join)
def test_help_of_several_verbs(lone_client, words):
    done = lone_client.run(*words)
    assert done.returncode == USAGE and done.stdout == ""
    assert_one_sentence(done.stderr, words[0], f'"{words[2]}"', "--help")


def test_nearest_names_are_offered(idle):
    with idle.connect() as connection, pytest.raises(Error) as caught:
        connection.send("Start", {"points": ["tracepoint:skb:kfre_skb"]}, more=True)
        connection.reply()
    assert caught.value.name == "io.netcap.Capture.UnknownPoint"
    assert any("skb:kfree_skb" in name for name in caught.value.parameters["nearest"])


def test_nearest_names_are_shown(client):
    """One sentence says what is wrong and where to look, and one asks."""
    done = client.run("skb", "-f", "tracepoint:skb:kfree_skbs")
    assert done.returncode == 1
    assert done.stderr.endswith("?\n") and " Did you mean tracepoint:skb:kfree_skb" in done.stderr
    assert done.stderr.count("netcapctl points") == 1


def test_an_interface_of_another_namespace_is_known(client, daemon, lab):
    """The name is looked up where the packets are, not only where netcapctl runs."""
    process = client.start("skb", "-f", KFREE, "--netns", lab.b.name, "-i", "veth0", "-c", 3)
    daemon.wait_sessions()
    lab.send_syns(3)
    assert process.wait() == 0, process.err


def test_no_tcpdump(client, idle):
    hide = ["unshare", "-m", "sh", "-c", 'for t in "$@"; do mount --bind /dev/null "$t"; shift; '
            '[ "$1" = -- ] && break; done; shift; exec "$@"', "sh"]
    tools = [path for path in (f"{d}/tcpdump" for d in ("/usr/bin", "/usr/sbin", "/usr/local/bin",
             "/usr/local/sbin")) if os.path.exists(path) and not os.path.islink(path)]
    done = subprocess.run([*hide, *tools, "--", client.program, *client.options, "skb", "-f", KFREE],
                          capture_output=True, text=True, timeout=15, check=False)
    assert_one_sentence(done.stderr, "tcpdump", "-w", "--json")
    assert done.returncode == FAILED


@pytest.fixture
def public_client(build):
    """A copy of netcapctl where any user can run it."""
    with tempfile.TemporaryDirectory(prefix="netcap-test-") as directory:
        os.chmod(directory, 0o755)
        yield shutil.copy(build / "client/netcapctl", directory)


def run_as_nobody(*argv):
    return subprocess.run(argv, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True,
                          text=True, timeout=15, check=False)


@pytest.mark.parametrize("verb", [["skb", "-f", KFREE], ["list"], ["stats"]])
def test_no_daemon_and_no_privilege(public_client, verb):
    done = run_as_nobody(public_client, *verb)
    assert_one_sentence(done.stderr, "netcapd")
    assert done.returncode == NO_DAEMON


def test_no_daemon_at_the_given_socket(build, tmp_path):
    path = tmp_path / "nosuch.sock"
    done = subprocess.run([build / "client/netcapctl", "--socket", path, "list"], timeout=15,
                          capture_output=True, text=True, check=False)
    assert_one_sentence(done.stderr, str(path))
    assert done.returncode == NO_DAEMON


def test_a_daemon_that_may_not_be_asked(build, public_client):
    """The socket can be reached, but its mode keeps others out."""
    with tempfile.TemporaryDirectory(prefix="netcap-test-") as directory:
        os.chmod(directory, 0o755)
        daemon = netcap.Daemon(build, pathlib.Path(directory))
        try:
            done = run_as_nobody(public_client, "--socket", daemon.socket_path, "list")
            assert_one_sentence(done.stderr, str(daemon.socket_path))
            assert done.returncode == NO_DAEMON
            assert daemon.stop() == 0
        finally:
            netcap.kill_children()


@pytest.mark.parametrize("options", [[], ["-w", "FILE"], ["--json"]])
def test_daemon_killed_in_the_middle(client, daemon, lab, tmp_path, options):
    options = [str(tmp_path / "file.pcapng") if o == "FILE" else o for o in options]
    process = client.start("skb", "-f", KFREE, "-e", lab.expression("tcp"), *options)
    daemon.wait_sessions()
    lab.send_syns(3)
    daemon.kill()
    assert process.wait() == GONE, process.err
    assert "netcapd" in process.err.splitlines()[-1], process.err


def answer_or_close(daemon, data, fds=()):
    """Sends bytes and waits for the daemon's reaction, which must be quick; the reply or None."""
    times = []
    for _ in range(3):
        with daemon.connect() as connection:
            start = time.monotonic()
            try:
                connection.send_bytes(data, fds)
                reply = connection.receive(5)
            except (Closed, ConnectionError):
                reply = None
            times.append(time.monotonic() - start)
        if times[-1] < 0.1:
            break
    assert times[-1] < 0.1, f"the reaction took {times} s"
    return reply


START = b'{"method":"io.netcap.Capture.Start","more":true,"parameters":%s}\0'
LIST = b'{"method":"io.netcap.Capture.List"%s}\0'


@pytest.mark.parametrize("data", [
    b"\0", b"\0\0\0", b"{}\0", b"[]\0", b"null\0", b"1\0", b'""\0', b"{\0", b"}\0", b"\xff\xfe\0",
    b'{"method":1}\0', b'{"method":null}\0', b'{"method":""}\0', b'{"method":"."}\0',
    b'{"method":"List"}\0', b'{"method":"io.netcap.Capture."}\0',
    b'{"method":"io.netcap.Capture.Nosuch"}\0', b'{"method":"org.nosuch.List"}\0',
    b"{'method':'io.netcap.Capture.List'}\0", LIST % b',"surplus":1', LIST % b',"more":"yes"',
    LIST % b',"parameters":[]', LIST % b',"parameters":{"surplus":1}', LIST % b',',
    LIST % b',"method":"io.netcap.Capture.List"', LIST[:-1] % b"" + b" x\0",
    b"[" * 10000 + b"\0", b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\0",
    START % b"{}", START % b'{"points":[]}', START % b'{"points":"x"}', START % b'{"points":[1]}',
    START % b'{"points":[""]}', START % b'{"points":["tracepoint:skb:kfree_skb\\u0000"]}',
    START % b'{"points":["tracepoint:skb:kfree_skb"],"snaplen":-1}',
    START % b'{"points":["tracepoint:skb:kfree_skb"],"snaplen":NaN}',
    START % b'{"points":["tracepoint:skb:kfree_skb"],"snaplen":1e3}',
    START % b'{"points":["tracepoint:skb:kfree_skb"],"snaplen":"96"}',
    START % b'{"points":["tracepoint:skb:kfree_skb"],"snaplen":99999999999999999999}',
    START % b'{"points":["tracepoint:skb:kfree_skb"],"ringBytes":1}',
    START % b'{"points":["tracepoint:skb:kfree_skb"],"stack":1}',
    START % b'{"points":["tracepoint:skb:kfree_skb"],"pid":1,"pid":1}',
    START % b'{"points":["tracepoint:skb:kfree_skb"],"interface":"aaaaaaaaaaaaaaaaaaaaaaaaa"}',
    START % (b'{"points":["tracepoint:skb:kfree_skb"],"filter":"' + b"a" * 2000 + b'"}'),
    START % (b'{"points":[' + b'"tracepoint:skb:kfree_skb",' * 70 + b'"x"]}'),
    START % b'{"points":["tracepoint:skb:kfree_skb"],"filter":"tcp port \\ud800"}',
    b"A" * 270000, b'{"method":"' + b"A" * 65000 + b'"}\0', b"\x16\x03\x01\x02\x00\x01" * 20000,
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n\0",
], ids=lambda data: repr(data[:44]))
def test_hostile_messages(idle, data):
    reply = answer_or_close(idle, data)
    assert reply is None or "error" in reply, reply


def test_start_without_more_is_refused(idle):
    with idle.connect() as connection, pytest.raises((Error, Closed)):
        connection.call("Start", {"points": [KFREE]})


def test_many_calls_in_one_message(idle):
    with idle.connect() as connection:
        connection.send_bytes(LIST % b"" * 500)
        for _ in range(500):
            assert connection.reply() == {"sessions": []}


def test_a_call_in_pieces(idle):
    with idle.connect() as connection:
        for byte in LIST % b"":
            connection.send_bytes(bytes([byte]))
        assert connection.reply() == {"sessions": []}


def test_half_a_call_and_goodbye(idle):
    for _ in range(50):
        with idle.connect() as connection:
            connection.send_bytes(b'{"method":"io.netcap.Cap')


def foreign_fds():
    """Name, and a function that returns descriptors to pass and others to keep open."""
    def opened(path, flags=os.O_RDWR):
        return lambda: ([os.open(path, flags)], [])

    def regular():
        with tempfile.TemporaryFile() as file:
            return [os.dup(file.fileno())], []

    def pipe_read_end():
        read, write = os.pipe()
        return [read], [write]

    def listening():
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind("")
        listener.listen(1)
        return [listener.detach()], []

    def epoll():
        with select.epoll() as instance:
            return [os.dup(instance.fileno())], []

    def two():
        read, write = os.pipe()
        return [write, os.dup(write)], [read]

    return {"regular file": regular, "null": opened("/dev/null"), "tty": opened("/dev/ptmx"),
            "directory": opened("/", os.O_RDONLY), "path": opened("/", os.O_PATH),
            "epoll": epoll,
            "eventfd": lambda: ([os.eventfd(0)], []), "memfd": lambda: ([os.memfd_create("x")], []),
            "read end of a pipe": pipe_read_end, "listening socket": listening, "two pipes": two}


@pytest.mark.parametrize("kind", foreign_fds())
def test_foreign_descriptors(idle, kind):
    passed, kept = foreign_fds()[kind]()
    try:
        with idle.connect() as connection:
            start = time.monotonic()
            connection.send("Start", {"points": [KFREE]}, more=True, fds=passed)
            with pytest.raises(Error) as caught:
                connection.reply()
            assert time.monotonic() - start < 1
        assert caught.value.name == "io.netcap.Capture.BadDescriptor"
        assert len(caught.value.parameters["message"]) > 20
    finally:
        for fd in passed + kept:
            os.close(fd)


def test_descriptors_are_not_hoarded(daemon):
    """Passed with calls that need none, with garbage, and with nothing at all behind them."""
    def count():
        return len(os.listdir(f"/proc/{daemon.pid}/fd"))
    daemon.assert_answers()
    before = count()
    read, write = os.pipe()
    with daemon.connect() as connection:
        for _ in range(20):
            connection.send("List", fds=[write, write, write])
            try:
                connection.receive()
            except Closed:
                break
    for _ in range(20):
        with daemon.connect() as connection:
            connection.send_bytes(b"x", [write] * 10)
    os.close(write)
    assert netcap.wait_until(lambda: count() <= before), f"{count()} descriptors, before {before}"
    os.close(read)


def loop_seconds(daemon):
    """CPU time of the daemon's event loop: unlike the clock it knows nothing of other load."""
    with open(f"/proc/{daemon.pid}/task/{daemon.pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


def test_a_slow_filter_keeps_nobody_waiting(idle):
    expression = " or ".join(f"host {i}.2" for i in range(1, 200))[:1020].rsplit(" or ", 1)[0]
    with idle.connect() as slow, idle.connect() as other:
        slow.send("Start", {"points": [KFREE], "filter": expression, "dryRun": True})
        for _ in range(20):
            start = loop_seconds(idle)
            other.call("List")
            assert loop_seconds(idle) - start < 0.03
        try:
            slow.reply()
        except Error as error:
            assert error.name == "io.netcap.Capture.InvalidFilter"


def test_a_pipe_that_nobody_reads_any_more(daemon, lab):
    """The reader went away: the session ends, its counts still come, the daemon lives on."""
    with Session(daemon, reading=False, filter=lab.expression("udp")) as session:
        os.close(session.read_end)
        session.read_end = os.open("/dev/null", os.O_RDONLY)
        lab.flood(1000, 0)
        ended = session.connection.wait_state("ended")
        counters = ended["session"]["counters"]
        netcap.assert_identity(counters)
    daemon.assert_answers()


def test_signals_end_netcapctl_with_its_summary(client, daemon, lab):
    for number in (signal.SIGINT, signal.SIGTERM):
        process = client.start("skb", "-f", KFREE, "-e", lab.expression("tcp"))
        daemon.wait_sessions()
        process.signal(number)
        process.wait()
        assert "hits" in process.err and "captured" in process.err
        assert daemon.wait_no_sessions()
