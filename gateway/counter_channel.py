"""The synchronous doors' way to the counters: threads ask, one thread sends one pipeline a tick for all of them.

Redis has `redis_timeout_s` to answer; whatever is wrong with it, the call gets a Refusal. What calls used up or gave
back rides along, at the latest after BEAT_S. The directory's version comes back with every pipeline, so
that a lost push is noticed at the next call.
"""

import logging
import os
import threading
from collections import deque

from gateway.call import Claim, Left, Refusal
from gateway.clock import Clock
from gateway.counter_exchange import Exchange, Position
from gateway.counter_link import Link, LinkDown
from gateway.lease_script import Reply
from gateway.leases import Leases
from gateway.settings import GatewaySettings

log = logging.getLogger(__name__)

BEAT_S = 0.1
TIGHT_S = 0.15  # how long a call waits for units that other calls may give back
TIGHT_STEP_S = 0.02
REBUILD_RETRY_S = 2
PATIENCE = 4  # how many answers of Redis a call waits for: the thread that asks may itself wait for a processor
RECONNECT_S = (0.02, 0.05, 0.1, 0.25)  # pauses between attempts; the last one repeats


class _Asking:
    """A call that waits for its units."""

    __slots__ = ("answer", "claims", "done", "gone", "next_s", "since_s")

    def __init__(self, claims: tuple[Claim, ...], since_s: float) -> None:
        self.claims, self.since_s, self.next_s = claims, since_s, since_s
        self.answer: Left | Refusal | None = None
        self.gone = False  # its thread has stopped waiting
        self.done = threading.Lock()
        self.done.acquire()


