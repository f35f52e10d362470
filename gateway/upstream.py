"""One request to an upstream and its answer, for doors that may block a thread.

Every connect passes the SSRF guard and goes to the checked address. Redirects are never followed, bodies never
decoded, proxies never used. Faults leave as Refusal 502, 503 or 504, and a client that breaks off as ClientLeft.
"""

import logging
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException, RemoteDisconnected
from urllib.parse import urlsplit

from msgspec import Struct
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util import SKIP_HEADER

from gateway.call import Forward, Refusal, Reply
from gateway.upstream_links import Answered, Identity, Link, Pool, new_link
from kit.ssrf import Guard, NotAllowed, NotFound, Place, place_of

log = logging.getLogger(__name__)
READ_BYTES = 64 << 10
FRESH_S = 1.0  # what must not be sent twice goes over a link used within this, or over a new one
IDLE_S = 60.0
CALLS_MAX = 48  # at one upstream at the same time: a slow one must leave threads to the others
FAULTS = (HTTPError, HTTPException, OSError, NotAllowed, NotFound)
STALE = (RemoteDisconnected, ConnectionResetError, BrokenPipeError)  # how a link ends that the upstream had given up


class ClientLeft(Exception):
    """The client broke off its request body."""


class UpstreamCut(Exception):
    """The upstream broke off its answer; so must whoever passes it on."""


class RequestBody(Struct):
    """The client's body. `length` None: unknown, sent on in chunks; 0: none. Iterating may raise ClientLeft."""

    length: int | None = 0
    chunks: Iterator[bytes] = iter(())


