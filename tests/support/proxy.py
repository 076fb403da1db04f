"""A loopback proxy before an MLflow server that can be made to fail in the ways in which servers and networks do."""

import contextlib
import socket
import threading
from enum import Enum, auto


class Mood(Enum):
    """What becomes of a request."""

    PASS = auto()
    REFUSE = auto()
    """The port is closed, as when the server is stopped."""
    HOLE = auto()
    """It is accepted and never answered."""
    ERROR_500 = auto()
    BUSY_429 = auto()
    LOSE_REPLY = auto()
    """The server does what it is asked to, and the connection ends before its answer."""


_ANSWERS = {Mood.ERROR_500: b"HTTP/1.1 500 Internal Server Error", Mood.BUSY_429: b"HTTP/1.1 429 Too Many Requests"}


class Proxy:
    """One request a connection; `mood` may change at any time and holds for each request that comes after."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.num_requests = 0
        self._mood = Mood.PASS
        self._held: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._listen()

    @property
    def mood(self) -> Mood:
        """What becomes of requests now."""
        return self._mood

    @mood.setter
    def mood(self, mood: Mood) -> None:
        self._mood = mood
        if mood is Mood.REFUSE:
            self._close_port()
        elif self._listener is None:
            self._listen()
        if mood is not Mood.HOLE:
            self._let_go()

    def close(self) -> None:
        """Free the port and all connections."""
        self._close_port()
        self._let_go()

    def _listen(self) -> None:
        self._listener = listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _close_port(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
            self._listener.close()
            self._listener = None

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for connection in held:
            connection.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            request = _read(connection)
            self.num_requests += bool(request)
            mood = self._mood
            if mood is Mood.HOLE:
                self._held.append(connection)
                return
            if mood in _ANSWERS:
                connection.sendall(
                    b"HTTP/1.1 " + _ANSWERS[mood] + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            elif request:
                answer = self._forward(request)
                if mood is not Mood.LOSE_REPLY:
                    connection.sendall(answer)
        connection.close()

    def _forward(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection(("127.0.0.1", self._target_port), timeout=60) as server:
            server.sendall(b"\r\n".join([*lines, b"Connection: close", b"", body]))
            parts = []
            while part := server.recv(65536):
                parts.append(part)
        head, _, body = b"".join(parts).partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        return b"\r\n".join([*lines, b"Connection: close", b"", body])


def _read(connection: socket.socket) -> bytes:
    """A request with its whole body."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := connection.recv(65536)):
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        if not (part := connection.recv(65536)):
            return b""
        body += part
    return head + b"\r\n\r\n" + body