class CounterChannel:
    """One per process; made before a fork, it starts in the child at the first call. Thread-safe.

    `owner` is the boot id of the journal, which must be open before anything is spent: a worker whose journal is
    not locked counts as dead, and its units are taken back.
    """

    def __init__(
        self, settings: GatewaySettings, *, owner: str, journal: Position, clock: Clock, leases: Leases | None = None
    ) -> None:
        self._patience_s, self._clock = PATIENCE * settings.redis_timeout_s, clock
        self._leases = leases or Leases(owner)
        self._exchange = Exchange(
            Link(settings.redis_url, timeout_s=settings.redis_timeout_s),
            self._leases,
            journal=journal,
            clock=clock,
            settle_all=self._settle_all,
        )
        self._calls: deque[_Asking] = deque()
        self._endings: deque[tuple[tuple[Claim, ...], bool]] = deque()
        self._waiting: list[_Asking] = []  # the thread's own
        self._handover = threading.Lock()
        self._wake = threading.Event()
        self._away = self._ending = False
        self._failures, self._next_try_s = 0, 0.0
        self._pid = 0
        self._thread: threading.Thread | None = None

    @property
    def directory_version(self) -> str:
        """The directory's version as of the last pipeline; "" before the first."""
        return self._exchange.directory_version

    # --- any thread ---

    def start(self) -> None:
        """Connect in the background, so that the first call finds the link open."""
        with self._handover:
            if self._thread is None:
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._run, name="counters", daemon=True)
                self._thread.start()
            elif self._pid != os.getpid():
                raise RuntimeError(f"this counter channel belongs to process {self._pid}: make one per process")

    def spend(self, claims: tuple[Claim, ...]) -> Left:
        """Take the units of a call, all or none. Raises Refusal; RuntimeError in a fork of the process it works in."""
        if not claims:
            return Left()
        if self._thread is None or self._pid != os.getpid():
            self.start()
        if self._away:
            raise _unavailable()
        asking = _Asking(claims, self._clock.monotonic_s())
        self._calls.append(asking)
        self._wake.set()
        answer = asking.answer if asking.done.acquire(timeout=self._patience_s) else self._give_up(asking)
        if isinstance(answer, Left):
            return answer
        raise answer or _unavailable()

    def settle(self, claims: tuple[Claim, ...], *, used: bool) -> None:
        """End a call that was granted its claims; returns at once.

        Call it from `Journal.append(settle=…)`, in the instant that the event is written: a rebuild must find
        every call either in the journal or outstanding. A call without an event may settle at any time.
        """
        if claims:
            self._endings.append((claims, used))
            if not used:
                self._wake.set()  # somebody may be waiting for these units

    def close(self) -> None:
        """Give back what is free and end the thread; to be called when the last call has ended."""
        self._ending = True
        self._wake.set()
        if self._thread is not None and self._pid == os.getpid():
            self._thread.join()

    def _give_up(self, asking: _Asking) -> Left | Refusal | None:
        """Stop waiting, unless the answer came in this moment."""
        with self._handover:
            asking.gone = asking.answer is None
        return asking.answer

    # --- the thread ---

    def _run(self) -> None:
        while not self._ending:
            self._wake.wait(self._pause_s())
            self._wake.clear()
            try:
                self._beat()
            except LinkDown as down:
                self._lose(down)
            except Exception as bug:
                log.exception("The counter channel failed; it starts over.")
                self._lose(LinkDown(bug))
        self._say_goodbye()

    def _pause_s(self) -> float:
        if self._calls or self._ending:
            return 0.0
        now_s = self._clock.monotonic_s()
        next_s = [asking.next_s for asking in self._waiting] if self._exchange.is_open else [self._next_try_s]
        return max(0.0, min([now_s + BEAT_S, *next_s]) - now_s)

    def _beat(self) -> None:
        if not self._exchange.is_open and not self._reconnect():
            return
        self._settle_all()
        while self._calls:
            self._waiting.append(self._calls.popleft())
        now_s = self._clock.monotonic_s()
        due = [asking for asking in self._waiting if asking.next_s <= now_s and not self._serve(asking)]
        needed = {claim.counter for asking in due for claim in asking.claims}
        replies = self._exchange.tick([asking.claims for asking in due], but=needed)
        for asking, reply in zip(due, replies, strict=True):
            self._hear(asking, reply)
        self._waiting = [asking for asking in self._waiting if asking.answer is None and not asking.gone]

    def _settle_all(self) -> None:
        """Apply the endings noted so far. What comes back may serve a waiting call here and now."""
        while self._endings:
            claims, used = self._endings.popleft()
            self._leases.settle(claims, used=used)
            if not used:
                for asking in self._waiting:
                    asking.next_s = asking.since_s

    def _serve(self, asking: _Asking) -> bool:
        """Answer a call from what is held or known; False: the server must be asked."""
        try:
            left = self._leases.spend(asking.claims, at_ms=self._clock.now_ms())
        except Refusal as refusal:
            self._answer(asking, refusal)
            return True
        if left is not None:
            self._answer(asking, left)
        return left is not None

    def _hear(self, asking: _Asking, reply: Reply | None) -> None:
        """Take the server's word on a call."""
        if reply is None or reply.status == "ended":
            self._answer(asking, _unavailable())
        elif reply.status == "rebuild":
            self._answer(asking, Refusal("quota_rebuilding", retry_after=REBUILD_RETRY_S))
        elif reply.status == "refused":
            self._hear_refusal(asking, reply)
        elif not self._serve(asking) and reply.status == "old":
            asking.next_s = self._clock.monotonic_s() + TIGHT_STEP_S

    def _hear_refusal(self, asking: _Asking, reply: Reply) -> None:
        claim, now_s = asking.claims[reply.refused], self._clock.monotonic_s()
        if reply.counters[reply.refused].outstanding and now_s < asking.since_s + TIGHT_S:
            asking.next_s = now_s + TIGHT_STEP_S  # units are with calls that may yet fail: spent is not the truth yet
        else:
            self._answer(asking, self._leases.refusal(asking.claims, claim, at_ms=self._clock.now_ms()))

    def _answer(self, asking: _Asking, answer: Left | Refusal) -> None:
        with self._handover:
            if not asking.gone:
                asking.answer = answer
                asking.done.release()
                return
        if isinstance(answer, Left):
            self._leases.unspend(asking.claims)

    def _reconnect(self) -> bool:
        now_s = self._clock.monotonic_s()
        if now_s < self._next_try_s:
            self._refuse_all()
            return False
        self._next_try_s = now_s + RECONNECT_S[min(self._failures, len(RECONNECT_S) - 1)]
        self._failures += 1
        self._exchange.open()
        if self._away:
            log.warning("The counters can be reached again.")
        self._failures, self._away = 0, False
        return True

    def _lose(self, down: LinkDown) -> None:
        """Without the server nothing is granted; only after a mere reset do calls wait for one new connection."""
        self._exchange.drop()
        if down.cut and not self._failures:
            self._next_try_s = 0.0
            return
        if not self._away:
            log.warning("The counters cannot be reached: %s", down)
        self._away = True
        self._refuse_all()

    def _refuse_all(self) -> None:
        while self._calls:
            self._waiting.append(self._calls.popleft())
        for asking in self._waiting:
            self._answer(asking, _unavailable())
        self._waiting = []

    def _say_goodbye(self) -> None:
        self._away = True
        self._refuse_all()
        self._settle_all()
        try:
            self._exchange.close()
        except LinkDown as down:
            log.warning("The counters were not told goodbye: %s", down)


def _unavailable() -> Refusal:
    return Refusal("limits_unavailable", retry_after=1)
