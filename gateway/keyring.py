"""From a presented secret to its key: checksum, memory, then the directory's server.

Unknown, malformed, revoked and expired keys all end in the same Refusal. Nothing decided is remembered:
the memory maps a secret to a key's id, and the key's state is read at each call.
"""

import threading

from gateway.attempts import Attempts
from gateway.call import Refusal
from gateway.follower import DirectoryAway, Follower
from gateway.records import Key
from kit.secrets import key_digests, key_kind

PRESENTED_KEPT = 100_000
MISSES_KEPT = 10_000
MISS_S = 1.0  # how long an unknown digest is not asked for again


class Keyring:
    """Authenticates secrets against a follower's table. Any thread; memory only, never written anywhere."""

    def __init__(self, follower: Follower, *, peppers: tuple[str, ...], attempts: Attempts) -> None:
        self._follower, self._peppers, self._attempts = follower, peppers, attempts
        self._presented: dict[str, tuple[str, str]] = {}  # secret → (key id, digest)
        self._misses: dict[str, float] = {}  # digest → monotonic instant of its look-up, oldest first
        self._lock = threading.Lock()

    def known(self, secret: str, *, at_ms: int) -> Key | None:
        """Return the usable key of a secret without asking anyone; None: ask `find`. Raises Refusal directory_stale."""
        key = self._recall(secret)
        return key if key is not None and usable(key, at_ms=at_ms) else None

    def find(self, secret: str, *, client: str, at_ms: int, now: float) -> Key:
        """Return the usable key of a secret.

        `client` is the caller's address, `now` monotonic seconds. Raises Refusal: key_invalid,
        too_many_attempts (nothing is looked up then), directory_stale.
        """
        key = self._recall(secret)
        if key is None and key_kind(secret):
            self._let_pass(client, now=now)
            key = self._ask(secret, now=now)
        if key is not None and usable(key, at_ms=at_ms):
            return key
        self._let_pass(client, now=now)
        self._attempts.failed(client, now=now)
        raise Refusal("key_invalid")

    def _recall(self, secret: str) -> Key | None:
        table = self._follower.table()
        known = self._presented.get(secret)
        if known is not None:
            key = table.keys.get(known[0])
            if key is not None and known[1] in key.digests:  # rolled keys keep their id, not their digest
                return key
        if not key_kind(secret):
            return None
        for digest in key_digests(secret, self._peppers):
            if (key := table.key(digest)) is not None:
                self._remember(secret, key.id, digest)
                return key
        return None

    def _ask(self, secret: str, *, now: float) -> Key | None:
        digests = key_digests(secret, self._peppers)
        if now - self._misses.get(digests[0], now - MISS_S) < MISS_S:
            return None
        if not self._published(digests):
            self._miss(digests[0], now=now)
            return None
        self._follower.catch_up()
        if (key := self._recall(secret)) is None:
            raise Refusal("directory_stale", "This key has not reached this gateway yet; try again.", retry_after=1)
        return key

    def _published(self, digests: tuple[str, ...]) -> bool:
        """Ask the server. Raises Refusal directory_stale when it cannot say: an unknown key may be a new one."""
        try:
            return self._follower.key_published(digests)
        except DirectoryAway as error:
            detail = "This key is not known here, and the directory does not answer."
            raise Refusal("directory_stale", detail, retry_after=1) from error

    def _let_pass(self, client: str, *, now: float) -> None:
        if wait_s := self._attempts.wait_s(client, now=now):
            raise Refusal("too_many_attempts", retry_after=wait_s)

    def _remember(self, secret: str, key_id: str, digest: str) -> None:
        if len(self._presented) >= PRESENTED_KEPT:
            self._presented.clear()
        self._presented[secret] = (key_id, digest)

    def _miss(self, digest: str, *, now: float) -> None:
        with self._lock:
            while len(self._misses) >= MISSES_KEPT:
                del self._misses[next(iter(self._misses))]
            self._misses.pop(digest, None)
            self._misses[digest] = now


def usable(key: Key, *, at_ms: int) -> bool:
    return key.state == "active" and (key.expires_ms is None or at_ms < key.expires_ms)
