# SPDX-License-Identifier: BSD-2-Clause
"""Packets that are followed: through NAT, a tunnel and namespaces, among others that take the same way."""
import base64
import collections
import contextlib
import os
import re
import shutil
import subprocess
import time

from guestlab import BACKENDS, Capture, Failed, K, Skipped, run, wait_until

# A client, a router that translates both addresses and puts packets into a tunnel, and a server.
BPFFS = "/run/bpf-track"  # of the guest, which goes with it
CLIENT, ROUTER, SERVER = "track_c", "track_r", "track_s"
VIRTUAL, REAL = "10.99.0.9", "10.63.0.2"
PORT, SINK_PORT, OTHER_PORT = 7000, 7001, 7002
FILTER = f"udp and dst host {VIRTUAL} and dst port {PORT}"  # true before the translation only
MARK = b"track-%04d."
OTHERS, OTHER_SECONDS, OTHER_RATE = 60000, 20, 10000  # packets at most, for so long at most, a second
# How often each packet passes: out of the client, into the tunnel and out of the router; there, and at the far end in
# the tunnel and behind it; and a clone of it for who listens on the router's device. These functions run with softirqs
# off, or in them, so none is interrupted by itself, which the kernel would not run a program for.
DUE = {"dev_hard_start_xmit": 3, "ip_forward": 1, "ip_local_deliver": 2, "udp_rcv": 2, "vxlan_rcv": 1, "packet_rcv": 1}
EVENTS = sum(DUE.values())

SINK = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", {SINK_PORT}))
print("ready", flush=True)
while True:
    print(s.recv(2048).decode(), flush=True)
"""

# One that takes each packet of a device: the kernel makes a clone for it.
LISTEN = """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("r1", 3))
print("ready", flush=True)
while True:
    s.recv(2048)
"""

# In portions of 10 ms. Nobody takes them at the far end.
FLOOD = f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
start = time.monotonic()
sent = 0
while sent < {OTHERS} and time.monotonic() - start < {OTHER_SECONDS}:
    due = min((time.monotonic() - start) * {OTHER_RATE}, sent + {OTHER_RATE} // 100)
    while sent < due:
        s.sendto(b"another one", ("{VIRTUAL}", {OTHER_PORT}))
        sent += 1
    time.sleep(0.001)
"""

# Packets that nobody reads: they live as long as the socket.
HOARDED = 2003
OTHER_FILTER = f"udp and dst host {REAL} and dst port {OTHER_PORT}"
HOARD = f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
s.bind(("{REAL}", {OTHER_PORT}))
print("ready", flush=True)
time.sleep(60)
"""
FILL = f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range({HOARDED}):
    s.sendto(b"one more", ("{VIRTUAL}", {OTHER_PORT}))
    time.sleep(0.0005)
"""

SEND = f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range({K}):
    s.sendto({MARK!r} % n, ("{VIRTUAL}", {PORT}))
    time.sleep(0.02)
