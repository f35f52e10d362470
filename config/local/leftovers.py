"""Processes of an earlier start that outlived it: found by the ids it noted, ended before the next one begins."""

import signal
import time
from collections.abc import Callable

from config.local.home import Home
from config.local.processes import birth_of, signal_group

NOTES = "run/children.json"
BY_THEMSELVES_S = 3.0  # most end on their own when their parent dies
ASKED_S = 10.0


def note(home: Home, pids: list[int]) -> None:
    """Remember these processes, each with what tells it from a later one of the same id."""
    home.write(NOTES, {str(pid): birth_of(pid) for pid in pids})


def end(home: Home) -> list[int]:
    """End what is left of the last start; return the processes that had to be asked."""
    noted = {int(pid): birth for pid, birth in home.read(NOTES).items() if birth}

    def left() -> list[int]:
        return [pid for pid, birth in noted.items() if birth_of(pid) == birth]

    _wait(left, BY_THEMSELVES_S)
    asked = left()
    for number, patience_s in ((signal.SIGTERM, ASKED_S), (signal.SIGKILL, ASKED_S)):
        for pid in left():
            signal_group(pid, number)
        _wait(left, patience_s)
    for said in home.run.glob("*.pid"):
        said.unlink()
    home.forget(NOTES)
    return asked


def _wait(left: Callable[[], list[int]], patience_s: float) -> None:
    give_up = time.monotonic() + patience_s
    while left() and time.monotonic() < give_up:
        time.sleep(0.02)
