"""A recording upstream: answers any path with what it received, and counts. `python -m demo.echo --port 9000`.

Its own small server, because what it reports (the raw target, the order and case of fields, connections,
broken framing) is what frameworks hide.

    any path                    {"method", "target", "headers": [[name, value]…], "body_sha256", "body_len"}
    /slow?ms=250                the same, later
    /status?code=500&every=10   the same with that status, on every 10th call with this query
    GET /__stats                {"requests", "connections", "bad"} since the last reset, without these two
    POST /__reset
"""

import argparse
import asyncio
import hashlib
import json
import signal
from collections import Counter
from dataclasses import dataclass, field
from http.client import responses
from typing import Any

from demo.framing import Bad, Head, parse_chunk_size, parse_head

LOOPBACK = "127.0.0.1"
HEAD_LIMIT = 64 << 10
PIECE = 64 << 10
SLOWEST_MS = 60_000
BODILESS = {204, 304}


@dataclass
class Echo:
    """What has been seen since the last reset."""

    requests: int = 0
    connections: int = 0
    bad: int = 0
    turns: Counter[str] = field(default_factory=Counter)  # calls to /status, by query

    def reset(self) -> None:
        self.requests = self.connections = self.bad = 0
        self.turns.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its end."""
        counted = False
        try:
            while (head := await read_head(reader)) is not None:
                if head.values("expect"):
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                digest, length = await read_body(reader, head)
                if not (control := self.control(head)):
                    self.requests += 1
                    self.connections += not counted
                    counted = True
                status, body = control or await self.answer(head, digest, length)
                writer.write(reply(status, body, head))
                await writer.drain()
                if not head.keep_alive:
                    return
        except Bad as bad:
            self.bad += 1
            writer.write(reply(400, {"bad": str(bad)}, None))
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # cut off in the middle: neither a request nor bad, its sender may have died
        finally:
            writer.close()

    def control(self, head: Head) -> tuple[int, dict[str, Any]] | None:
        """Answer the two calls that are about the others, or None."""
        match head.method, head.path:
            case "GET", "/__stats":
                return 200, {"requests": self.requests, "connections": self.connections, "bad": self.bad}
            case "POST", "/__reset":
                self.reset()
                return 200, {}
        return None

    async def answer(self, head: Head, digest: str, length: int) -> tuple[int, dict[str, Any]]:
        seen = {
            "method": head.method,
            "target": head.target,
            "headers": [list(pair) for pair in head.headers],
            "body_sha256": digest,
            "body_len": length,
        }
        try:
            if head.path == "/slow":
                await asyncio.sleep(min(int(head.query.get("ms", "0")), SLOWEST_MS) / 1000)
            if head.path == "/status":
                return self.turn(head), seen
        except ValueError as error:
            return 400, {"error": str(error)}
        return 200, seen

    def turn(self, head: Head) -> int:
        """The status this call's turn has come for. Raises ValueError for a number out of range."""
        code, every = int(head.query.get("code", "200")), int(head.query.get("every", "1"))
        if not 200 <= code <= 599 or every < 1:
            raise ValueError("code is 200 to 599, every is 1 or more")
        self.turns[head.target] += 1
        return code if self.turns[head.target] % every == 0 else 200


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next request's head; None when the client has ended in order. Raises Bad, IncompleteReadError."""
    lines: list[bytes] = []
    while line := await _line(reader, first=not lines):
        lines.append(line)
        if sum(map(len, lines)) > HEAD_LIMIT:
            raise Bad("the head is too long")
    return parse_head(lines) if lines else None


async def read_body(reader: asyncio.StreamReader, head: Head) -> tuple[str, int]:
    """Hash the body as it passes: (hex SHA-256, length in bytes). Raises Bad, IncompleteReadError."""
    digest, total = hashlib.sha256(), 0

    async def take(length: int) -> None:
        nonlocal total
        total += length
        while length:
            piece = await reader.readexactly(min(length, PIECE))
            digest.update(piece)
            length -= len(piece)

    if head.length is not None:
        await take(head.length)
        return digest.hexdigest(), total
    while size := parse_chunk_size(await _line(reader)):
        await take(size)
        if await _line(reader):
            raise Bad("a chunk does not end where it says")
    if await _line(reader):
        raise Bad("trailers")
    return digest.hexdigest(), total


async def _line(reader: asyncio.StreamReader, *, first: bool = False) -> bytes:
    """A line without its CR LF; "" also for the end of the stream where a `first` line could begin."""
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError:
        raise Bad("a line is too long") from None
    except asyncio.IncompleteReadError as cut:
        if first and not cut.partial:
            return b""
        raise
    if not line.endswith(b"\r\n"):
        raise Bad("a line does not end in CR LF")
    if first and line == b"\r\n":
        raise Bad("an empty line before the request")
    return line[:-2]


def reply(status: int, body: dict[str, Any], head: Head | None) -> bytes:
    """A whole answer; without a `head` the connection closes."""
    content = b"" if status in BODILESS else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Odd')}", "Content-Type: application/json"]
    if status not in BODILESS:
        lines.append(f"Content-Length: {len(content)}")
    if head is None or not head.keep_alive:
        lines.append("Connection: close")
    shown = b"" if head and head.method == "HEAD" else content
    return "\r\n".join([*lines, "", ""]).encode() + shown


async def run(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = await asyncio.start_server(Echo().serve, host, port, limit=HEAD_LIMIT, backlog=1024)
    await stopped.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.echo", formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(run(options.host, options.port))


if __name__ == "__main__":
    main()
