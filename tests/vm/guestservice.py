# SPDX-License-Identifier: BSD-2-Clause
"""What the test of the service needs: systemd, its journal, the control socket, users, and what is in the kernel."""
import ctypes
import json
import os
import pathlib
import pwd
import re
import socket
import struct
import subprocess
import threading
import time
import types

from guestlab import CLOSED_PORT, K, PAYLOAD, Capture
from guesttap import Failed, Skipped, run, wait_until

SERVICE, SOCKET_UNIT = "netcapd.service", "netcapd.socket"
SOCKET = "/run/netcapd/netcapd.sock"
USER, GROUP = "netcapd", "netcap"
DROPINS = pathlib.Path(f"/run/systemd/system/{SERVICE}.d")
TRAFFIC = f"udp and dst port {CLOSED_PORT}"
DROPS = "tracepoint:skb:kfree_skb"
CALL_SECONDS = 60  # of emulated and maybe loaded machines


# ---- systemd ----

def show(name, unit=SERVICE):
    return run("systemctl", "show", "-P", name, unit).strip()


def expect(what, found, wanted):
    if found != wanted:
        raise Failed(f"{what} is {found!r}, and {wanted!r} was due")


def expect_active():
    if not wait_until(lambda: show("ActiveState") == "active", CALL_SECONDS):
        raise Failed(f"the service is {show('ActiveState')}: {run('systemctl', 'status', SERVICE, check=False)}")


def status(pid="", field=""):
    """A line of /proc/PID/status of the service's main process."""
    with open(f"/proc/{pid or show('MainPID')}/status", encoding="ascii") as file:
        return re.search(rf"^{field}:\s+(.*)$", file.read(), re.MULTILINE)[1]


def unit_setting(name):
    """All of a setting that may be there more than once."""
    return " ".join(re.findall(rf"^{name}=(.*)$", run("systemctl", "cat", SERVICE), re.MULTILINE))


class Dropin:
    """A drop-in for the service while the block lasts; the service is started anew before and after."""

    def __init__(self, name, text):
        self.path, self.text = DROPINS / name, text

    def __enter__(self):
        DROPINS.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.text, encoding="utf-8")
        self.again()
        return self

    def __exit__(self, *_):
        self.path.unlink()
        self.again()

    @staticmethod
    def again():
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed", SERVICE)
        run("systemctl", "restart", SERVICE)


def example(name):
    """The text of an example that is installed."""
    found = [p for root in ("/usr", "/usr/local")
             for p in pathlib.Path(root).glob(f"share/doc/netcapd/examples/{name}")]
    if not found:
        raise Failed(f"no {name} is installed under share/doc/netcapd/examples")
    return found[0].read_text(encoding="utf-8")


class Journal:
    """What the service has logged since this was made."""

    def __init__(self):
        run("journalctl", "--sync")
        # of the service's own entries: systemd 252 leaves out one entry too many after another's cursor
        text = run("journalctl", "-u", "netcapd", "-n", "1", "--show-cursor")
        self.cursor = re.search(r"^-- cursor: (.*)$", text, re.MULTILINE)[1]

    def entries(self):
        run("journalctl", "--sync")
        text = run("journalctl", "-u", "netcapd", "-o", "json", "--after-cursor", self.cursor)
        return [json.loads(line) for line in text.splitlines()]

    def find(self, pattern):
        """The one entry whose message matches."""
        found = [e for e in self.entries() if re.fullmatch(pattern, str(e["MESSAGE"]))]
        if len(found) != 1:
            raise Failed(f"{len(found)} entries match {pattern!r}: {[e['MESSAGE'] for e in self.entries()]}")
        return found[0]


# ---- the control socket ----

