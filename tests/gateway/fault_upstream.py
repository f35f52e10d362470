"""A real upstream on a loopback socket whose answers are scripted by path, byte by byte, and which counts."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Request:
    line: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def method(self) -> str:
        return self.line.split()[0]

    @property
    def target(self) -> str:
        return self.line.split()[1]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


Answer = bytes | Callable[[socket.socket, Request], None]


@dataclass
class FaultUpstream:
    """`answers[path]` (without query) is sent as it is; a callable gets the socket, and closes it by an OSError.

    Any other path: 200 `ok`.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    context: ssl.SSLContext | None = None
    read_bodies: bool = True

    def __enter__(self) -> "FaultUpstream":
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://{self.place}"

    def targets(self) -> list[str]:
        return [request.target for request in self.requests]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        with contextlib.suppress(OSError, ValueError), connection:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection.makefile("rb") as lines:
                while request := self._read(lines):
                    self.requests.append(request)
                    answer = self.answers.get(request.target.partition("?")[0], OK)
                    answer(connection, request) if callable(answer) else connection.sendall(answer)
        self._open.discard(connection)

    def _read(self, lines) -> Request | None:
        line = lines.readline().decode("latin-1").strip()
        if line.count(" ") != 2:  # the end, or the rest of a body that was left unread
            return None
        headers = []
        while head := lines.readline().decode("latin-1").rstrip("\r\n"):
            name, _, value = head.partition(":")
            headers.append((name, value.strip()))
        request = Request(line, headers, b"")
        if self.read_bodies:
            request.body = self._body(lines, request)
        return request

    def _body(self, lines, request: Request) -> bytes:
        if request.header("transfer-encoding") == "chunked":
            chunks = []
            while size := int(lines.readline(), 16):
                chunks.append(lines.read(size))
                lines.readline()
            lines.readline()
            return b"".join(chunks)
        return lines.read(int(request.header("content-length") or 0))


def reply(body: bytes = b"ok", *headers: str, status: str = "200 OK", length: bool = True) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {len(body)}"] if length else []), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


OK = reply()


def then_hang_up(data: bytes) -> Answer:
    """Send some bytes and close in order."""

    def answer(connection: socket.socket, _: Request) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def then_reset(data: bytes) -> Answer:
    """Send some bytes and tear the connection down."""

    def answer(connection: socket.socket, _: Request) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        raise ConnectionAbortedError

    return answer


def silence(connection: socket.socket, _: Request) -> None:
    """Say nothing until the other side gives up."""
    connection.recv(1)
