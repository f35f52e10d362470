"""A process's own copy of the directory, kept current by a thread.

The thread waits for a push (a blocking read of the log) or for POLL_S, whichever is first, and then reads
what is new; a push is only a wake-up, so a lost one costs no more than a poll. A counter pipeline that
saw a newer version catches up at once. Without Redis the copy serves for `stale_max_s`.
"""

import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from redis import RedisError

from gateway import directory_feed as feed
from gateway.call import Refusal
from gateway.directory import Directory
from gateway.directory_copy import Copy, Entry, Verdict
from gateway.settings import GatewaySettings
from gateway.snapshot import SnapshotKeeper, read_snapshot
from gateway.store import connect
from kit.failpoints import armed

log = logging.getLogger(__name__)
POLL_S = 0.25
PUSH_S = 0.2  # how long one blocking read waits; the rest of POLL_S is its way back
RETRY_S = 0.1
Handler = Callable[[Entry], None]


class DirectoryAway(Exception):
    """The directory's server does not answer."""


class Follower:
    """Follows the directory from `start` to `stop`. Reads take no lock.

    `push` is the failpoint `directory.push`: "drop" never wakes the thread, "delay:<ms>" wakes it late.
    """

    def __init__(
        self, settings: GatewaySettings, *, clock: Callable[[], float] = time.monotonic, push: str = ""
    ) -> None:
        self._client = connect(settings.redis_url, timeout_s=settings.redis_timeout_s)
        self._waiting = connect(settings.redis_url, timeout_s=PUSH_S + settings.redis_timeout_s)
        self._stale_max_s, self._clock, self._push = settings.stale_max_s, clock, push
        self._lock = threading.Lock()  # around reading and applying: calls catch up beside the thread
        self._copy: Copy | None = None
        self._contact = float("-inf")  # when the server last vouched for the copy
        self._away = False
        self._handlers: dict[str, Handler] = {}
        self._told: SimpleQueue[Entry] = SimpleQueue()
        self._snapshot_path = settings.journal_dir.parent / "directory.snapshot"
        self._snapshot = SnapshotKeeper(self._snapshot_path)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="directory-follower", daemon=True)

    # --- for calls ---

    def table(self) -> Directory:
        """Return what this process knows. Raises Refusal directory_stale if that is nothing, or too old."""
        copy = self._copy
        if copy is None or self._clock() - self._contact > self._stale_max_s:
            raise Refusal("directory_stale", retry_after=1)
        return copy.table

    def version(self) -> str:
        """Return the id of the last log entry applied."""
        return self._copy.position.version if self._copy else "0-0"

    def ensure_version(self, version: str) -> bool:
        """Be at the version that a counter pipeline has just seen; return whether the table moved.

        Waits for one exchange with the server at most; "" (the server knows none) changes nothing.
        """
        if not version or feed.at(version) <= feed.at(self.version()):
            return False
        return self.catch_up()

    def catch_up(self) -> bool:
        """Read what is new; return whether the table moved. Without an answer it did not, and the thread tries on."""
        before = self.version()
        with self._lock:
            if self._copy is not None and self.version() == before and not self._away:
                try:
                    self._read(self._copy)
                except RedisError as error:
                    self._lost(error)
        return self.version() != before

    def key_published(self, digests: tuple[str, ...]) -> bool:
        """Ask the server for a key that the table does not know. Raises DirectoryAway, at once when that is known."""
        if self._away:
            raise DirectoryAway
        try:
            return feed.key_published(self._client, digests)
        except RedisError as error:
            self._lost(error)
            raise DirectoryAway from error

    # --- the thread ---

    def listen(self, kind: str, handler: Handler) -> None:
        """Have `announce`d entries of a kind handled in the thread; one may come twice."""
        self._handlers[kind] = handler

    def start(self) -> None:
        """Load once, or else take the host's snapshot; then follow, and go on trying."""
        self._try(self._load_aside)
        if self._copy is None and (found := read_snapshot(self._snapshot_path)):
            self._copy, age_s = found
            self._contact = self._clock() - age_s
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._snapshot.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            if self._copy is None or self._copy.outdated:
                self._try(self._load_aside)
            if self._copy is None:
                self._ending.wait(POLL_S)
                continue
            self._try(self._wait_for_push)
            self._try(self._poll)
            while not self._told.empty():
                self._handle(self._told.get())
            self._snapshot.keep(self._copy, vouched=self._vouched(self._copy), now=self._clock())

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except RedisError as error:
            self._lost(error)
            self._ending.wait(RETRY_S)

    def _lost(self, error: RedisError) -> None:
        if not self._away:
            log.warning("the directory does not answer: %s", error)
        self._away = True

    def _wait_for_push(self) -> None:
        if self._push == "drop":
            self._ending.wait(POLL_S)
        elif feed.wait(self._waiting, after=self.version(), timeout_s=PUSH_S) and self._push.startswith("delay:"):
            self._ending.wait(min(float(self._push.removeprefix("delay:")) / 1000, POLL_S))

    def _poll(self) -> None:
        with self._lock:
            if self._copy:
                self._read(self._copy)

    def _load_aside(self) -> None:
        """Load into a new table, bring it up to date, and only then put it in place of the old one."""
        loaded = feed.load(self._client, meanwhile=self._poll)
        if loaded is not None:
            fresh = Copy(*loaded)
            with self._lock:
                self._read(fresh)
                self._copy = fresh

    def _read(self, copy: Copy) -> None:
        """Read and apply until nothing is left. Raises redis.RedisError."""
        asked_at = self._clock()
        while self._take(copy):
            pass
        self._away = False
        if self._vouched(copy):
            self._contact = asked_at

    def _vouched(self, copy: Copy) -> bool:
        """An emptied server tells of changes, but it does not vouch for the rest; nor for what was missed."""
        return bool(copy.position.epoch) and not copy.outdated and not self._away

    def _take(self, copy: Copy) -> bool:
        seen = feed.changes(self._client, after=copy.position.version)
        verdict = copy.take(seen)
        for entry in seen.entries:
            if entry.record is not None:
                self._snapshot.note(entry.record)
            elif entry.kind in self._handlers:
                self._told.put(entry)
        if verdict is Verdict.REGRESSED:
            log.error("the directory's server has lost what came before %s: to be published again", copy.position)
            feed.forget_epoch(self._client, copy.position.epoch)
        return seen.more or verdict in (Verdict.EMPTIED, Verdict.REGRESSED)

    def _handle(self, entry: Entry) -> None:
        try:
            self._handlers[entry.kind](entry)
        except Exception:  # a listener's bug must not stop revokes from arriving
            log.exception("the listener of %s failed", entry.kind)


def follow(settings: GatewaySettings) -> Follower:
    """Start this process's follower. Call it after the last fork."""
    follower = Follower(settings, push=armed("directory.push"))
    follower.start()
    return follower
