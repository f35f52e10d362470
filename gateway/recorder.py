"""Writes each call's ending down and settles its counters, in one instant."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from gateway.call import Claim, Left, Refusal, UsageEvent
from gateway.collapse import Collapse
from gateway.journal import JournalFull
from gateway.meters import used_up
from kit.ids import uuid7


class Journal(Protocol):
    """`gateway.journal.Journal`, as far as a call needs it."""

    def can_write(self) -> bool: ...
    def opened(self, at_ms: int) -> int: ...
    def closed(self, at_ms: int) -> None: ...
    def append(self, events: Sequence[UsageEvent], *, settle: Callable[[], None] | None = None) -> None: ...


class Counters(Protocol):
    """`gateway.counter_channel.CounterChannel`, as far as a call needs it."""

    def spend(self, claims: tuple[Claim, ...]) -> Left: ...
    def settle(self, claims: tuple[Claim, ...], *, used: bool) -> None: ...


class Recorder:
    """Any thread. Every `open` is followed by one `write`."""

    def __init__(
        self, journal: Journal, counters: Counters, *, clock_ms: Callable[[], int], collapse: Collapse | None = None
    ) -> None:
        self._journal, self._counters, self._clock_ms = journal, counters, clock_ms
        self._collapse = collapse or Collapse()

    def open(self) -> int:
        """Register a call; return the instant it carries, on the counters' clock."""
        return self._journal.opened(self._clock_ms())

    def spend(self, claims: tuple[Claim, ...]) -> Left:
        """Take a call's units. Raises Refusal: nothing is admitted that could not be written down."""
        if not self._journal.can_write():
            raise Refusal("metering_unavailable", retry_after=1)
        return self._counters.spend(claims)

    def write(self, event: UsageEvent | None, claims: tuple[Claim, ...], *, at_ms: int) -> None:
        """End a call: when this returns, a kill -9 cannot lose it. Raises JournalFull, with its units given back."""
        try:
            self._write(event, claims)
        except JournalFull:
            self._counters.settle(claims, used=False)
            raise
        finally:
            self._journal.closed(at_ms)

    def flush(self, *, last: bool = False) -> None:
        """Write down the refusals that were counted together; to be called every second, and once at the end."""
        at_ms = self.open()
        try:
            due = self._collapse.due(at_ms + 1000 if last else at_ms)
            if due and self._journal.can_write():
                self._journal.append([_stamped(event, at_ms) for event in due])
        finally:
            self._journal.closed(at_ms)

    def _write(self, event: UsageEvent | None, claims: tuple[Claim, ...]) -> None:
        if event is None or self._need_not_be_written(event):
            self._counters.settle(claims, used=False)
            return
        used = used_up(event)
        self._journal.append([event], settle=lambda: self._counters.settle(claims, used=used))

    def _need_not_be_written(self, event: UsageEvent) -> bool:
        """Refusals in a loop are counted together; in a full journal what room is left is for calls in flight."""
        if event.accepted or not event.problem:
            return False
        return not self._journal.can_write() or self._collapse.holds(event)


class Unrecorded:
    """For calls that count nothing: the visitors of the portal."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self.open = clock_ms

    def spend(self, claims: tuple[Claim, ...]) -> Left:
        assert not claims
        return Left()

    def write(self, event: UsageEvent | None, claims: tuple[Claim, ...], *, at_ms: int) -> None:
        assert event is None


def _stamped(event: UsageEvent, at_ms: int) -> UsageEvent:
    """An event's instant is its id's, and the journal promises that no earlier one comes."""
    return msgspec.structs.replace(event, event_id=str(uuid7(at_ms)), ts=at_ms)
