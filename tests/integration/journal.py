# SPDX-License-Identifier: BSD-2-Clause
"""The journal as netcapd sees it: a datagram socket at journald's address, in a mount namespace of its own."""
import contextlib
import pathlib
import re
import socket
import threading

import netcap

CODE = pathlib.Path(__file__).parents[2] / "daemon/journal.c"
# $1: the directory with the socket. systemd says by JOURNAL_STREAM which file standard error is.
UNDER_JOURNAL = """
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && mount --bind "$1" /run/systemd/journal &&
shift && JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"
"""


def message_ids():
    """The ids that netcapd sends, by the names of its kinds of entries."""
    return dict(re.findall(r"\[JOURNAL_(\w+)\] = \"([0-9a-f]{32})\"", CODE.read_text(encoding="ascii")))


def parse(datagram):
    """An entry in the Native Journal Protocol. Every field must be there once."""
    fields = {}
    while datagram:
        line, datagram = datagram.split(b"\n", 1)
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(datagram[:8], "little")
            value, end, datagram = datagram[8:8 + length], datagram[8 + length:9 + length], datagram[9 + length:]
            assert end == b"\n", "a field is longer or shorter than it says"
        assert name.decode() not in fields, f"{name} is there twice"
        fields[name.decode()] = value.decode()
    return fields


class Journal:
    """directory: where the socket is made."""

    def __init__(self, directory):
        self.directory = directory
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(directory / "socket"))
        self.socket.settimeout(10)

    def start_daemon(self, build, directory, config='{"journal": {"drops": false}}', **options):
        """By itself one that does not tell of drops: they come when other hosts of this machine like it."""
        return netcap.Daemon(build, directory, ["unshare", "--mount", "sh", "-ec", UNDER_JOURNAL, "sh",
                                                self.directory], config=config, **options)

    def read(self):
        """The next entry; its MESSAGE_ID replaced by the name of the kind."""
        entry = parse(self.socket.recv(1 << 16))
        names = {number: name for name, number in message_ids().items()}
        entry["MESSAGE_ID"] = names[entry["MESSAGE_ID"]]
        return entry

    def drain(self):
        """All entries that wait."""
        entries = []
        self.socket.settimeout(0)
        try:
            while True:
                entries.append(self.read())
        except BlockingIOError:
            self.socket.settimeout(10)
        return entries

    @contextlib.contextmanager
    def read_along(self):
        """A list that grows by itself: its queue is short, and what finds no room there is not told."""
        entries, ended = [], threading.Event()

        def read():
            while not ended.wait(0.05):
                entries.extend(self.drain())
            entries.extend(self.drain())
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield entries
        finally:
            ended.set()
            thread.join(10)

    def assert_empty(self):
        assert not self.drain(), "there is an entry too many"

    def close(self):
        self.socket.close()
