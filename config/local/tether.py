"""A child that does not outlive its parent.

Linux tells a process when the thread that started it is gone (prctl(2), PR_SET_PDEATHSIG), so even a parent
killed with -9 leaves nothing behind. Elsewhere the next start finds what is left (`leftovers.py`).
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None  # resolved before any fork


def tether(on_parent_death: signal.Signals) -> Callable[[], None]:
    """Return what `Popen(preexec_fn=…)` must run in the child."""
    parent = os.getpid()

    def hold() -> None:
        hold_to(parent, on_parent_death)

    return hold


def hold_to(parent: int, on_parent_death: signal.Signals) -> None:
    """Ask for a signal when `parent`, this process's parent, dies; end at once if it already has."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(on_parent_death), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