class Upstreams:
    """This process's connections to every upstream. Any thread; `close` at the end."""

    def __init__(
        self,
        allow: frozenset[str],
        *,
        guard: Guard | None = None,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.guard = guard or Guard(allow)
        self.context = context or ssl.create_default_context()
        self.clock = clock
        self.pool = Pool()
        self._calls: dict[str, int] = {}
        self._lock = threading.Lock()

    def exchange(self, forward: Forward, body: RequestBody) -> "Exchange":
        return Exchange(self, forward, body)

    def enter(self, upstream: str) -> None:
        """Take one of the places at an upstream. Raises Refusal upstream_busy."""
        with self._lock:
            calls = self._calls.get(upstream, 0)
            if calls >= CALLS_MAX:
                raise Refusal("upstream_busy", retry_after=1)
            self._calls[upstream] = calls + 1

    def leave(self, upstream: str) -> None:
        with self._lock:
            left = self._calls.pop(upstream) - 1
            if left:
                self._calls[upstream] = left

    def close(self) -> None:
        self.pool.close()


class Exchange:
    """A request on its way to an upstream, then its answer. In whatever state, it is ended by `close`."""

    def __init__(self, upstreams: Upstreams, forward: Forward, body: RequestBody) -> None:
        self.accepted = False  # the request's head was sent
        self.request_whole = False
        self.bytes_in = 0
        self.ended = False  # the answer was read to its end
        self.upstream_ms = 0  # from the first attempt to the answer's head
        self._upstreams, self._forward, self._body = upstreams, forward, body
        self._entered = self._aborted = False
        self._link: Link | None = None
        self._wire: socket.socket | None = None
        self._response: HTTPResponse | None = None

    def start(self) -> Reply:
        """Send the request, return the head of the answer. Raises Refusal, ClientLeft."""
        target, clock = self._forward.target, self._upstreams.clock
        self._upstreams.enter(target.id)
        self._entered = True
        started = clock()
        try:
            response = self._response = self._converse(place_of(target.base_url))
        except FAULTS as error:
            self._say("upstream %s: %s", error)
            raise told(error) from error
        finally:
            self.upstream_ms = round((clock() - started) * 1000)
        lines = [(name.lower(), value) for name, value in response.headers.items()]
        return Reply(response.status, lines, response.reason or "")

    def read(self) -> bytes:
        """Return the next bytes of the answer as they arrive, b"" at its end. Raises UpstreamCut."""
        assert self._response is not None
        try:
            data = self._response.read1(READ_BYTES, decode_content=False)
        except FAULTS as error:
            self._say("upstream %s broke off its answer: %s", error)
            raise UpstreamCut from error
        if not data or self._response.length_remaining == 0:
            self._keep()
        return data or b""

    def _keep(self) -> None:
        """The answer was read to its end: another request may use the connection."""
        self.ended = True
        link, self._link = self._link, None
        if link is not None and link.sock is not None and self.request_whole:
            self._upstreams.pool.put(link, at_s=self._upstreams.clock())

    def abort(self) -> None:
        """Cut the connection, from any thread: whoever waits for it is woken by a fault."""
        self._aborted = True
        wire = self._wire
        if wire is not None:
            _reset_at_close(wire)
            try:
                socket.socket.shutdown(wire, socket.SHUT_RDWR)  # SSLSocket's own would let a reader go on in the clear
            except OSError as error:
                log.debug("already down: %s", error)

    def close(self) -> None:
        """Let go of everything; an answer that was not read to its end takes its connection along. Twice is once."""
        if self._link is not None:
            if self._wire is not None:
                _reset_at_close(self._wire)
            self._link.close()
            if self._response is not None:
                self._response.close()
        self._link = self._wire = None
        if self._entered:
            self._entered = False
            self._upstreams.leave(self._forward.target.id)

    def _say(self, text: str, error: Exception) -> None:
        """Log a fault of the upstream; one that we caused ourselves is nobody's news."""
        log.log(logging.DEBUG if self._aborted else logging.WARNING, text, self._forward.target.id, error)

    # --- the conversation ---

    def _converse(self, place: Place) -> HTTPResponse:
        link = self._link = self._idle_link(place) or self._new_link(place)
        try:
            return self._ask(link, place)
        except STALE:
            if not (link.reused and self._repeatable()):
                raise
        link.close()
        link = self._link = self._new_link(place)
        return self._ask(link, place)

    def _repeatable(self) -> bool:
        """Whether a request that met a dead link, and not one byte of an answer, may be sent once more."""
        return self._forward.method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE") and self._body.length == 0

    def _idle_link(self, place: Place) -> Link | None:
        idle_s = IDLE_S if self._repeatable() else FRESH_S
        for address in self._upstreams.guard.addresses(place):
            identity = Identity(self._forward.target.id, place, address)
            link = self._upstreams.pool.take(identity, at_s=self._upstreams.clock(), idle_max_s=idle_s)
            if link is not None:
                return link
        return None

    def _new_link(self, place: Place) -> Link:
        """Connect to the first address that lets us, within connect_s in all."""
        target, clock = self._forward.target, self._upstreams.clock
        give_up = clock() + target.connect_s
        *others, last = self._upstreams.guard.addresses(place)
        for address in (*others, last):
            identity = Identity(target.id, place, address)
            left_s = max(0.05, give_up - clock())
            try:
                return new_link(identity, context=self._upstreams.context, connect_s=left_s, at_s=clock())
            except (HTTPError, OSError):
                if address == last or clock() >= give_up:
                    raise
        raise AssertionError("a name has at least one address")

    def _ask(self, link: Link, place: Place) -> HTTPResponse:
        target, body = self._forward.target, self._body
        self._wire = link.sock
        link.timeout = target.between_bytes_s
        try:
            link.request(
                self._forward.method,
                urlsplit(target.base_url).path + self._forward.path,
                body=None if body.length == 0 else self._counted(),
                headers=self._headers(place),
                chunked=body.length is None,
                preload_content=False,
                decode_content=False,
            )
            self.request_whole = True
        except (Answered, BrokenPipeError, ConnectionResetError):
            if not link.head_sent:
                raise
        finally:
            self.accepted = self.accepted or link.head_sent
        link.timeout = target.first_byte_s
        response = link.getresponse()
        self._wire.settimeout(target.between_bytes_s)
        return response

    def _headers(self, place: Place) -> HTTPHeaderDict:
        headers = HTTPHeaderDict({"host": place.authority})
        for name, value in self._forward.headers:
            headers.add(name, value)
        for name in ("user-agent", "accept-encoding"):  # the client's, or none: urllib3 would add its own
            if name not in headers:
                headers[name] = SKIP_HEADER
        if self._body.length:
            headers["content-length"] = str(self._body.length)
        return headers

    def _counted(self) -> Iterator[bytes]:
        for chunk in self._body.chunks:
            self.bytes_in += len(chunk)
            yield chunk
        if self._body.length is not None and self.bytes_in != self._body.length:
            raise ClientLeft


def _reset_at_close(wire: socket.socket) -> None:
    """Have close() send a reset: after a mere FIN an upstream may wait for room in our window for minutes."""
    try:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError as error:
        log.debug("already closed: %s", error)


def told(error: Exception) -> Refusal:
    """What the client is told of a fault: whose it is, and nothing about where the upstream lives."""
    if isinstance(error, NotAllowed):
        return Refusal("upstream_forbidden")
    if isinstance(error, TimeoutError | ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return Refusal("upstream_timeout")
    if isinstance(error, RemoteDisconnected):
        return Refusal("upstream_unreachable", "The API's own server closed the connection without an answer.")
    if isinstance(error, HTTPException):
        return Refusal("upstream_invalid")
    return Refusal("upstream_unreachable")
