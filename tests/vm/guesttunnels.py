# SPDX-License-Identifier: BSD-2-Clause
"""Packets in tunnels, with tags, cut up and in large pieces: the same bytes as on the devices."""
import base64
import contextlib
import os
import re
import socket
import struct
import subprocess
import time

from guestlab import (
    DEV, HERE, THERE, SUMMARY_SECONDS, Capture, Failed, K, Skipped, run, run_ip)

LARGE = 5000      # bytes of a datagram that is cut up
BULK = 1 << 20    # bytes of a stream, which the stack sends in pieces of up to 64 KiB
SIXES = {HERE: "fd00:227::45", THERE: "fd00:227::72"}
BULK_PORT, ECHO_PORT = 7229, 7230
WHOLE = ("--capture-max-size", "262144")


def peer(*argv):
    return run("ip", "-n", "peer", *argv)


def keep_neighbours(where, device):
    """Those that are known are not asked again in the middle of a test."""
    command = ("ip", "netns", "exec", "peer") if where else ()
    run(*command, "sysctl", "-qw", f"net.ipv4.neigh.{device}.delay_first_probe_time=3600")


def make_up(where, link, device, address):
    """A device, up and without IPv6, which would speak of itself in the middle of a test."""
    run_ip(where, (f"link add {link}", f"link set {device} addrgenmode none", f"addr add {address}/24 dev {device}",
                   f"link set {device} up"))


ECHO = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", {ECHO_PORT}))
print("ready", flush=True)
while True:
    data, address = s.recvfrom(65536)
    s.sendto(data, address)
"""


def exchange(address, count, size):
    """count datagrams, each sent when the last one has come back: then nothing is on the way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        for n in range(count):
            s.sendto(bytes([n]) * size, (address, ECHO_PORT))
            s.recv(65536)


class Tunnel:
    """A device here and one at the peer, with addresses of its own."""

    def __init__(self, name, options, number, link="ethernet", tunnel=None):
        self.name, self.options, self.link = name, options, link
        self.here, self.there = f"10.{number}.0.1", f"10.{number}.0.2"
        self.tunnel = tunnel or name

    def __enter__(self):
        for where, remote, local, address in (
                ((), THERE, HERE, self.here), (("-n", "peer"), HERE, THERE, self.there)):
            options = self.options.format(
                remote=remote, local=local, remote6=SIXES[remote], local6=SIXES[local],
                dev=DEV if not where else "v1")
            try:
                make_up(where, f"t_{self.name} type {options}", f"t_{self.name}", address)
            except Failed as why:
                if "Unknown device type" in str(why) or "Operation not supported" in str(why):
                    raise Skipped(f"this kernel has no devices of type {options.split()[0]}") from why
                raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Failed):
            run("ip", "link", "del", f"t_{self.name}")
        with contextlib.suppress(Failed):
            peer("link", "del", f"t_{self.name}")

    def send(self, count, size=62):
        exchange(self.there, count, size)


TUNNELS = (
    Tunnel("vxlan", "vxlan id 7 dstport 4789 remote {remote} local {local} dev {dev}", 101),
    Tunnel("vxlan8472", "vxlan id 7 dstport 8472 remote {remote} local {local} dev {dev}", 102, tunnel="vxlan"),
    Tunnel("geneve", "geneve id 9 remote {remote}", 103),
    Tunnel("gre", "gre key 5 remote {remote} local {local}", 104, link="raw"),
    Tunnel("gretap", "gretap remote {remote} local {local}", 105, tunnel="gre"),
    Tunnel("ipip", "ipip remote {remote} local {local}", 106, link="raw"),
    # with the option that limits how deep tunnels may be in one another, in front of the packet
    Tunnel("ip6tnl", "ip6tnl mode ipip6 remote {remote6} local {local6}", 110, link="raw", tunnel="ipip"),
    Tunnel("vxlan6", "vxlan id 8 dstport 4789 remote {remote6} local {local6} dev {dev} udp6zerocsumrx", 111,
           tunnel="vxlan"),
)
VLANS = (
    Tunnel("vlan", "vlan id 17", 107),
    Tunnel("qinq", "vlan protocol 802.1ad id 8", 108),
)


