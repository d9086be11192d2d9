# SPDX-License-Identifier: BSD-2-Clause
"""A tun device whose reader is late: packets wait in it for as long as the reader pleases."""
import fcntl
import os
import struct
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000
CLONE_DEVICE = "/dev/net/tun"


class TunReader:
    """
    A tun device in a host's namespace, that what is sent to the network 198.18.0.0/24 goes to. It says when packets
    were sent and read, CLOCK_MONOTONIC, so that a test knows the delay better than it was asked for.
    """
    DEVICE = "tundelay"
    NETWORK = "198.18.0"

    def __init__(self, host):
        self.host = host
        self.fd = -1

    def __enter__(self):
        with self.host.entered():
            self.fd = os.open(CLONE_DEVICE, os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", self.DEVICE.encode(), IFF_TUN | IFF_NO_PI))
        self.host.ip("address", "add", f"{self.NETWORK}.1/24", "dev", self.DEVICE)
        self.host.ip("link", "set", self.DEVICE, "up")
        return self

    def __exit__(self, *_):
        os.close(self.fd)  # and the device goes with it

    def read(self, payload):
        """The packet with these bytes; others, as of neighbour discovery, are left out."""
        while payload not in (packet := os.read(self.fd, 65536)):
            pass
        return packet

    def delay(self, payload, port, seconds):
        """
        Sends one packet and reads it so much later. How long it waited, at least and at most, in nanoseconds: this
        process may have to wait for a processor before and after each of the two calls.
        """
        with self.host.socket() as sender:
            before = time.monotonic_ns()
            sender.sendto(payload, (f"{self.NETWORK}.2", port))
            sent = time.monotonic_ns()
            time.sleep(seconds)
            asked = time.monotonic_ns()
            self.read(payload)
            return asked - sent, time.monotonic_ns() - before
