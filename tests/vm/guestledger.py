# SPDX-License-Identifier: BSD-2-Clause
"""What tests/vm/ledger runs in the guest: guestledger.py BUILD."""
import os
import pathlib
import socket
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import pcapng  # pylint: disable=wrong-import-position
from netcap import Daemon  # pylint: disable=wrong-import-position

CLOSED_PORT, USER_PORT, FULL_PORT = 9, 9111, 9222
SENT = {("ipv4", CLOSED_PORT): 37, ("ipv4", USER_PORT): 53, ("ipv6", USER_PORT): 61}
ADDRESSES = {"ipv4": (socket.AF_INET, "127.0.0.1"), "ipv6": (socket.AF_INET6, "::1")}
PORTS = {CLOSED_PORT: "system", USER_PORT: "user", FULL_PORT: "user"}


def release():
    return tuple(int(word) for word in os.uname().release.split("-")[0].split(".")[:2])


def send(protocol, port, count, payload=b"x" * 72):
    family, address = ADDRESSES[protocol]
    for _ in range(count):
        with socket.socket(family, socket.SOCK_DGRAM) as sender:  # none hears of the error of the one before
            sender.sendto(payload, (address, port))


def overflow_a_socket():
    """Packets that a socket has no room for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        receiver.bind(("127.0.0.1", FULL_PORT))
        receiver.setblocking(False)
        send("ipv4", FULL_PORT, 41, b"x" * 1000)
        received = 0
        try:
            while receiver.recv(2000):
                received += 1
        except BlockingIOError:
            return 41 - received


def drops(daemon, **query):
    with daemon.connect() as connection:
        return connection.call("Drops", query)


def udp_rows(daemon):
    return [row for row in drops(daemon)["rows"] if row["transport"] == "udp"]


def check(condition, text):
    if not condition:
        raise SystemExit(f"FAILED: {text}")


def check_row(rows, protocol, ports, reason, packets, functions):
    reason = reason if release() >= (5, 17) else ""
    found = [row for row in rows if (row["protocol"], row["ports"]) == (protocol, ports)
             and row["location"].split("+0x")[0] in functions]
    check(len(found) == 1, f"one row of {protocol} {ports} {reason} is expected: {rows}")
    row = found[0]
    check(row["packets"] == packets, f"{packets} packets are expected: {row}")
    # on kernels that say no reason, or only for some places, it is the one that they say
    check(row["reason"] in ("", reason, "NOT_SPECIFIED"), f"the reason is not {reason}: {row}")
    check(row["device"] == "lo" and row["ifindex"] == 1, f"the device is not lo: {row}")
    return row


def check_rows(daemon, full):
    rows = udp_rows(daemon)
    check(all("+0x" in row["location"] for row in rows), f"places have no names: {rows}")
    for (protocol, port), packets in SENT.items():
        row = check_row(rows, protocol, PORTS[port], "NO_SOCKET", packets,
                        ("__udp4_lib_rcv", "udp_rcv", "udp_unicast_rcv_skb") if protocol == "ipv4" else
                        ("__udp6_lib_rcv", "udpv6_rcv", "udp6_unicast_rcv_skb"))
        check(row["bytes"] == packets * 80, f"{packets * 80} bytes are expected: {row}")
    check_row(rows, "ipv4", "user", "SOCKET_RCVBUFF", full,
              ("__udp_queue_rcv_skb", "udp_queue_rcv_one_skb", "udp_queue_rcv_skb", "__udp_enqueue_schedule_skb"))


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


def check_samples(daemon):
    """Of each kind the first packets, with their bytes and stacks."""
    found = samples(daemon)
    for (protocol, port), _ in SENT.items():
        at = 14 + (20 if protocol == "ipv4" else 40)
        mine = [packet for packet in found if packet.data[at + 2:at + 4] == port.to_bytes(2, "big")
                and packet.data[at + 8:] == (b"x" * 72)[:128 - at - 8]]
        check(len(mine) >= 4, f"{len(mine)} samples of {protocol} to port {port}: {found}")
        for packet in mine:
            check(packet.meta["dev"] == "lo" and "+0x" in packet.meta["location"], f"{packet.meta}")
            check(len(packet.meta["stack"]) > 3 and not packet.meta["stack"][0].startswith("bpf"), f"{packet.meta}")
            check(packet.wire_len == at + 80, f"{packet}")
    return len(found)


def main():
    build = pathlib.Path(sys.argv[1])
    directory = pathlib.Path(tempfile.mkdtemp())
    start = time.monotonic()
    daemon = Daemon(build, directory)
    print(f"netcapd started in {time.monotonic() - start:.1f} s.")
    check("drops are not counted" not in daemon.err, daemon.err)
    for (protocol, port), count in SENT.items():
        send(protocol, port, count)
    full = overflow_a_socket()
    check_rows(daemon, full)
    print(f"{check_samples(daemon)} samples.")
    time.sleep(7)  # asleep by now, if nothing else is dropped here
    send("ipv4", CLOSED_PORT, 3)
    SENT["ipv4", CLOSED_PORT] += 3
    time.sleep(2.5)
    daemon.kill()
    (directory / "netcapd.sock").unlink(missing_ok=True)
    daemon = Daemon(build, directory)
    check_rows(daemon, full)
    check_samples(daemon)
    answer = drops(daemon, by="reason")
    print(f"{sum(SENT.values())} datagrams to closed ports and {full} to a full socket counted; overflow "
          f"{answer['overflow']} of {answer['packets']}; RSS {daemon_rss(daemon)} KiB.")
    check(daemon.stop() == 0, daemon.err)
    print(daemon.err)


def daemon_rss(daemon):
    with daemon.connect() as connection:
        return connection.call("Stats")["rss"] // 1024


if __name__ == "__main__":
    main()
