# SPDX-License-Identifier: BSD-2-Clause
"""A client of the control socket that knows only the wire format: the tests' second opinion."""
import array
import json
import select
import socket
import time

INTERFACE = "io.netcap.Capture."


class Error(Exception):
    """An error reply."""

    def __init__(self, reply):
        self.name = reply["error"]
        self.parameters = reply.get("parameters", {})
        super().__init__(f"{self.name}: {self.parameters}")


class Closed(Exception):
    """The daemon closed the connection."""


class Connection:
    def __init__(self, path, timeout=10.0):
        self.timeout = timeout
        self.input = b""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send_bytes(self, data, fds=()):
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        sent = self.socket.sendmsg([data], passed)
        if sent < len(data):
            self.socket.sendall(data[sent:])

    def send(self, method, parameters=None, more=False, fds=()):
        call = {"method": method if "." in method else INTERFACE + method}
        if parameters is not None:
            call["parameters"] = parameters
        if more:
            call["more"] = True
        self.send_bytes(json.dumps(call).encode() + b"\0", fds)

    def receive(self, timeout=None):
        """The next message. Closed at the end, TimeoutError when nothing comes."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while b"\0" not in self.input:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise TimeoutError("the daemon did not answer")
            try:
                data = self.socket.recv(65536)
            except ConnectionError as error:
                raise Closed() from error
            if not data:
                raise Closed()
            self.input += data
        message, self.input = self.input.split(b"\0", 1)
        return json.loads(message)

    def reply(self, timeout=None):
        """The next reply's parameters; raises Error for an error reply."""
        message = self.receive(timeout)
        if "error" in message:
            raise Error(message)
        return message.get("parameters", {})

    def call(self, method, parameters=None, timeout=None):
        self.send(method, parameters)
        return self.reply(timeout)

    def wait_state(self, state, timeout=None):
        """Skips replies of a session until one has the state."""
        while True:
            reply = self.reply(timeout)
            if reply.get("state") == state:
                return reply
