"""Refusals beyond a rate become one counted event a second, so that a loop of refused calls cannot fill the journal.

No I/O, no clock: instants are passed in.
"""

import threading

import msgspec

from gateway.call import UsageEvent

PER_SECOND = 100  # events of their own, per key and problem


class Collapse:
    """Counts the refusals of the present second. Any thread."""

    def __init__(self, per_second: int = PER_SECOND) -> None:
        self._per_second = per_second
        self._second = 0
        self._seen: dict[tuple[str, str], int] = {}
        self._held: dict[tuple[str, str], UsageEvent] = {}
        self._lock = threading.Lock()

    def holds(self, event: UsageEvent) -> bool:
        """Count a refusal; one too many is kept here, else it is the caller's to write down."""
        who = (event.key, event.problem)
        with self._lock:
            seen = self._seen[who] = self._seen.get(who, 0) + 1
            if seen <= self._per_second:
                return False
            known = self._held.get(who)
            self._held[who] = msgspec.structs.replace(known or event, count=known.count + 1 if known else 1)
            return True

    def due(self, at_ms: int) -> list[UsageEvent]:
        """Once a second has passed, return what was kept of it: the caller's to stamp with `at_ms` and write down."""
        with self._lock:
            if at_ms // 1000 <= self._second:
                return []
            due = list(self._held.values())
            self._second, self._seen, self._held = at_ms // 1000, {}, {}
            return due
