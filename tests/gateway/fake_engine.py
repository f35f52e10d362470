"""An engine whose directory and records are plain Python, in front of real sockets."""

from dataclasses import dataclass, field

import msgspec

from gateway.call import Call, Claim, Credential, Left, Refusal, UsageEvent
from gateway.engine import Engine
from gateway.records import Api, Grant
from gateway.routing import Op, Routes, forwarded, slug_of
from gateway.sync import Conversation
from gateway.upstream import RequestBody, Upstreams
from kit.ids import uuid7
from tests.gateway.fault_upstream import FaultUpstream
from tests.gateway.playbook import LIVE_KEY, NOW_MS, SETTINGS, a_grant, an_api


@dataclass
class FakeLookup:
    api: Api
    grants: dict[str, Grant]
    known_at_once: bool = False

    def match(self, method: str, path: str) -> Op:
        if slug_of(path) != self.api.slug:
            raise Refusal("api_unknown")
        return Routes(self.api).find(method, forwarded(path))

    def known(self, credential: Credential, api: Api, *, at_ms: int) -> Grant | None:
        return self.grants.get(credential.secret) if self.known_at_once else None

    def find(self, credential: Credential, api: Api, *, client: str, at_ms: int) -> Grant:
        if credential.secret not in self.grants:
            raise Refusal("key_invalid")
        return self.grants[credential.secret]


@dataclass
class FakeRecords:
    """Remembers what was written, in order with what the test notes itself."""

    log: list[object] = field(default_factory=list)
    refusal: Refusal | None = None
    fails: Exception | None = None
    open_calls: int = 0

    def open(self) -> int:
        self.open_calls += 1
        return NOW_MS

    def spend(self, claims: tuple[Claim, ...]) -> Left:
        if self.refusal:
            raise self.refusal
        return Left()

    def write(self, event: UsageEvent | None, claims: tuple[Claim, ...], *, at_ms: int) -> None:
        self.open_calls -= 1
        if self.fails:
            raise self.fails
        self.log.append(event)

    @property
    def events(self) -> list[UsageEvent]:
        return [entry for entry in self.log if isinstance(entry, UsageEvent)]


class Stage:
    """One upstream, one API in front of it, one key."""

    def __init__(self, upstream: FaultUpstream, **target: float) -> None:
        self.upstream = upstream
        self.api = pointed_at(an_api(pass_undeclared=True), upstream.url, **target)
        self.grant = a_grant()
        self.lookup = FakeLookup(self.api, {LIVE_KEY: self.grant})
        self.records = FakeRecords()
        self.upstreams = Upstreams(frozenset({upstream.place}))
        self.engine = Engine(SETTINGS, lookup=self.lookup, records=self.records, upstreams=self.upstreams)

    def call(
        self, path: str = "/world/v1/x", method: str = "GET", body: RequestBody | None = None, **fields
    ) -> Conversation:
        headers = [("host", "api.example"), ("x-api-key", fields.pop("key", LIVE_KEY)), *fields.pop("headers", [])]
        at_ms = self.records.open()
        call = Call(
            **(
                {
                    "id": str(uuid7(at_ms)),
                    "at_ms": at_ms,
                    "method": method,
                    "path": path,
                    "query": "",
                    "client": "192.0.2.1",
                }
            ),
            headers=headers,
            **fields,
        )
        return Conversation(self.engine, call, body or RequestBody())

    @property
    def event(self) -> UsageEvent:
        """The one event there is; nothing is left open."""
        (event,) = self.records.events
        assert self.records.open_calls == 0
        return event


def pointed_at(api: Api, url: str, **target: float) -> Api:
    """The same API with its upstreams at `url`."""
    versions = tuple(
        msgspec.structs.replace(
            version,
            upstream=msgspec.structs.replace(version.upstream, base_url=url, **target),
            test_upstream=version.test_upstream
            and msgspec.structs.replace(version.test_upstream, base_url=url, **target),
        )
        for version in api.versions
    )
    return msgspec.structs.replace(api, versions=versions)
