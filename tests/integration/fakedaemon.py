# SPDX-License-Identifier: BSD-2-Clause
"""A daemon that answers with what it was told to: for tests of how netcapctl shows a reply."""
import json
import socket
import threading

INTERFACE = "io.netcap.Capture."


class FakeDaemon:
    """replies: by method, a list of what is answered: parameters, or Error, or None to hang up.

    A call with more gets all of them, and, when the caller hangs up half the connection, last."""

    def __init__(self, path, **replies):
        self.replies = replies
        self.last = None
        self.calls = []
        self.socket_path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(path))
        self.socket.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.socket.close()
        self.socket_path.unlink()
        assert not self.thread.is_alive(), "the client never hung up"

    def _serve(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            with connection:
                try:
                    self._answer(connection)
                except ConnectionError:
                    pass

    def _answer(self, connection):
        data = b""
        while not data.endswith(b"\0"):
            part = connection.recv(65536)
            if not part:
                return
            data += part
        call = json.loads(data[:-1])
        self.calls.append(call)
        more = call.get("more", False)
        for reply in self.replies[call["method"].removeprefix(INTERFACE)]:
            if reply is None:
                return
            connection.sendall(self._message(reply, more))
        while connection.recv(65536):
            pass
        if more and self.last:
            connection.sendall(self._message(self.last, False))

    @staticmethod
    def _message(reply, more):
        if isinstance(reply, Error):
            message = {"error": INTERFACE + reply.name, "parameters": reply.parameters}
        else:
            message = {"parameters": reply, **({"continues": True} if more else {})}
        return json.dumps(message).encode() + b"\0"


class Error:
    def __init__(self, name, **parameters):
        self.name = name
        self.parameters = parameters
