"""The portal's Run panel: the same flow, in this process, with a grant and an API that the portal gives in.

A signed-in user's call is counted and written down like any other; a visitor's leaves nothing behind. Either way the
SSRF guard and the timeouts hold, and no more than BODY_MAX of an answer is taken.
"""

import re
import time
from collections.abc import Iterable

from msgspec import Struct

from gateway.call import Credential, Headers, Refusal
from gateway.engine import Engine
from gateway.journal import JournalFull
from gateway.recorder import Unrecorded
from gateway.records import Api, Grant
from gateway.routing import Op, Routes, forwarded, slug_of
from gateway.runtime import runtime_of
from gateway.settings import GatewaySettings
from gateway.sync import Stream, begin
from gateway.upstream import RequestBody, UpstreamCut

BODY_MAX = 1 << 20
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+", re.ASCII)
# A browser sends these to the portal; no API has any business with them.
NOT_FORWARDED = frozenset({"cookie", "x-csrftoken", "authorization", "x-api-key", "origin", "referer"})


class RunReply(Struct, frozen=True):
    """What a person is shown of one call. Text of others: escape it."""

    request_id: str
    status: int
    headers: Headers  # as a consumer of the gateway gets them
    body: bytes  # at most BODY_MAX bytes, not decoded
    truncated: bool  # there was more, or the upstream broke off
    took_ms: int


class GivenLookup:
    """One API and one grant, found by the portal: whatever is presented, this is who calls."""

    def __init__(self, api: Api, grant: Grant) -> None:
        self._api, self._grant = api, grant

    def match(self, method: str, path: str) -> Op:
        if slug_of(path) != self._api.slug:
            raise Refusal("api_unknown")
        return Routes(self._api).find(method, forwarded(path))

    def known(self, credential: Credential, api: Api, *, at_ms: int) -> Grant | None:
        return self._grant

    def find(self, credential: Credential, api: Api, *, client: str, at_ms: int) -> Grant:
        return self._grant


def run(
    settings: GatewaySettings,
    *,
    grant: Grant,
    api: Api,
    method: str,
    path: str,
    query: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    client: str = "",
) -> RunReply:
    """Make one call and wait for its answer; a refusal is an answer too.

    `path` starts with the API's slug and is percent-encoded, `query` comes without "?"; `client` is the address of
    the person's browser. Never raises for what a person can type.
    """
    began = time.monotonic()
    conversation = begin(
        _engine(settings, api, grant),
        RequestBody(len(body), iter([body])),
        method=method.upper(),
        path=path,
        query=query,
        headers=_forwardable(headers),
        client=client,
        console=True,
        credential=Credential("test" if grant.key.kind == "test" else "live", ""),
        host=settings.public_url.partition("://")[2],
        scheme=settings.public_url.partition("://")[0],
    )
    answer = conversation.answer()
    taken, truncated = _taken(answer.body)
    took_ms = round((time.monotonic() - began) * 1000)
    return RunReply(conversation.call.id, answer.status, answer.headers, taken, truncated, took_ms)


def _engine(settings: GatewaySettings, api: Api, grant: Grant) -> Engine:
    runtime, lookup = runtime_of(settings), GivenLookup(api, grant)
    if not grant.visitor:
        return runtime.with_lookup(lookup)
    return Engine(settings, lookup=lookup, records=Unrecorded(runtime.clock.now_ms), upstreams=runtime.upstreams)


def _forwardable(headers: Iterable[tuple[str, str]]) -> Headers:
    """Lower-case the names, and keep what can stand in a header line."""
    lines = [(name.strip().lower(), value.strip()) for name, value in headers]
    return [(name, value) for name, value in lines if name not in NOT_FORWARDED and _sayable(name, value)]


def _sayable(name: str, value: str) -> bool:
    return bool(_TOKEN.fullmatch(name)) and value.isprintable() and all(c < "\u0100" for c in value)


def _taken(body: Iterable[bytes]) -> tuple[bytes, bool]:
    """Read up to BODY_MAX bytes; returns them, and whether that is not all."""
    taken = b""
    try:
        for piece in body:
            taken += piece
            if len(taken) > BODY_MAX:
                if isinstance(body, Stream):
                    body.stop()
                return taken[:BODY_MAX], True
    except (UpstreamCut, JournalFull):
        return taken[:BODY_MAX], True
    return taken, False
