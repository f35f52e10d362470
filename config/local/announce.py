"""How a process tells the one that started it that it is ready: its id in the file $TOLLGATE_ANNOUNCE."""

import os
from pathlib import Path

from config.local.processes import alive

VARIABLE = "TOLLGATE_ANNOUNCE"


def announce() -> None:
    """Say that this process is ready. Started by hand, there is nobody to tell."""
    if path := os.environ.get(VARIABLE):
        temporary = Path(f"{path}.{os.getpid()}")
        temporary.write_text(str(os.getpid()))
        temporary.replace(path)


def announced(path: Path) -> int | None:
    """The process that said it is ready and still lives."""
    try:
        pid = int(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if alive(pid) else None
