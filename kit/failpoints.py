"""Named places at which a test ends this process as a power cut would, or loses a message.

TOLLGATE_FAILPOINTS="usage.before_commit=kill,directory.push=delay:500" arms them, by commas; nothing is armed
otherwise. A process reads it once, when it starts.
"""

import os
import re
import signal

_ACTIONS = re.compile(r"kill|drop|delay:\d+")
_ARMED = dict(part.split("=", 1) for part in os.environ.get("TOLLGATE_FAILPOINTS", "").split(",") if part)
if unknown := {action for action in _ARMED.values() if not _ACTIONS.fullmatch(action)}:
    raise ValueError(f"TOLLGATE_FAILPOINTS knows no action {', '.join(sorted(unknown))}: only kill, drop, delay:<ms>")


def reach(name: str) -> None:
    """Say that the process has come to this place; where it is armed with kill, that is the last thing it does."""
    if _ARMED.get(name) == "kill":
        os.kill(os.getpid(), signal.SIGKILL)


def armed(name: str) -> str:
    """Return the action that this place is armed with, for the place to perform; "" if none."""
    return _ARMED.get(name, "")
