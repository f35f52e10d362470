"""Who may call what, from this process's copy of the directory."""

import time
from collections.abc import Callable

from gateway.call import Credential, Refusal
from gateway.follower import Follower
from gateway.keyring import Keyring
from gateway.records import Api, Grant, Key
from gateway.routing import Op, Routes, forwarded, slug_of


class DirectoryLookup:
    """The lookup of a door. `seen_version` is the directory's version as the counters' server last told it."""

    def __init__(
        self,
        follower: Follower,
        keyring: Keyring,
        *,
        seen_version: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._follower, self._keyring = follower, keyring
        self._seen_version, self._clock = seen_version, clock

    def match(self, method: str, path: str) -> Op:
        """Raises Refusal api_unknown, directory_stale. The first look a call takes: catches up with a lost push."""
        self._follower.ensure_version(self._seen_version())
        table = self._follower.table()
        api = table.api(slug_of(path))
        if api is None:
            raise Refusal("api_unknown")
        return table.compiled(api, Routes).find(method, forwarded(path))

    def known(self, credential: Credential, api: Api, *, at_ms: int) -> Grant | None:
        key = self._keyring.known(credential.secret, at_ms=at_ms)
        return self._joined(key, api) if key else None

    def find(self, credential: Credential, api: Api, *, client: str, at_ms: int) -> Grant:
        """Raises Refusal key_invalid, too_many_attempts, directory_stale."""
        key = self._keyring.find(credential.secret, client=client, at_ms=at_ms, now=self._clock())
        grant = self._joined(key, api)
        if grant is None:
            raise Refusal("directory_stale", "This key's organization is not known here yet.", retry_after=1)
        return grant

    def _joined(self, key: Key, api: Api) -> Grant | None:
        return self._follower.table().grant(key, api=api)
