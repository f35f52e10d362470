"""What the calls of one process share, whoever answers them: the ports of the synchronous driver."""

import time
from collections.abc import Callable
from typing import Protocol

from gateway.call import Call, Claim, Credential, Left, UsageEvent
from gateway.records import Api, Grant
from gateway.routing import Op
from gateway.settings import GatewaySettings
from gateway.upstream import Upstreams


class Lookup(Protocol):
    """Who may call what: the directory, or what the portal gives in."""

    def match(self, method: str, path: str) -> Op:
        """Raises Refusal api_unknown, directory_stale."""

    def known(self, credential: Credential, api: Api, *, at_ms: int) -> Grant | None: ...

    def find(self, credential: Credential, api: Api, *, client: str, at_ms: int) -> Grant:
        """Raises Refusal key_invalid, too_many_attempts, directory_stale."""


class Records(Protocol):
    """`gateway.recorder.Recorder`, or `Unrecorded`."""

    def open(self) -> int: ...
    def spend(self, claims: tuple[Claim, ...]) -> Left: ...
    def write(self, event: UsageEvent | None, claims: tuple[Claim, ...], *, at_ms: int) -> None: ...


class Engine:
    """What all calls of a process share."""

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        lookup: Lookup,
        records: Records,
        upstreams: Upstreams,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.lookup, self.records, self.upstreams = settings, lookup, records, upstreams
        self.clock = clock


class SyncDesk:
    """What is known of one call's surroundings without asking; it leases nothing, so every claim is asked for."""

    def __init__(self, engine: Engine, call: Call) -> None:
        self.settings = engine.settings
        self._lookup, self._call = engine.lookup, call
        self.op: Op | None = None
        self.grant_given: Grant | None = None

    def match(self, method: str, path: str) -> Op:
        self.op = self._lookup.match(method, path)
        return self.op

    def grant(self, credential: Credential, api: Api) -> Grant | None:
        self.grant_given = self._lookup.known(credential, api, at_ms=self._call.at_ms)
        return self.grant_given

    def spend(self, claims: tuple[Claim, ...]) -> None:
        return None