"""

RULES = f"""
add table ip track
add chain ip track in {{ type nat hook prerouting priority -100; }}
add chain ip track out {{ type nat hook postrouting priority 100; }}
add rule ip track in ip daddr {VIRTUAL} udp dport {PORT} dnat to {REAL}:{SINK_PORT}
add rule ip track in ip daddr {VIRTUAL} udp dport {OTHER_PORT} dnat to {REAL}:{OTHER_PORT}
add rule ip track out oifname vx masquerade
"""

NETWORK = (
    f"-n {CLIENT} link add c0 type veth peer name r0 netns {ROUTER}",
    f"-n {ROUTER} link add r1 type veth peer name s0 netns {SERVER}",
    f"-n {ROUTER} link add vx type vxlan id 7 dstport 4789 remote 10.62.0.2 local 10.62.0.1 dev r1",
    f"-n {SERVER} link add vx type vxlan id 7 dstport 4789 remote 10.62.0.1 local 10.62.0.2 dev s0",
    f"-n {CLIENT} addr add 10.61.0.2/24 dev c0", f"-n {ROUTER} addr add 10.61.0.1/24 dev r0",
    f"-n {ROUTER} addr add 10.62.0.1/24 dev r1", f"-n {SERVER} addr add 10.62.0.2/24 dev s0",
    f"-n {ROUTER} addr add 10.63.0.1/24 dev vx", f"-n {SERVER} addr add {REAL}/24 dev vx",
)


@contextlib.contextmanager
def helper(namespace, code):
    with subprocess.Popen(["ip", "netns", "exec", namespace, "python3", "-c", code], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


class Lab:
    """The three hosts."""

    def __enter__(self):
        for module in ("veth", "vxlan"):
            run("modprobe", module)
        try:
            for namespace in (CLIENT, ROUTER, SERVER):
                run("ip", "netns", "add", namespace)
            for command in NETWORK:
                run("ip", *command.split())
            for namespace, devices in ((CLIENT, ("c0",)), (ROUTER, ("r0", "r1", "vx")), (SERVER, ("s0", "vx"))):
                for device in ("lo", *devices):
                    run("ip", "-n", namespace, "link", "set", device, "addrgenmode", "none")
                    run("ip", "-n", namespace, "link", "set", device, "up")
            run("ip", "-n", CLIENT, "route", "add", "default", "via", "10.61.0.1")
            run("ip", "netns", "exec", ROUTER, "sysctl", "-qw", "net.ipv4.ip_forward=1")
            run("ip", "netns", "exec", ROUTER, "nft", RULES)
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for namespace in (CLIENT, ROUTER, SERVER):
            run("ip", "netns", "del", namespace, check=False)

    @staticmethod
    def send():
        """K packets, of which each must arrive; a driver with an XDP program may change their order."""
        with helper(SERVER, SINK) as sink:
            run("ip", "netns", "exec", CLIENT, "python3", "-c", SEND)
            arrived = sorted(sink.stdout.readline().strip() for _ in range(K))
        if arrived != [(MARK % n).decode() for n in range(K)]:
            raise Failed(f"other packets arrived than were sent: {arrived}")


def due_of(options):
    """On 5.10 types of modules are not to be had, without which there is no fentry in them."""
    untyped = not os.path.exists("/sys/kernel/btf/vxlan")
    return {name: n for name, n in DUE.items() if name != "vxlan_rcv" or not untyped or "fentry" not in options}


def points(due):
    typed = os.path.exists("/sys/kernel/btf/vxlan")
    return ",".join(name if typed or name != "vxlan_rcv" else name + "@2" for name in due)


def check_tracks(capture, due):
    """Each packet has a number of its own, and all of its events, and no others, have it."""
    ways, marks = collections.defaultdict(collections.Counter), collections.defaultdict(set)
    for packet in capture.packets:
        found = re.search(rb"track-\d{4}\.", base64.b64decode(packet["data"]))
        if not found or "track" not in packet:
            raise Failed(f"a packet that does not belong here: {packet}")
        ways[packet["track"]][packet["point"]] += 1
        marks[packet["track"]].add(found[0])
    wrong = {track: dict(way) for track, way in ways.items() if way != due}
    if wrong:
        raise Failed(f"{due} were due of each packet, and came: {wrong}")
    if len(ways) != K or sorted(map(list, marks.values())) != [[MARK % n] for n in range(K)]:
        raise Failed(f"{K} packets were due, each with a number: {dict(marks)}")
    summary = " ".join(capture.errors)
    if f"{K} packets tracked, 0 evicted" not in summary:
        raise Failed(f"{K} tracked packets and no evictions were due: {summary}")


def test_way(t, *options):
    due = due_of(options)
    with helper(ROUTER, LISTEN):
        capture = Capture(t, points(due), "--track", *options, expression=FILTER)
        with helper(CLIENT, FLOOD) as flood:
            start = time.monotonic()
            Lab.send()
            seconds = time.monotonic() - start
            if flood.poll() is not None:
                raise Failed("the others had ended before the packets were sent")
        time.sleep(0.3)
        capture.end().expect_none_lost()
    check_tracks(capture, due)
    others = int(re.search(r"ip_forward: (\d+) hits", " ".join(capture.errors))[1]) - K
    return f"{others} others in {seconds:.1f} s"


@contextlib.contextmanager
def xdp_program(t):
    """One that lets all packets pass, at the server's device: the driver makes an xdp_buff of each, and an sk_buff of that."""
    os.makedirs(BPFFS)
    run("mount", "-t", "bpf", "bpf", BPFFS)
    run("bpftool", "prog", "loadall", f"{t.build}/tests/vm/xdpports.bpf.o", f"{BPFFS}/xdpports")
    run("ip", "netns", "exec", SERVER, "bpftool", "net", "attach", "xdpdrv", "pinned", f"{BPFFS}/xdpports/xdp_by_port",
        "dev", "s0")
    yield
    run("ip", "netns", "exec", SERVER, "bpftool", "net", "detach", "xdpdrv", "dev", "s0")


