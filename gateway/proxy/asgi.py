"""The DRF door as it is served: the WSGI application, each call in a thread, behind an ASGI server.

WSGI alone hides the raw target and repeated headers, cannot tell that a client has left while its upstream is
thinking, and (with granian) ends a body that breaks off as if it were whole. ASGI shows and allows all of these.
"""

import asyncio
import io
import logging
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings

from gateway.proxy.incoming import RAW_HEADERS, RAW_TARGET, WATCH
from gateway.proxy.wsgi import application as wsgi_application
from gateway.runtime import runtime_of
from gateway.upstream import UpstreamCut

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger(__name__)
THREADS = 64  # calls at the same time; more wait in line
SWITCH_S = 0.001  # between threads: at Python's 5 ms, the one that asks the counters would queue behind all calls


class Left(Exception):
    """The client has gone away."""


class Door:
    """The ASGI application."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="call")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await Visit(scope, receive, send).serve(self._threads)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Open everything before the first call, and close it after the last."""
        loop = asyncio.get_running_loop()
        sys.setswitchinterval(SWITCH_S)
        await receive()
        await loop.run_in_executor(self._threads, runtime_of(settings.GATEWAY).door)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await loop.run_in_executor(None, self._threads.shutdown)
        await loop.run_in_executor(None, runtime_of(settings.GATEWAY).close)
        await send({"type": "lifespan.shutdown.complete"})


class Visit:
    """One request: its coroutine watches the client while a thread runs the application."""

    def __init__(self, scope: Message, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._loop = asyncio.get_running_loop()
        self._watching: asyncio.Task[None] | None = None
        self._on_gone: Callable[[], None] = lambda: None
        self._gone = False
        self._started = False

    async def serve(self, threads: ThreadPoolExecutor) -> None:
        """Answer; returning in the middle of a body makes the server cut the connection, which is what it is for."""
        environ = self._environ()
        if not _has_body(environ):
            self._watch()
        try:
            await self._loop.run_in_executor(threads, self._run, environ)
        except (Left, UpstreamCut) as cut:
            log.debug("an answer was cut: %r", cut)
        except Exception:
            log.exception("an answer broke off")
        finally:
            if self._watching:
                self._watching.cancel()

    # --- in the thread ---

    def _run(self, environ: dict[str, Any]) -> None:
        response: Any = wsgi_application(environ, self._start)
        if isinstance(response, list):
            self._wait(self._tell_whole(b"".join(response)))
            return
        try:
            for piece in response:
                self._wait(self._tell(piece, more=True))
            self._wait(self._tell(b"", more=False))
        finally:
            response.close()

    def _start(
        self, status: str, headers: list[tuple[str, str]], exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._head = {"type": "http.response.start", "status": int(status[:3]), "headers": lines}
        return lambda data: None  # PEP 3333's write(): Django has no use for it

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def next_part(self) -> bytes:
        """Return the next part of the request's body, b"" at its end. Raises Left."""
        part: bytes = self._wait(self._next_part())
        return part

    # --- on the loop ---

    async def _tell_whole(self, body: bytes) -> None:
        await self._send(self._head)
        await self._send({"type": "http.response.body", "body": body})

    async def _tell(self, piece: bytes, *, more: bool) -> None:
        if self._gone:
            raise Left
        if not self._started:
            self._started = True
            await self._send(self._head)
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    async def _next_part(self) -> bytes:
        while not self._watching:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Left
            if not message.get("more_body"):
                self._watch()
            if message.get("body"):
                return bytes(message["body"])
        return b""

    def _watch(self) -> None:
        self._watching = self._loop.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self._gone = True
        self._on_gone()

    def _when_gone(self, callback: Callable[[], None]) -> None:
        self._on_gone = callback
        if self._gone:
            callback()

    def _environ(self) -> dict[str, Any]:
        scope = self._scope
        lines = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        first = dict(reversed(lines))
        query = scope["query_string"].decode("latin-1")
        return {
            "REQUEST_METHOD": scope["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),  # as PEP 3333 has it
            "QUERY_STRING": query,
            "SERVER_NAME": scope["server"][0],
            "SERVER_PORT": str(scope["server"][1]),
            "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
            "REMOTE_ADDR": scope["client"][0],
            "CONTENT_LENGTH": first.get("content-length", ""),
            "HTTP_HOST": first.get("host", ""),
            "HTTP_TRANSFER_ENCODING": first.get("transfer-encoding", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scope["scheme"],
            "wsgi.input": Input(self),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            RAW_TARGET: scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
            RAW_HEADERS: lines,
            WATCH: self._when_gone,
        }


class Input:
    """`wsgi.input` in the pieces that arrive, whatever size is asked for; lines are nobody's business here."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def read(self, size: int = -1) -> bytes:
        return self._visit.next_part()

    def readline(self, size: int = -1) -> bytes:
        raise NotImplementedError


def _has_body(environ: dict[str, Any]) -> bool:
    return environ["CONTENT_LENGTH"] not in ("", "0") or bool(environ["HTTP_TRANSFER_ENCODING"])


application = Door()
