"""The worker's clock: Redis time, read without asking Redis.

A call's instant, its id and its period are all taken from here, so that every worker and every counter
agree on when a period ends (docs/decisions/0007-counters-and-leases.md).
"""

import threading
import time
from collections.abc import Callable

KEEP_S = 30.0  # a sample is believed so long against worse ones: crystals drift ~0.05 ms/s at worst


class Clock:
    """Monotonic time plus an offset to the server's clock; it may stand still, but never goes back.

    Until the first sample it follows the machine's own clock. Thread-safe.
    """

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self.monotonic_s = monotonic
        self._lock = threading.Lock()
        self._offset_s = wall() - monotonic()
        self._last_ms = 0
        self._error_s = float("inf")  # half the round trip of the sample in use
        self._sampled_s = 0.0

    def now_ms(self) -> int:
        """Return Unix milliseconds."""
        with self._lock:
            self._last_ms = max(self._last_ms, int((self.monotonic_s() + self._offset_s) * 1000))
            return self._last_ms

    def doubt(self) -> None:
        """Believe the next sample whatever its error: it may be another server's clock."""
        with self._lock:
            self._error_s = float("inf")

    def sample(self, server_ms: int, *, sent_s: float, received_s: float) -> None:
        """Learn the server's time from one exchange; `sent_s` and `received_s` are monotonic seconds.

        The server read its clock somewhere in between, so the quickest exchange tells most.
        """
        error_s = (received_s - sent_s) / 2
        with self._lock:
            if error_s <= self._error_s or received_s - self._sampled_s > KEEP_S:
                self._offset_s = server_ms / 1000 - (sent_s + received_s) / 2
                self._error_s, self._sampled_s = error_s, received_s
