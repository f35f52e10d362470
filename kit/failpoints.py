"""Named places at which a test ends this process as a power cut would.

TOLLGATE_FAILPOINTS="usage.before_commit=kill" arms them, by commas; nothing is armed otherwise. A process reads it
once, when it starts.
"""

import os
import signal

_ARMED = dict(part.split("=", 1) for part in os.environ.get("TOLLGATE_FAILPOINTS", "").split(",") if part)
if unknown := {action for action in _ARMED.values() if action != "kill"}:
    raise ValueError(f"TOLLGATE_FAILPOINTS knows no action {', '.join(sorted(unknown))}: only kill")


def reach(name: str) -> None:
    """Say that the process has come to this place; where it is armed, that is the last thing it does."""
    if name in _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
