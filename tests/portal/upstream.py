"""An upstream on loopback that answers what a test needs, and remembers what it was asked."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass
class Answer:
    status: int = 200
    body: bytes = b'{"code":"DE","n":1.10}'
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Upstream:
    def __init__(self) -> None:
        self.answer = Answer()
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.asked.append((self.command, self.path, headers, body))
                self.send_response(outer.answer.status)
                lines = {"Content-Type": outer.answer.kind, "Content-Length": str(len(outer.answer.body))}
                for name, value in (lines | outer.answer.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(outer.answer.body)

            do_GET = do_POST = handle_any  # noqa: N815  http.server's names

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Upstream":
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
