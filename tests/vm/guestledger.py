# SPDX-License-Identifier: BSD-2-Clause
"""What tests/vm/ledger runs in the guest: guestledger.py BUILD."""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

# pylint: disable=wrong-import-position
import pcapng
from droptraffic import CLOSED_PORT, KINDS
from lab import DEVICE, Lab
from netcap import Daemon, drops_that_keep_awake, wait_until

K, K6, LATER = 101, 61, 3
REST_SECONDS = 10


def check(condition, text):
    if not condition:
        raise SystemExit(f"FAILED: {text}")


def rows_of(daemon, lab):
    rows = [row for row in daemon.drops()["rows"] if row["netns"] == lab.b.inode]
    check(all("+0x" in row["location"] for row in rows), f"places have no names: {rows}")
    return rows


class GuestDaemon(Daemon):
    """Emulated, the first answer with names of places may take long: /proc/kallsyms is read for it."""

    def connect(self, timeout=60.0):
        return super().connect(timeout)


def make_all(daemon, lab):
    """K drops of each kind, all of them counted when it returns."""
    for kind in KINDS:
        kind.make(lab, K)
        time.sleep(0.3)  # all kinds share 64 samples a second

    def counted():
        rows = rows_of(daemon, lab)
        return all(sum(row["packets"] for row in rows if kind.matches(row, lab.b.inode)) >= K
                   for kind in KINDS if kind.is_traced())
    wait_until(counted, 10)


def check_kind(rows, kind, packets, lab):
    found = [row for row in rows if kind.matches(row, lab.b.inode)]
    if not kind.is_traced():
        check(not found, f"this kernel does not tell of {kind.name}, but: {found}")
        return f"{kind.name:16} SKIP: this kernel frees such packets without its tracepoint skb:kfree_skb"
    check(len(found) == 1, f"one row of {kind.name} ({kind.expected_reason()}) is expected: {rows}")
    row = found[0]
    check(row["packets"] == packets, f"{packets} packets are expected: {row}")
    check(row["bytes"] == packets * kind.size, f"{packets * kind.size} bytes are expected: {row}")
    check(row["device"] == DEVICE and row["ifindex"] == lab.b.ifindex(), f"the device is not {DEVICE}: {row}")
    return (f"{kind.name:16} {row['packets']} packets counted, {packets} dropped: "
            f"{row['reason'] or '(no reasons)'} at {row['location']} on {row['device']}")


def check_ip6(rows):
    found = [row["packets"] for row in rows if (row["protocol"], row["transport"]) == ("ipv6", "udp")]
    check(found == [K6], f"one row of {K6} IPv6 datagrams is expected: {rows}")


def samples(daemon):
    reading, writing = os.pipe()
    with daemon.connect() as connection:
        connection.send("Drops", {"samples": True}, fds=[writing])
        os.close(writing)
        with open(reading, "rb") as file:
            capture = pcapng.parse(file.read())
        reply = connection.reply()
    check(reply["samples"] == len(capture.packets), f"the reply says {reply['samples']} samples")
    return capture.packets


def check_samples(daemon, lab):
    """
    Of each kind the first packets, with the place and the stack. test_samples compares the bytes. What else the guest
    drops may come between the rows and the samples, or between a kill and the file that it would have gone to.
    """
    rows = [row for row in rows_of(daemon, lab) if any(kind.matches(row, lab.b.inode) for kind in KINDS)]
    found = samples(daemon)
    for row in rows:
        # the name of the device is not known in a socket
        mine = [p for p in found if p.meta.get("location") == row["location"] and p.meta["ifindex"] == str(row["ifindex"])
                and p.meta["netns"] == str(row["netns"])]
        check(len(mine) >= min(4, row["packets"]), f"{len(mine)} samples of {row}")
        for packet in mine:
            check(len(packet.meta["stack"]) > 3 and not packet.meta["stack"][0].startswith("bpf"), f"{packet.meta}")
    return len(found)


def check_all(daemon, lab, counts):
    """A line of each kind."""
    rows = rows_of(daemon, lab)
    check_ip6(rows)
    return [check_kind(rows, kind, counts[kind], lab) for kind in KINDS]


def check_sleeps(daemon):
    dropped = drops_that_keep_awake(daemon, REST_SECONDS)
    check(dropped >= 0, f"nothing was dropped, and still netcapd never slept for {REST_SECONDS} s")
    told = f"SKIP: the guest itself drops all the time, {dropped} packets" if dropped else "no context switch"
    print(f"at rest for {REST_SECONDS} s: {told}; RSS {daemon.usage().rss_kib} KiB.")


def restart(daemon, build, directory):
    daemon.kill()
    daemon.socket_path.unlink(missing_ok=True)
    return GuestDaemon(build, directory)


def test(build, lab, directory):
    start = time.monotonic()
    daemon = GuestDaemon(build, directory)
    print(f"netcapd started in {time.monotonic() - start:.1f} s.")
    check("drops are not counted" not in daemon.err, daemon.err)
    counts = {kind: K for kind in KINDS}
    make_all(daemon, lab)
    lab.send_udp(b"x", count=K6, port=CLOSED_PORT, family=socket.AF_INET6)
    check_all(daemon, lab, counts)
    print(f"{check_samples(daemon, lab)} samples.")
    check_sleeps(daemon)
    KINDS[0].make(lab, LATER)  # which wakes it
    counts[KINDS[0]] += LATER
    time.sleep(2.5)
    daemon = restart(daemon, build, directory)
    print("\n".join(check_all(daemon, lab, counts)), flush=True)
    check_samples(daemon, lab)
    answer = daemon.drops(by="reason")
    print(f"after a kill and a start; overflow {answer['overflow']} of {answer['packets']}.")
    check(daemon.stop() == 0, daemon.err)
    print(daemon.err)


def main():
    build = pathlib.Path(sys.argv[1])
    subprocess.run(["modprobe", "veth"], check=True)
    lab = Lab(None, None)
    try:
        lab.configure()
        test(build, lab, pathlib.Path(tempfile.mkdtemp()))
    finally:
        lab.close()


if __name__ == "__main__":
    main()