def test_xdp(t):
    with xdp_program(t):
        return test_way(t)


def test_group(t):
    """The events of each packet come together when it is freed, and not at the end only."""
    with helper(ROUTER, LISTEN):
        capture = Capture(t, points(DUE), "--track", "--group", expression=FILTER)
        Lab.send()
        if not wait_until(lambda: len(capture.packets) == K * EVENTS, 10):
            raise Failed(f"{K * EVENTS} events were due in 10 s, and {len(capture.packets)} came")
        capture.end().expect_none_lost()
    check_tracks(capture, DUE)
    order = [packet["track"] for packet in capture.packets]
    if order != sorted(order, key=order.index):
        raise Failed(f"the events of a packet are apart: {order}")
    for number, packet in enumerate(capture.packets):
        if packet["event"] != number % EVENTS + 1 or packet["events"] != EVENTS or \
                ("since_ns" in packet) != (packet["event"] > 1):
            raise Failed(f"not as event {number} should be: {packet}")


def test_eviction(t):
    """More than there is room for at a time: what is forgotten is counted."""
    with helper(SERVER, HOARD):
        capture = Capture(t, "ip_local_deliver", "--track", "--track-size", "1024", expression=OTHER_FILTER)
        run("ip", "netns", "exec", CLIENT, "python3", "-c", FILL)
        time.sleep(0.5)
        capture.end().expect_none_lost()
    packets, evicted = map(int, re.search(r"(\d+) packets tracked, (\d+) evicted", " ".join(capture.errors)).groups())
    if packets != HOARDED or not HOARDED - 1024 <= evicted < HOARDED:
        raise Failed(f"of {HOARDED} tracked packets some must be evicted: {capture.errors}")
    return f"{evicted} of {packets} evicted"


def say_all(t):
    ways = [("by fentry and kprobes as is best", ())]
    ways += [(f"by {b}", ("--backend", b)) for b in BACKENDS]
    if not shutil.which("nft"):
        t.say("--track", lambda: skip("nft is not installed"))
        return
    with Lab():
        with helper(ROUTER, LISTEN):
            Lab.send()
        for name, options in ways:
            t.say(f"--track through NAT, VXLAN and namespaces, {name}", lambda o=options: way(t, o))
        t.say("--track, matched in one namespace", lambda: test_way(t, "--netns", CLIENT))
        t.say("--track through an XDP program", lambda: test_xdp(t))
        t.say("--group", lambda: test_group(t))
        t.say("--track, more than there is room for", lambda: test_eviction(t))


def skip(why):
    raise Skipped(why)


def way(t, options):
    if options:
        t.need(options[1])
    return test_way(t, *options)
