# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of user code share."""
import contextlib
import os
import pathlib
import re
import socket
import struct
import subprocess
import time

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "usercode"
QUEUE = "tracepoint:net:net_dev_queue"
DROP = "tracepoint:skb:kfree_skb"
PROBE = "tracepoint:tcp:tcp_probe@2@1"  # of a socket, and what it received
PORT = 9001
ALL_VALUES = "{a: 0x12345678; b: 1000; c: 2002; x1: M; x2: 0x11; x3: 0xabcd; }"
# of exchange(): what the receiver's socket has counted at its three segments with data, and that with FIN
SEGMENTS = [f"{{state: 0x1; segs_in: {count}; }}" for count in (3, 4, 5, 6)]
COMPILE_SECONDS = 60  # a second or two, but other work on the machine counts, too

FILTER = "static inline int xcap_user_filter(void *ctx, void *pkt, u16 trace_index)\n{{\n{}\n}}\n"
ACTION = ("struct xcap_user_extend {{\n{}\n}};\nstatic inline int xcap_user_action(void *ctx, void *pkt, u32 pkt_len, "
          "struct xcap_user_extend *user, u16 trace_index)\n{{\n{}\n\treturn 1;\n}}\n")


@contextlib.contextmanager
def capture(client, daemon, *argv):
    """A capture that is attached; it is ended behind the with, and its output complete then."""
    process = client.start("skb", *argv)
    daemon.wait_sessions(timeout=COMPILE_SECONDS)
    yield process
    time.sleep(0.1)
    assert process.interrupt() == 0, process.err


def shown(text):
    """The lines of actions."""
    return [line.strip() for line in text.splitlines() if line.startswith("    {")]


def heads(text):
    return [line for line in text.splitlines() if re.match(r"\d\d:\d\d:\d\d\.\d{6} ", line)]


def compiled(client, source, made, *options):
    """The object of a source."""
    done = subprocess.run([client.program, "compile", source, "-o", made, *options], capture_output=True, text=True,
                          timeout=COMPILE_SECONDS, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    return made


def read_trace(pattern=r"user filter at trace point \d+"):
    """What programs printed."""
    with open("/sys/kernel/tracing/trace", encoding="ascii", errors="replace") as file:
        return re.findall(rf"bpf_trace_printk: ({pattern})", file.read())


def exchange(lab):
    """A connection with three segments of data, closed on both sides."""
    with lab.b.socket(kind=socket.SOCK_STREAM) as server, lab.a.socket(kind=socket.SOCK_STREAM) as one:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((lab.b.address, 8888))
        server.listen()
        one.connect((lab.b.address, 8888))
        other, _ = server.accept()
        for _ in range(3):
            one.sendall(b"hello")
            assert other.recv(5) == b"hello"
        one.close()
        assert other.recv(1) == b""
        other.close()
        time.sleep(0.3)


def section(elf, prefix):
    """The bytes of the first section whose name begins so."""
    at, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<3H", elf, 58)
    headers = [struct.unpack_from("<2I4Q2I2Q", elf, at + i * size) for i in range(count)]
    for header in headers:
        name = headers[names][4] + header[0]
        if elf[name:].startswith(prefix):
            return elf[header[4]:header[4] + header[5]]
    raise KeyError(prefix)
