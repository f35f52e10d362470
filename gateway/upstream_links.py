"""Connections to upstreams: to a checked address, strict about what comes back, kept for reuse.

A link is a urllib3 connection without its retries, redirects, proxies and decoding, which all live above it.
"""

import re
import socket
import ssl
import threading
from collections import deque
from email.message import Message
from http.client import HTTPException, HTTPResponse
from typing import Any

from msgspec import Struct
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.wait import wait_for_read

from kit.ssrf import Place

AGE_MAX_S = 300.0  # a moved upstream is followed at last after this
IDLE_MAX = 32  # idle links per pool
PLACES_MAX = 1000
INTERIM_MAX = 8

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class NotHttp(HTTPException):
    """The upstream's head can be read in more than one way, or not at all."""


class Answered(Exception):
    """The upstream has answered (or hung up) before it had the whole request."""


class StrictResponse(HTTPResponse):
    """The standard library's response without its leniency: what it would guess at is refused (RFC 9112 §6.3)."""

    def begin(self) -> None:
        for _ in range(INTERIM_MAX):
            super().begin()
            if not 100 <= self.status < 200:
                break
            if self.status == 101:
                raise NotHttp("it switches protocols unasked")
            self.headers = self.msg = None  # type: ignore[assignment]  # begin() returns at once while they are set
        check_head(self.status, self.msg)


def check_head(status: int, head: Message) -> None:
    """Raise NotHttp for a head that we, or the client behind us, could misread."""
    if not 200 <= status <= 599:
        raise NotHttp(f"its status is {status}")
    if head.defects:
        raise NotHttp(f"its header lines cannot be read: {head.defects[0]!r}")
    for name, value in head.items():
        if not _NAME.fullmatch(name) or _CONTROL.search(value):
            raise NotHttp(f"its header {name[:40]!r} holds what no header may")
    lengths, codings = head.get_all("content-length", []), head.get_all("transfer-encoding", [])
    if len(lengths) > 1 or any(not _LENGTH.fullmatch(length.strip()) for length in lengths):
        raise NotHttp(f"its Content-Length is {lengths}")
    if codings and (lengths or [coding.strip().lower() for coding in codings] != ["chunked"]):
        raise NotHttp(f"its Transfer-Encoding is {codings}, beside Content-Length {lengths}")


class Identity(Struct, frozen=True):
    """What makes two connections the same: nothing is shared between upstreams, addresses or TLS names."""

    upstream: str
    place: Place
    address: str


class Link(HTTPConnection):
    """http://, to one address. Times are monotonic seconds."""

    response_class = StrictResponse

    def __init__(self, identity: Identity, *, at_s: float, **kwargs: Any) -> None:
        super().__init__(identity.address, identity.place.port, **kwargs)
        self.identity, self.opened_s, self.idle_s = identity, at_s, at_s
        self.reused = self.head_sent = False

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        super().endheaders(*args, **kwargs)
        self.head_sent = True

    def send(self, data: Any) -> None:
        """Raises Answered in the middle of a body that nobody waits for any more."""
        if self.head_sent and self._has_answered():
            raise Answered
        super().send(data)

    def _has_answered(self) -> bool:
        """Whether a final answer, or the end, waits to be read. Not told under TLS, where tickets come unasked."""
        if isinstance(self.sock, ssl.SSLSocket) or not wait_for_read(self.sock, timeout=0):
            return False
        start: bytes = self.sock.recv(10, socket.MSG_PEEK)
        return not (start.startswith(b"HTTP/1.") and start[9:10] == b"1")  # 1xx: the rest is still wanted


class TlsLink(Link, HTTPSConnection):
    """https://, to one address, with the certificate checked against the name."""


def new_link(identity: Identity, *, context: ssl.SSLContext, connect_s: float, at_s: float) -> Link:
    """Connect. Raises OSError, or what urllib3 makes of it."""
    link = Link(identity, at_s=at_s, timeout=connect_s)
    if identity.place.scheme == "https":
        name = identity.place.host  # not assert_hostname: that would switch the shared context's own check off
        link = TlsLink(identity, at_s=at_s, timeout=connect_s, ssl_context=context, server_hostname=name)
    link.connect()
    return link


class Pool:
    """Idle links, the youngest first. Any thread."""

    def __init__(self) -> None:
        self._idle: dict[Identity, deque[Link]] = {}
        self._lock = threading.Lock()

    def take(self, identity: Identity, *, at_s: float, idle_max_s: float) -> Link | None:
        """Return a link that was used less than `idle_max_s` ago and still stands; closes those it passes over."""
        while True:
            with self._lock:
                links = self._idle.get(identity)
                if not links:
                    return None
                link = links.pop()
            fresh = at_s - link.idle_s <= idle_max_s and at_s - link.opened_s <= AGE_MAX_S
            if fresh and link.is_connected:
                link.reused, link.head_sent = True, False
                return link
            link.close()

    def put(self, link: Link, *, at_s: float) -> None:
        """Keep a link whose last answer was read to its end."""
        link.idle_s = at_s
        dropped: list[Link] = []
        with self._lock:
            links = self._idle.setdefault(link.identity, deque())
            links.append(link)
            if len(links) > IDLE_MAX:
                dropped.append(links.popleft())
            if len(self._idle) > PLACES_MAX:
                dropped += self._idle.pop(next(iter(self._idle)))
        for old in dropped:
            old.close()

    def close(self) -> None:
        with self._lock:
            links = [link for links in self._idle.values() for link in links]
            self._idle.clear()
        for link in links:
            link.close()