class Caller:
    """A connection that calls at once and reads the reply when asked."""

    def __init__(self, method="org.varlink.service.GetInfo"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(CALL_SECONDS)
        self.socket.connect(SOCKET)
        self.socket.sendall(json.dumps({"method": method}).encode() + b"\0")

    def reply(self):
        text = b""
        with self.socket as s:
            while not text.endswith(b"\0"):
                data = s.recv(65536)
                if not data:
                    raise Failed(f"the connection was closed after {text!r}")
                text += data
        return json.loads(text[:-1])

    def expect_reply(self):
        reply = self.reply()
        if reply.get("parameters", {}).get("product") != "netcapd":
            raise Failed(f"not what GetInfo says: {reply}")


def netcapctl(*arguments):
    return json.loads(run("netcapctl", *arguments, "--json"))


# ---- users, traffic, captures ----

def make_users():
    """One in the group, one not, each with a program that is netcapctl for him."""
    run("systemd-sysusers", "--inline", "u member - Member /", "u stranger - Stranger /", f"m member {GROUP}")
    for user in ("member", "stranger"):
        path = pathlib.Path(f"/run/netcapctl-{user}")
        path.write_text(f"#!/bin/sh\nexec setpriv --reuid={user} --regid={pwd.getpwnam(user).pw_gid} --init-groups "
                        'netcapctl "$@"\n', encoding="ascii")
        path.chmod(0o755)


def traffic(count):
    """count datagrams to a closed port of this host."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(count):
            s.sendto(bytes(PAYLOAD), ("127.0.0.1", CLOSED_PORT))
            time.sleep(0.002)


def start(points=DROPS, *options, expression=TRAFFIC, client="netcapctl"):
    caller = types.SimpleNamespace(client=client, daemon=types.SimpleNamespace(socket=SOCKET))
    return Capture(caller, points, *options, expression=expression)


def capture(*arguments, **more):
    """K datagrams, each of which must be captured."""
    session = start(*arguments, **more)
    traffic(K)
    time.sleep(0.1)
    session.end().expect(K)
    return session


class NameServer:
    """Answers every question for an address with 127.0.0.1, on port 53 of this host."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.asked = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            question, sender = self.socket.recvfrom(512)
            self.asked += 1
            end = question.index(b"\0", 12) + 5
            kind, = struct.unpack("!H", question[end - 4:end - 2])
            answers = kind == 1
            reply = question[:2] + struct.pack("!HHHHH", 0x8180, 1, answers, 0, 0) + question[12:end]
            if answers:
                reply += struct.pack("!HHHIH4s", 0xc00c, 1, 1, 60, 4, socket.inet_aton("127.0.0.1"))
            self.socket.sendto(reply, sender)


# ---- the kernel ----

BPF, NEXT_ID, GET_FD, GET_INFO = 321, 11, 13, 15  # bpf(2), and its commands for programs: linux/bpf.h
UID, NAME, INFO_BYTES = 48, 64, 80  # of bpf_prog_info, as far as it is read


def bpf(command, *words):
    attributes = (ctypes.c_uint32 * 8)(*words)
    return ctypes.CDLL(None, use_errno=True).syscall(BPF, command, attributes, ctypes.sizeof(attributes)), attributes


def bpf_programs(user):
    """Names and ids of the BPF programs that a user has loaded. (systemd has some, too.)"""
    uid, last, found = pwd.getpwnam(user).pw_uid, 0, []
    while True:
        code, attributes = bpf(NEXT_ID, last)
        if code:
            return found
        last = attributes[1]
        fd, _ = bpf(GET_FD, last)
        if fd < 0:
            continue  # it has gone
        info = ctypes.create_string_buffer(INFO_BYTES)
        address = ctypes.addressof(info)
        code, _ = bpf(GET_INFO, fd, INFO_BYTES, address & 0xffffffff, address >> 32)
        os.close(fd)
        if code:
            raise Failed("the kernel does not tell about its BPF programs")
        if struct.unpack_from("=I", info, UID)[0] == uid:
            found.append((info.raw[NAME:NAME + 16].rstrip(b"\0").decode(), last))


def processes_of(user):
    """Command lines of a user's processes."""
    uid, found = pwd.getpwnam(user).pw_uid, []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if entry.stat().st_uid == uid:
                found.append((entry / "cmdline").read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue  # it has ended
    return found


def wakeups(pid):
    """How often the threads of a process have gone to sleep."""
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(encoding="ascii"),
                             re.MULTILINE)[1]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def need_program(name, why):
    if not any(os.access(f"{folder}/{name}", os.X_OK) for folder in ("/usr/bin", "/usr/sbin")):
        raise Skipped(why)
    return name


def need_kprobe_multi():
    features = {f["name"]: f for f in netcapctl("features")["features"]}
    if not features["kprobe.multi"]["available"]:
        raise Skipped("this kernel has no kprobe.multi")


def popen(*argv):
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True)
