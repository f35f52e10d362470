"""Whether this process has been asked to stop, and how urgently."""

import signal
import time
from types import FrameType

PATIENCE_S = 1.0  # a terminal and `make` may both pass on the same Ctrl-C


class Stopping:
    """Calling it tells whether SIGINT, SIGTERM or SIGHUP has come; `hard()` whether one came again later."""

    def __init__(self) -> None:
        self._first_at: float | None = None
        self._again = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup's wish stands
            signal.signal(signal.SIGHUP, self._note)

    def __call__(self) -> bool:
        return self._first_at is not None

    def hard(self) -> bool:
        return self._again

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first_at is None:
            self._first_at = now
        elif now - self._first_at > PATIENCE_S:
            self._again = True