def add_vlan(v):
    for where, below, address in (((), DEV, v.here), (("-n", "peer"), "v1", v.there)):
        make_up(where, f"link {below} name t_{v.name} type {v.options}", f"t_{v.name}", address)


# ---- what tcpdump sees ----

class Tcpdump:
    def __init__(self, t, direction, device, expression):
        self.path = os.path.join(t.directory, f"tcpdump-{direction}.pcap")
        self.process = subprocess.Popen(
            ["tcpdump", "-Z", "root", "-i", device, "-Q", direction, "-s", "0", "-B", "65536", "--immediate-mode",
             "-U", "-w", self.path,
             expression], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = ""
        while "listening on" not in line:
            line = self.process.stderr.readline()
            if not line:
                raise Failed("tcpdump did not start")

    def end(self):
        time.sleep(0.5)
        self.process.send_signal(2)
        words = self.process.communicate(timeout=SUMMARY_SECONDS)[1]
        if not re.search(r"^0 packets dropped by kernel", words, re.M):
            raise Failed(f"tcpdump lost packets: {words}")
        with open(self.path, "rb") as file:
            data = file.read()
        cooked = 16 if data[20] == 113 else 0  # LINKTYPE_LINUX_SLL: a header of tcpdump's own
        found, at = [], 24
        while at < len(data):
            length = struct.unpack("<I", data[at + 8:at + 12])[0]
            found.append(data[at + 16 + cooked:at + 16 + length])
            at += 16 + length
        return found


def same_frames(what, captured, seen):
    if captured == seen:
        return
    for number, (a, b) in enumerate(zip(captured, seen)):
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            raise Failed(f"{what}: frame {number} of {len(a)} bytes is not that of tcpdump, of {len(b)}, "
                         f"from byte {at}: {a[at:at + 16].hex()}, {b[at:at + 16].hex()}")
    raise Failed(f"{what}: {len(captured)} frames came, and tcpdump has {len(seen)}; the first one too many is "
                 f"{(captured[len(seen):] or seen[len(captured):])[0][:60].hex()}")


def frames(capture):
    return [base64.b64decode(p["data"]) for p in capture.packets]


def test_equal(t, what, traffic, minimum, device=DEV, expression="ip"):
    """What comes in and what goes out, beside tcpdump on the same device at the same time."""
    captures = [Capture(t, f"tracepoint:net:{point}", "-i", device, *WHOLE, expression=expression)
                for point in ("netif_receive_skb", "net_dev_queue")]
    dumps = [Tcpdump(t, direction, device, expression) for direction in ("in", "out")]
    traffic()
    seen = [dump.end() for dump in dumps]
    for number, direction in enumerate(("in", "out")):
        captures[number].end().expect_none_lost()
        same_frames(f"{what}, {direction}", frames(captures[number]), seen[number])
    if sum(map(len, seen)) < minimum:
        raise Failed(f"{what}: at least {minimum} frames were due, and {list(map(len, seen))} came")
    return f"{len(seen[0])} frames in, {len(seen[1])} out"


def bulk():
    """A stream in the largest pieces that there are."""
    code = (f"import socket; s = socket.create_server(('{THERE}', {BULK_PORT})); print('ready', flush=True); "
            f"c = s.accept()[0]; n = 0\nwhile n < {BULK}: n += len(c.recv(1 << 20))")
    with subprocess.Popen(["ip", "netns", "exec", "peer", "python3", "-c", code], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as server:
        server.stdout.readline()
        with socket.create_connection((THERE, BULK_PORT)) as s:
            s.sendall(os.urandom(BULK))
            server.wait(30)


def test_tunnel(t, tunnel):
    """The packet inside, at the device below, is the one that the tunnel's device carries."""
    with tunnel:
        tunnel.send(1)
        time.sleep(0.2)
        inside = Tcpdump(t, "out", f"t_{tunnel.name}", f"udp dst port {ECHO_PORT}")
        captures = [Capture(t, f"tracepoint:net:{point}", "-i", dev, *where, "--inner", *WHOLE,
                            expression=f"udp dst port {ECHO_PORT} and dst host {tunnel.there}")
                    for point, dev, where in (("net_dev_queue", DEV, ()),
                                              ("netif_receive_skb", "v1", ("--netns", "peer")))]
        tunnel.send(K)
        due = inside.end()
        for capture in captures:
            time.sleep(0.1)
            capture.end().expect(K)
            same_frames(tunnel.name, frames(capture), due)
            wrong = [p for p in capture.packets if p.get("tunnel") != tunnel.tunnel or p["link"] != tunnel.link]
            if wrong:
                raise Failed(f"{tunnel.tunnel} and {tunnel.link} were due: {wrong[0]}")
        outer = Capture(t, "tracepoint:net:net_dev_queue", "-i", DEV,
                        expression=f"udp dst port {ECHO_PORT} and dst host {tunnel.there}")
        tunnel.send(3)
        outer.end().expect(0)


def test_tunnel_equal(t, tunnel):
    with tunnel:
        tunnel.send(1)
        time.sleep(0.2)
        note = [test_equal(t, f"{tunnel.name} on {device}", lambda: (tunnel.send(K), tunnel.send(3, LARGE)),
                           2 * (K + 3), device) for device in (DEV, f"t_{tunnel.name}")]
        return "; ".join(note)


def test_vlan_equal(t):
    """A tag, and a tag in a tag."""
    run("modprobe", "8021q")
    inner = Tunnel("tag2", "vlan id 9", 109)
    try:
        for v in VLANS:
            add_vlan(v)
        for where, address in (((), inner.here), (("-n", "peer"), inner.there)):
            make_up(where, "link t_qinq name t_tag2 type vlan id 9", "t_tag2", address)
        everything = (*VLANS, inner)
        for v in everything:
            v.send(1)
        time.sleep(0.2)
        return test_equal(t, "vlan", lambda: [v.send(K) for v in everything], 6 * K,
                          expression="vlan")
    finally:
        for name in ("t_tag2", "t_qinq", "t_vlan"):
            for where in ((), ("-n", "peer")):
                with contextlib.suppress(Failed):
                    run("ip", *where, "link", "del", name)


def test_fragments_equal(t):
    return test_equal(t, "fragments", lambda: exchange(THERE, K, LARGE), 8 * K)


def say_all(t):
    keep_neighbours((), DEV)
    keep_neighbours((), "default")  # of which devices to come get a copy, in any namespace
    keep_neighbours(("-n", "peer"), "v1")
    with subprocess.Popen(["ip", "netns", "exec", "peer", "python3", "-c", ECHO], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as echo:
        echo.stdout.readline()
        run("ip", "addr", "add", SIXES[HERE] + "/64", "dev", DEV, "nodad")
        peer("addr", "add", SIXES[THERE] + "/64", "dev", "v1", "nodad")
        try:
            say_each(t)
        finally:
            echo.kill()
            run("ip", "addr", "del", SIXES[HERE] + "/64", "dev", DEV)
            peer("addr", "del", SIXES[THERE] + "/64", "dev", "v1")


def say_each(t):
    for tunnel in TUNNELS:
        t.say(f"--inner, {tunnel.name}", lambda x=tunnel: test_tunnel(t, x))
    for tunnel in TUNNELS[:6]:
        t.say(f"as tcpdump sees it, {tunnel.name}", lambda x=tunnel: test_tunnel_equal(t, x))
    t.say("as tcpdump sees it, VLAN tags", lambda: test_vlan_equal(t))
    t.say("as tcpdump sees it, pieces of 64 KiB", lambda: test_equal(t, "bulk", bulk, 16))
    t.say("as tcpdump sees it, IP fragments", lambda: test_fragments_equal(t))
